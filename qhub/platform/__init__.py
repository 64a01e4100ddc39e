"""What QHub puts on a Kubernetes cluster.

`KubernetesPlatform(name, KubernetesPlatformArgs(settings=..., cluster=...))` makes all of it; its `exports()` are the
outputs of the stack. Every part has a file of its own; the values of the charts are built by pure functions
(`*_values.py`), and what runs inside the hub and the Dask gateway is in `hub/`.
"""

from __future__ import annotations

from qhub.platform.platform import KubernetesPlatform, KubernetesPlatformArgs

__all__ = ["KubernetesPlatform", "KubernetesPlatformArgs"]
