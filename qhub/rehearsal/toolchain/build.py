"""Build missing tools from source into the cache, each tool complete or not at all.

Their modules name the same versions of what they have in common, which a test holds them to: Go compiles that once, and
has it in its cache for the others.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from qhub.rehearsal.toolchain import golang
from qhub.rehearsal.toolchain.errors import ToolchainError
from qhub.rehearsal.toolchain.estimate import Estimate, spell_roughly, spell_seconds
from qhub.rehearsal.toolchain.folders import BUILD_FLAGS, Platform, built_dir, linker_flags
from qhub.rehearsal.toolchain.golang import Go
from qhub.rehearsal.toolchain.modules import Module, read_module
from qhub.rehearsal.toolchain.processes import end_builds
from qhub.rehearsal.toolchain.progress import Progress
from qhub.rehearsal.toolchain.table import REFERENCE_CORES, Tool

#: While one module links or downloads, which leaves processors idle, another compiles. More than two gain nothing: Go
#: fills the processors by itself.
SIDE_BY_SIDE = 2
#: The module with most of what the others share, Go's own library first of all. It is built first and alone: begun
#: together, each would compile that for itself.
FIRST = "kubernetes"
#: Below this much memory only one at a time: linking `pulumi` takes 1.8 GB, and each `go build` may link several.
MEMORY_FOR_TWO = 8e9
#: Past this many, more cores no longer shorten a build in proportion: long chains of packages wait for each other.
USEFUL_CORES = 8
#: How often running builds are looked at.
POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Job:
    """The missing tools of one Go module, built by one `go build`: they share most of their packages."""

    module: Module
    tools: tuple[Tool, ...]

    @property
    def names(self) -> str:
        """The tools' names, for people."""
        return ", ".join(tool.name for tool in self.tools)

    @property
    def cold_seconds(self) -> int:
        """Expected time with cold caches on the reference machine."""
        return sum(tool.cold_seconds for tool in self.tools)


@dataclass(kw_only=True)
class Running:
    """A job under way: its process, its folder of work and when it was started."""

    job: Job
    process: subprocess.Popen[bytes]
    work: Path
    log: Path
    since: float


def plan(missing: Sequence[Tool], *, modules_dir: Path) -> list[Job]:
    """Return one job for each module, after `FIRST` the longest first: started last, it would be waited for alone.

    Raises:
        ToolchainError: a module is not there.
    """
    by_module: dict[str, list[Tool]] = {}
    for tool in missing:
        by_module.setdefault(tool.module, []).append(tool)
    jobs = [
        Job(module=read_module(name, modules_dir=modules_dir), tools=tuple(tools)) for name, tools in by_module.items()
    ]
    return sorted(jobs, key=lambda job: (job.module.name != FIRST, -job.cold_seconds))


def estimate(jobs: Sequence[Job]) -> Estimate:
    """Return the estimate for these jobs on this machine, cold."""
    cores = min(os.cpu_count() or REFERENCE_CORES, USEFUL_CORES)
    return Estimate({job.module.name: job.cold_seconds for job in jobs}, speed=cores / REFERENCE_CORES)


class Builder:
    """Runs jobs. The build lock must be held, because the folders of work are fixed.

    Args:
        go: the compiler.
        root: the cache folder of this package.
        progress: where it is told.
    """

    def __init__(self, go: Go, *, root: Path, progress: Progress) -> None:
        self._go = go
        self._root = root
        self._progress = progress

    def run(self, jobs: Sequence[Job]) -> None:
        """Build everything.

        Raises:
            ToolchainError: a build failed; the others are stopped, and what they compiled is kept by Go.
        """
        shutil.rmtree(self._root / "work", ignore_errors=True)  # of a build that was killed
        waiting = list(jobs)
        running: list[Running] = []
        left = estimate(jobs)
        at_once = SIDE_BY_SIDE if psutil.virtual_memory().total >= MEMORY_FOR_TWO else 1
        count, total = 0, sum(len(job.tools) for job in jobs)
        try:
            while waiting or running:
                while waiting and len(running) < at_once and not _is_first(running):
                    running.append(self._start(waiting.pop(0)))
                before = time.monotonic()
                time.sleep(POLL_SECONDS)
                left.spend(time.monotonic() - before, on=[each.job.module.name for each in running])
                for each in [each for each in running if each.process.poll() is not None]:
                    running.remove(each)
                    self._finish(each)
                    left.finish(each.job.module.name)
                    count += len(each.job.tools)
                    self._tell_done(each, count=count, total=total)
                if running:
                    self._progress.state(_state(running, count=count, total=total, left=left))
        finally:
            end_builds(self._root)
            for each in running:
                each.process.kill()
                each.process.wait()
            shutil.rmtree(self._root / "work", ignore_errors=True)

    def _start(self, job: Job) -> Running:
        work = self._root / "work" / job.module.name
        log = self._root / "logs" / f"{job.module.name}.log"
        out = work / "out"
        temporary = work / "tmp"
        out.mkdir(parents=True)
        temporary.mkdir()
        log.parent.mkdir(exist_ok=True)
        # A copy, so that nothing that Go does can change the checkout.
        (work / "go.mod").write_bytes(job.module.go_mod)
        (work / "go.sum").write_bytes(job.module.go_sum)
        for name, source in job.module.sources.items():
            (work / name).write_bytes(source)
        first = job.tools[0]
        flags = (*BUILD_FLAGS, "-ldflags", linker_flags(first, version=job.module.version_of(first)))
        process = self._go.build(
            [tool.package for tool in job.tools],
            flags=flags,
            # Go names an executable after the last part of its package; for a single one we say the name.
            output=out / first.name if len(job.tools) == 1 else out,
            folder=work,
            temporary=temporary,
            log=log,
            root=self._root,
        )
        return Running(job=job, process=process, work=work, log=log, since=time.monotonic())

    def _finish(self, done: Running) -> None:
        """Move what was built to its place, or raise the error that says why nothing was."""
        if returncode := done.process.wait():
            raise ToolchainError(golang.failure(done.log, names=done.job.names, returncode=returncode))
        for tool in done.job.tools:
            self._install(tool, done)

    def _install(self, tool: Tool, done: Running) -> None:
        """Put a tool and its scripts into a folder, and that folder in its place by one rename."""
        folder = done.work / "ready" / tool.name
        folder.mkdir(parents=True)
        (done.work / "out" / tool.name).rename(folder / tool.name)
        if tool.scripts:
            source = self._go.module_dir(tool.requires, folder=done.work)
            for script in tool.scripts:
                copy = folder / Path(script).name
                first, *rest = (source / script).read_text().splitlines(keepends=True)
                copy.write_text("".join((first, f"{tool.prelude}\n", *rest)))
                copy.chmod(0o755)
        place = built_dir(tool, done.job.module, root=self._root, target=Platform.here())
        place.parent.mkdir(exist_ok=True)
        shutil.rmtree(place, ignore_errors=True)  # damaged by hand, or it would not be built again
        folder.rename(place)

    def _tell_done(self, done: Running, *, count: int, total: int) -> None:
        took = spell_seconds(time.monotonic() - done.since)
        first = done.job.tools[0]
        version = done.job.module.version_of(first)
        self._progress.say(f"  built {done.job.names} {version} in {took} ({count} of {total})")


def _is_first(running: Sequence[Running]) -> bool:
    return any(each.job.module.name == FIRST for each in running)


def _state(running: Sequence[Running], *, count: int, total: int, left: Estimate) -> str:
    names = " and ".join(each.job.names for each in running)
    return f"{spell_roughly(left.remaining())} left, {count} of {total} tools built; building {names}"
