"""The stand-in for `pulumi-resource-kubernetes`: objects by server-side apply, Helm releases by the real `helm`.

    python -m qhub.rehearsal.plugins.kubernetes ENGINE_ADDRESS

The state it writes has the official plugin's shape (`__inputs`, `__initialApiVersion`, `__fieldManager`), so that a
stack can change from one to the other.
"""

from __future__ import annotations
