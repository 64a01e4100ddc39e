"""Code of ours that runs inside the hub and the Dask gateway. Sent as text; imported only by tests.

Both programs run the text inside a configuration file of their own, where their configuration object is called `c`. So
these modules import the standard library only, have no `from __future__` line (the text may land in the middle of a
file) and do nothing when they are imported anywhere else. `templates` are pages in JupyterHub's own template language.
"""

from __future__ import annotations

from pathlib import Path


def source(module: str) -> str:
    """Return the text of one module of this package, for `extraConfig` of a chart."""
    return (Path(__file__).parent / f"{module}.py").read_text(encoding="utf-8")


def template(name: str) -> str:
    """Return the text of one of the hub's pages that lie over JupyterHub's own."""
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")
