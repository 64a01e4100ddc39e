"""Have every tool that is asked for: find it, or build it once."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.console import Console

from qhub.rehearsal.toolchain.build import Builder, Job, estimate, plan
from qhub.rehearsal.toolchain.errors import ToolchainError
from qhub.rehearsal.toolchain.estimate import spell_roughly, spell_seconds
from qhub.rehearsal.toolchain.folders import toolchain_dir
from qhub.rehearsal.toolchain.golang import Go
from qhub.rehearsal.toolchain.locate import Found, Toolchain, ToolUse, check_names, find
from qhub.rehearsal.toolchain.lock import BuildLock
from qhub.rehearsal.toolchain.modules import MODULES_DIR
from qhub.rehearsal.toolchain.progress import Lines, Progress, tell
from qhub.rehearsal.toolchain.table import TOOLS, Tool


def ensure_tools(
    names: Iterable[str] | None = None, *, console: Console | Lines, modules_dir: Path = MODULES_DIR
) -> Toolchain:
    """Return the tools, building those that are neither on PATH nor in the cache.

    With nothing to build it is silent, but for tools on PATH that are passed over, and takes no lock.

    Args:
        names: names from `TOOLS`; default: all.
        console: where progress is told, or the lines of it that are shared with other work.
        modules_dir: `toolchain/` of the checkout.

    Raises:
        ToolchainError: no Go, or a build failed. What was built until then is kept.
    """
    tools = check_names(names)
    found = find(tools, modules_dir=modules_dir)
    for note in found.notes:
        tell(console.console if isinstance(console, Lines) else console, f"Note: {note}")
    if found.missing:
        found = _build_missing(tools, found, console=console, modules_dir=modules_dir)
    _put_host_beside_engine(found.uses)
    return Toolchain((found.uses[tool.name] for tool in tools), notes=found.notes)


def _build_missing(tools: list[Tool], found: Found, *, console: Console | Lines, modules_dir: Path) -> Found:
    go = _find_go(plan(found.missing, modules_dir=modules_dir))
    root = toolchain_dir()
    lock = BuildLock(root)
    with ending_by_signal(), Progress(console) as progress, lock.held(waiting=waiting_for_lock(progress)):
        found = find(tools, modules_dir=modules_dir)  # another process may have built them meanwhile
        if found.missing:
            jobs = plan(found.missing, modules_dir=modules_dir)
            progress.say(_announce(found.missing, jobs, go=go, root=root))
            Builder(go, root=root, progress=progress).run(jobs)
            found = find(tools, modules_dir=modules_dir)
            progress.say(f"Toolchain ready after {spell_seconds(progress.elapsed)}")
    if found.missing:
        raise ToolchainError(f"built, and yet not found in {root}: {', '.join(tool.name for tool in found.missing)}")
    return found


def _put_host_beside_engine(uses: Mapping[str, ToolUse]) -> None:
    """Link the built language host and its script into the folder of the built engine.

    There the engine takes it for the one that it was released with; anywhere else on PATH it warns of it in every run.
    """
    engine, host = uses.get("pulumi"), uses.get("pulumi-language-python")
    if not (engine and host and engine.origin == host.origin == "built"):
        return
    scripts = (Path(script).name for script in TOOLS[host.name].scripts)
    for name in (host.name, *scripts):
        link, target = engine.path.with_name(name), os.path.relpath(host.path.with_name(name), engine.path.parent)
        if not (link.is_symlink() and str(link.readlink()) == target):  # a folder is shared by checkouts
            temporary = link.with_name(f"{name}.{os.getpid()}")
            temporary.symlink_to(target)
            temporary.replace(link)


def _find_go(jobs: list[Job]) -> Go:
    needed = max(job.module.needs_go() for job in jobs)
    return Go.find(needed=needed, missing=[tool.name for job in jobs for tool in job.tools])


def _announce(missing: list[Tool], jobs: list[Job], *, go: Go, root: Path) -> str:
    names = ", ".join(tool.name for tool in missing)
    time = spell_roughly(estimate(jobs).remaining())
    return (
        f"Building what is not on this machine: {names}\n"
        f"  from source with {go.version}, once, into {root}: {time} when Go's caches are empty; "
        "an interrupted build goes on where it stopped"
    )


def waiting_for_lock(progress: Progress) -> Callable[[str], None]:
    """Return what `BuildLock.held` calls while another build is running: it tells so."""
    return _Waiting(progress)


class _Waiting:
    """Says once that another build is running, then shows how long it has been waited for."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._said = False

    def __call__(self, holder: str) -> None:
        line = f"Another QHub build is running (process {holder}), waiting for it"
        if not self._said and holder != "?":  # it is just starting, and tells its number in a moment
            self._progress.say(line)
            self._said = True
        self._progress.state(line)


@contextmanager
def ending_by_signal() -> Generator[None, None, None]:
    """Make SIGTERM and SIGHUP (a cancelled job, a closed terminal) end the compilers too, as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python lets only the main thread set handlers; the next build ends what is left over
        return

    def end(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(frozen=True, kw_only=True)
class Removed:
    """What `remove_cache` removed: a folder that held `size` bytes."""

    path: Path
    size: int

    def __str__(self) -> str:
        if not self.size:
            return f"No built tools in {self.path}"
        return f"Removed the built tools in {self.path} ({self.size / 1e6:,.0f} MB)"


def remove_cache() -> Removed:
    """Remove every built tool. Go's own caches are the user's and stay.

    Raises:
        ToolchainError: another process is building into the cache.
    """
    root = toolchain_dir()
    if not root.exists():
        return Removed(path=root, size=0)
    lock = BuildLock(root)
    with lock.held_now() as held:
        if not held:
            raise ToolchainError(
                f"process {lock.holder()} is building into {root}: wait for it or end it, then try again"
            )
        size = sum(file.stat().st_size for file in root.rglob("*") if file.is_file())
        for entry in root.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name not in {"build.lock", "build.json"}:
                entry.unlink()
        lock.remove_file()
    with suppress(OSError):  # another build began at this very moment
        root.rmdir()
    return Removed(path=root, size=size)
