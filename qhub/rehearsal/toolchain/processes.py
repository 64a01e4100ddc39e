"""The builds that run for a cache folder, found by a mark in their environment and ended together."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import psutil

#: Variable in the environment of a build, and so of every compiler that it starts: the cache folder that it builds for.
#: A process id noted in a file would miss a build whose starter was killed before it could note it.
MARK = "QHUB_TOOLCHAIN_BUILD"
#: How long killed processes may take to go: the system ends them as soon as a write under way is done.
STOP_SECONDS = 5


def end_builds(root: Path) -> None:
    """Kill every build for `root`, and the compilers that it started; return when they are gone.

    They have nothing to save: Go writes its caches so that a file cut short is noticed, and their temporary files lie
    in a folder of work that is removed.
    """
    end = time.monotonic() + STOP_SECONDS
    # Again until none is left: one may start another while it is being ended.
    while (left := _builds(root)) and time.monotonic() < end:
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(0.02)


def _builds(root: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _mark(process) == str(root)]


def _mark(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):  # ended meanwhile, a zombie, or another user's: nothing to end
        return None
