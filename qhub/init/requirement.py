"""Which QHub a new project requires: the one that made it."""

from __future__ import annotations

import json
from importlib.metadata import Distribution, distribution


def requirement(extra: str, installed: Distribution | None = None) -> str:
    """Return the line of requirements.txt that installs this QHub.

    What came from a package index is named by its version. What came from Git, a folder or a file is named by that
    (PEP 610): an index may have another QHub under the version, or none.

    Args:
        extra: extra of the package, such as "[aws]"; "" for none.
        installed: the package; None for the one that runs.
    """
    installed = installed or distribution("qhub")
    written = installed.read_text("direct_url.json")
    if written is None:
        return f"qhub{extra}=={installed.version}"
    origin = json.loads(written)
    url = origin["url"]
    if git := origin.get("vcs_info"):
        url = f"{git['vcs']}+{url}@{git['commit_id']}"
    if folder := origin.get("subdirectory"):
        url += f"#subdirectory={folder}"
    place = f"qhub{extra} @ {url}"
    if url.startswith("file:"):
        return (
            f"# From this machine: for a workflow name a place that it reaches too, such as a Git repository.\n{place}"
        )
    return place
