"""Processes that outlive the command which started them, and are found again by the next one.

A process of ours carries a mark in its environment: the cluster's folder and its own name. A process id from the state
file counts only when the process behind it carries that mark, so that after a reboot, when the number belongs to
somebody else, nothing foreign is ever taken for ours or stopped.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

MARK_FOLDER = "QHUB_CLUSTER_FOLDER"
MARK_PROCESS = "QHUB_CLUSTER_PROCESS"

#: All that the processes get of the caller's environment: etcd takes settings from ETCD_* variables, and all of them
#: would send requests through a proxy that the user has set for other things.
INHERITED = ("PATH", "HOME", "TMPDIR", "TZ", "LANG", "PYTHONPATH")

#: Children of this very process, by process id: kept so that they can be reaped when they end before we do.
_children: dict[int, subprocess.Popen[bytes]] = {}
#: Folder and name that each of them was started with.
_started: dict[int, tuple[str, str]] = {}


@dataclass(frozen=True)
class ProcessSpec:
    """A process to run: its name, its command line, where its output goes, and variables over the inherited ones."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)


def spawn(spec: ProcessSpec, *, folder: Path) -> int:
    """Start a process in a session of its own, so that neither Ctrl-C nor the end of the caller ends it.

    The log begins anew; the one before is kept as `NAME.log.1`. Returns the process id.
    """
    if spec.log.exists():
        spec.log.replace(spec.log.with_name(f"{spec.log.name}.1"))
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    with spec.log.open("wb") as log:
        child = subprocess.Popen(
            spec.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**inherited, **spec.environment, MARK_FOLDER: str(folder), MARK_PROCESS: spec.name},
            start_new_session=True,
        )
    _children[child.pid] = child
    _started[child.pid] = (str(folder), spec.name)
    return child.pid


def find(pid: int, *, folder: Path, name: str) -> psutil.Process | None:
    """Return the running process `pid` if it is the process `name` of the cluster in `folder`, else None."""
    child = _children.get(pid)
    if child and child.poll() is not None:
        del _children[pid]
        return None
    try:
        process = psutil.Process(pid)
        if child:
            # Our own child needs no mark. Nor has it one yet, for a moment: Popen returns when the program is loaded,
            # which is just before its environment can be read.
            return process if _started[pid] == (str(folder), name) else None
        marks = process.environ()
    except psutil.Error:  # gone, a zombie, or another user's: in no case ours
        return None
    ours = marks.get(MARK_FOLDER) == str(folder) and marks.get(MARK_PROCESS) == name and _is_itself(pid)
    return process if ours and process.is_running() else None


def find_all(*, folder: Path) -> list[tuple[str, psutil.Process]]:
    """Look through all processes of this user for those of the cluster in `folder`; return name and process of each.

    Finds what a state file does not know: a command may be killed between starting a process and noting it.
    """
    found: list[tuple[str, psutil.Process]] = []
    for pid in psutil.pids():
        try:
            name = psutil.Process(pid).environ().get(MARK_PROCESS)
        except psutil.Error:
            continue
        if name and (process := find(pid, folder=folder, name=name)):
            found.append((name, process))
    return found


def find_children(*, folder: Path) -> list[psutil.Process]:
    """Return what processes of the cluster in `folder` have started and what may outlive them, such as shims."""
    found: list[psutil.Process] = []
    for pid in psutil.pids():
        try:
            process = psutil.Process(pid)
            if process.environ().get(MARK_FOLDER) == str(folder) and not _is_itself(pid):
                found.append(process)
        except psutil.Error:
            continue
    return found


def _is_itself(pid: int) -> bool:
    """Tell a process that we started from those that it starts: they inherit the mark, but lead no session."""
    try:
        return os.getsid(pid) == pid
    except ProcessLookupError:
        return False


def stop(processes: Iterable[psutil.Process], *, patience: float) -> None:
    """End processes: SIGTERM, then SIGKILL for what is there after `patience` seconds. Returns when all are gone."""
    remaining = list(processes)
    for process in remaining:
        _signal(process, kill=False)
    deadline = time.monotonic() + patience
    while remaining and time.monotonic() < deadline:
        time.sleep(0.01)
        remaining = [process for process in remaining if not _gone(process)]
    for process in remaining:
        _signal(process, kill=True)
    while remaining:
        time.sleep(0.005)
        remaining = [process for process in remaining if not _gone(process)]


def tail(log: Path, *, lines: int = 12) -> str:
    """Return the last lines of a log, or a word that there are none."""
    try:
        content = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        content = []
    return "\n".join(line[:500] for line in content[-lines:]) or "(the log is empty)"


def _signal(process: psutil.Process, *, kill: bool) -> None:
    try:
        if kill:
            process.kill()
        else:
            process.terminate()
    except psutil.NoSuchProcess:
        pass  # it went by itself


def _gone(process: psutil.Process) -> bool:
    if (child := _children.get(process.pid)) is not None:
        if child.poll() is None:
            return False
        del _children[process.pid]
        return True
    try:
        # A zombie has ended; taking it off the list is its parent's business.
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
