"""Run a command and say what it took; a figure with its goal."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Counted runs of each command, after one that is not counted. Five give a median that one slow run cannot move.
RUNS = 5


class NotMeasured(Exception):
    """Something cannot be measured on this machine; no error of ours. The message says why."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the report.

    Attributes:
        value: the measured ratio, or seconds where the name says so.
        goal: the most it may be; None where there is no goal.
        holds: whether the value is within the goal.
    """

    value: float
    goal: float | None
    holds: bool


def figure(value: float, goal: float | None = None) -> Figure:
    """Return a figure rounded to what the measurement can bear."""
    return Figure(value=round(value, 2), goal=goal, holds=goal is None or value <= goal)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One run of a command: wall-clock seconds and the largest process of its tree in MiB."""

    seconds: float
    peak_mib: float


def sample(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> Sample:
    """Run the command once; raise with its output when it fails.

    As on a user's machine Python may keep what it compiles: pip has done so for the SDKs, and a shell that forbids it
    would have our own modules compiled anew in every run.
    """
    environment = {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile("w+") as output:
        begun = time.perf_counter()
        child = subprocess.Popen(command, cwd=cwd, env=environment, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            output.seek(0)
            raise RuntimeError(f"{' '.join(command)} failed:\n{output.read()}")
    # ru_maxrss is KiB on Linux. For the engine it covers its plugins and the program: they are its waited-for children.
    return Sample(seconds=seconds, peak_mib=usage.ru_maxrss / 1024)


def paired(first: Callable[[], Sample], second: Callable[[], Sample]) -> tuple[float, float]:
    """Run the two in turn and return the median ratios first/second of seconds and of peak memory.

    In turn, so that a machine that slows down slows both.
    """
    first(), second()
    pairs = [(first(), second()) for _ in range(RUNS)]
    return (
        statistics.median(a.seconds / b.seconds for a, b in pairs),
        statistics.median(a.peak_mib / b.peak_mib for a, b in pairs),
    )
