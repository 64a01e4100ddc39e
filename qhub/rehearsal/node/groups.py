"""Control groups of a cluster with a real node: made, found and removed, whatever version the kernel has."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from pathlib import Path

#: Seconds that killed processes may take to leave their group, and the kernel to let it go.
GONE_SECONDS = 10.0
CONTROL_GROUPS = Path("/sys/fs/cgroup")


def group_name(folder: Path) -> str:
    """Return the name of the control group of the cluster in `folder`: no two folders share one."""
    return f"qhub-{hashlib.sha256(str(folder).encode()).hexdigest()[:10]}"


def hierarchies(root: Path = CONTROL_GROUPS) -> list[Path]:
    """Return the top of each tree of control groups: one with version 2, one for each controller with version 1."""
    if (root / "cgroup.controllers").is_file():
        return [root]
    return sorted({entry.resolve() for entry in root.iterdir() if (entry / "cgroup.procs").is_file()})


def make_group(name: str, *, root: Path = CONTROL_GROUPS) -> None:
    """Make the group in every tree, ready to have groups of its own. One that is there stays."""
    for top in hierarchies(root):
        group = top / name
        group.mkdir(exist_ok=True)
        for file in ("cpuset.cpus", "cpuset.mems"):  # version 1: empty in a new group, which then takes no process
            if (top / file).is_file() and not (top / "cgroup.controllers").is_file():
                (group / file).write_text((top / file).read_text())
        if (top / "cgroup.controllers").is_file():
            wanted = " ".join(f"+{each}" for each in (top / "cgroup.controllers").read_text().split())
            (top / "cgroup.subtree_control").write_text(wanted)
            (group / "cgroup.subtree_control").write_text(wanted)


def processes(name: str, *, root: Path = CONTROL_GROUPS) -> set[int]:
    """Return the ids of the processes in the group and below it."""
    found: set[int] = set()
    for group in _groups(name, root):
        try:
            found.update(int(line) for line in (group / "cgroup.procs").read_text().split())
        except OSError:  # it went meanwhile
            continue
    return found


def end_processes(name: str, *, patience: float, root: Path = CONTROL_GROUPS) -> None:
    """End every process in the group: SIGTERM, then SIGKILL for what is there after `patience` seconds."""
    _signal(processes(name, root=root), signal.SIGTERM)
    deadline = time.monotonic() + patience
    while processes(name, root=root) and time.monotonic() < deadline:
        time.sleep(0.02)
    deadline = time.monotonic() + GONE_SECONDS
    while (left := processes(name, root=root)) and time.monotonic() < deadline:
        _signal(left, signal.SIGKILL)
        time.sleep(0.02)


def remove_group(name: str, *, root: Path = CONTROL_GROUPS) -> None:
    """Remove the group from every tree; its processes have ended. One that is not there is fine.

    Raises:
        OSError: the kernel does not let it go.
    """
    deadline = time.monotonic() + GONE_SECONDS
    while left := _groups(name, root):
        try:
            for group in left:
                group.rmdir()
        except FileNotFoundError:
            continue
        except OSError:  # a process that was killed a moment ago still counts
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _groups(name: str, root: Path) -> list[Path]:
    """Return the group and all below it in every tree, the innermost first."""
    found: list[Path] = []
    for top in hierarchies(root):
        found += (Path(folder) for folder, _, _ in os.walk(top / name, topdown=False))
    return found


def _signal(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
