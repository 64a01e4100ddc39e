"""Code of ours that runs inside the hub and the Dask gateway. Sent as text; imported only by tests.

Both programs run the text inside a configuration file of their own, where their configuration object is called `c`. So
these modules import the standard library only, have no `from __future__` line (the text may land in the middle of a
file) and do nothing when they are imported anywhere else. `templates` are pages in JupyterHub's own template language.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any


def source(module: str) -> str:
    """Return the text of one module of this package, for `extraConfig` of a chart."""
    return (Path(__file__).parent / f"{module}.py").read_text(encoding="utf-8")


def constant(name: str, data: Any) -> str:
    """Return Python that sets a name to some data as JSON text, for `extraConfig` of a chart.

    For what grows with the number of people: Linux starts no program that has an environment variable of 128 KiB.
    Source: MAX_ARG_STRLEN in include/uapi/linux/binfmts.h.
    """
    return f"{name} = {json.dumps(data, sort_keys=True)!r}\n"


def data_of(text: str) -> Any:
    """Return the data of what `constant` made."""
    return json.loads(ast.literal_eval(text.partition(" = ")[2]))


def template(name: str) -> str:
    """Return the text of one of the hub's pages that lie over JupyterHub's own."""
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")
