"""`make clean`: what this checkout started and made goes, and the cache of built tools with it."""

from __future__ import annotations

import contextlib
import shutil

from rich.console import Console

from qhub.rehearsal import paths
from qhub.rehearsal.cluster import EmbeddedCluster
from qhub.rehearsal.plugins.kubernetes.helm.command import remove_helm_folder
from qhub.rehearsal.toolchain import remove_cache


def clean(*, console: Console) -> None:
    """Stop and delete every embedded cluster of this checkout, its Pulumi state and home, and the cache of built tools.

    Go's own caches are Go's: `go clean -cache -modcache` empties them.

    Raises:
        ToolchainError: another process is building into the cache.
    """
    root = paths.project_root()
    clusters = paths.clusters_dir(root)
    for folder in sorted(clusters.iterdir()) if clusters.exists() else []:
        EmbeddedCluster(folder.name, folder).delete()
        console.print(f"Stopped the embedded cluster {folder.name} and removed its folder")
    state = paths.state_dir(root)
    if state.exists():
        shutil.rmtree(state)
        console.print(f"Removed {state.relative_to(root)}/")
    console.print(str(remove_cache()))
    remove_helm_folder()
    with contextlib.suppress(OSError):  # not empty: something else is kept there
        paths.cache_dir().rmdir()
