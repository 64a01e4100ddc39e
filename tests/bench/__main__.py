"""Measure, print, and write `build/bench.json`: name -> value, goal, holds."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from qhub.automation import Engine, lifecycle, prepare
from qhub.rehearsal import paths
from qhub.rehearsal.cluster import EmbeddedCluster

#: Counted runs of each command, after one that is not counted. Five give a median that one slow run cannot move.
RUNS = 5
EMPTY_PROJECT = "name: empty\nruntime: python\n"


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


def engine_figures(engine: Engine, *, folder: Path) -> dict[str, Figure]:
    """Measure no-change `pulumi preview` and `pulumi up` of the stack over those of an empty Python program."""
    (folder / "Pulumi.yaml").write_text(EMPTY_PROJECT)
    (folder / "__main__.py").write_text("")
    empty = Engine(pulumi=engine.pulumi, root=folder, stack="empty", environment=engine.environment)
    empty.select()
    empty.ask("up", "--yes", "--skip-preview")
    engine.ask("up", "--yes", "--skip-preview")
    figures: dict[str, Figure] = {}
    for name, words in {"preview": ("preview",), "up": ("up", "--yes")}.items():
        check = ("--expect-no-changes", "--non-interactive")

        def run(which: Engine, words: tuple[str, ...] = words, check: tuple[str, ...] = check) -> Sample:
            command = [str(which.pulumi), *words, *check, "--stack", which.stack]
            return sample(command, cwd=which.root, environment=which.environment)

        seconds, memory = paired(lambda: run(engine), lambda: run(empty))
        # 3: the goal of the project, most of `pulumi` being process starts that both have.
        figures[f"no-change {name} over an empty program"] = figure(seconds, 3)
        figures[f"no-change {name} over an empty program, peak memory"] = figure(memory, 3)
    empty.ask("stack", "rm", "--yes")
    return figures


def evaluation_figures(engine: Engine, file: Path, *, name: str, goal: float) -> dict[str, Figure]:
    """Measure one evaluation of our program over the bare import of the SDK modules that it uses."""
    root = engine.root

    def run(*words: str) -> Sample:
        return sample([sys.executable, *words], cwd=root, environment=engine.environment)

    program = ("-m", "tests.bench.evaluate", str(file))
    modules = json.loads(
        subprocess.run(
            [sys.executable, *program, "--list-sdk-modules"],
            cwd=root, env=dict(engine.environment), check=True, capture_output=True, text=True,
        ).stdout
    )  # fmt: skip
    bare = "import importlib\nfor name in " + repr(modules) + ":\n    importlib.import_module(name)\n"
    seconds, memory = paired(lambda: run(*program), lambda: run("-c", bare))
    return {
        f"evaluation of {name} over bare SDK imports": figure(seconds, goal),
        f"evaluation of {name} over bare SDK imports, peak memory": figure(memory, goal),
    }


def cloud_figures(engine: Engine) -> dict[str, Figure]:
    """Measure the evaluation of each cloud's template over the bare import of what it uses of the cloud's SDK."""
    figures: dict[str, Figure] = {}
    for cloud in ("aws", "gcp", "do", "azure"):
        file = engine.root / "tests" / "assets" / f"config_{cloud}.yaml"
        # 1.3: a cloud's SDK is larger, so that our share of the whole has to be smaller.
        figures |= evaluation_figures(engine, file, name=cloud, goal=1.3)
    return figures


def control_plane_figures(folder: Path) -> dict[str, Figure]:
    """Measure the start of a new control plane, until its nodes are ready, and a start when it already runs."""
    cluster = EmbeddedCluster("bench", folder)
    try:
        begun = time.perf_counter()
        cluster.start()
        first = time.perf_counter() - begun
        begun = time.perf_counter()
        cluster.start()
        again = time.perf_counter() - begun
    finally:
        cluster.delete()
    return {
        "control plane start, seconds": figure(first),
        # 0.1: a second `make up` must not notice that there is a cluster to start.
        "control plane already running over its start": figure(again / first, 0.1),
    }


def report(figures: Mapping[str, Figure], *, root: Path, console: Console) -> None:
    """Print the figures and write them to `build/bench.json`."""
    for name, line in figures.items():
        goal = "" if line.goal is None else f"goal {line.goal:g}: {'holds' if line.holds else 'MISSED'}"
        console.print(f"{name:<62} {line.value:>8.2f}  {goal}", highlight=False, soft_wrap=True)
    target = root / "build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps({name: asdict(line) for name, line in figures.items()}, indent=2) + "\n")
    console.print(f"written to {target.relative_to(root)}")


def main() -> int:
    """Run every benchmark on the local stack, bringing it up first; return 1 when a goal is missed."""
    console = Console()
    root = paths.project_root()
    lifecycle.up("local", console=console)
    engine = prepare("local", console=console).engine
    with tempfile.TemporaryDirectory() as folder:
        figures = {
            **engine_figures(engine, folder=Path(folder)),
            # 1.5: imports are what a Pulumi program costs; ours may add half of that at most.
            **evaluation_figures(engine, root / "Pulumi.local.yaml", name="the local stack", goal=1.5),
            **cloud_figures(engine),
            **control_plane_figures(Path(folder) / "cluster"),
        }
    report(figures, root=root, console=console)
    return 0 if all(line.holds for line in figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
