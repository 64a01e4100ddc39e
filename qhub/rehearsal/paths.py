"""Where a project, such as a checkout, keeps its state and where built tools are cached."""

from __future__ import annotations

import os
from pathlib import Path

#: What the folder of a project, such as a checkout, holds.
PROJECT_FILE = "Pulumi.yaml"
#: Variables that say where the cache is, the first one first.
CACHE_VARIABLES = ("QHUB_CACHE_DIR", "XDG_CACHE_HOME")


def project_root(start: Path | None = None) -> Path:
    """Return the nearest folder at or above `start` (default: the current one) that holds `Pulumi.yaml`.

    Raises:
        FileNotFoundError: no such folder; the message says where it looked.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
    raise FileNotFoundError(f"no {PROJECT_FILE} in {here} or above it: run this in a project's folder")


def state_dir(root: Path | None = None) -> Path:
    """Return `.qhub/` of the checkout: clusters, Pulumi home and file backend. Removed by `make clean`."""
    return (root or project_root()) / ".qhub"


def clusters_dir(root: Path | None = None) -> Path:
    """Return the folder that has one sub-folder per embedded cluster."""
    return state_dir(root) / "clusters"


def pulumi_home(root: Path | None = None) -> Path:
    """Return the `PULUMI_HOME` that holds the stand-in plugins, apart from the user's own `~/.pulumi`."""
    return state_dir(root) / "pulumi"


def backend_dir(root: Path | None = None) -> Path:
    """Return the folder of the file backend used where no backend is chosen."""
    return state_dir(root) / "state"


def cache_dir() -> Path:
    """Return the cache that several checkouts share.

    `$QHUB_CACHE_DIR`, else `$XDG_CACHE_HOME/qhub`, else `~/.cache/qhub`.
    """
    ours, everybodys = CACHE_VARIABLES
    if chosen := os.environ.get(ours):
        return Path(chosen).expanduser().resolve()
    base = os.environ.get(everybodys) or "~/.cache"
    return Path(base).expanduser().resolve() / "qhub"
