"""Measure, print, and write `build/bench.json`: name -> value, goal, holds."""

from __future__ import annotations

import json
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

from rich.console import Console

from qhub.automation import Prepared, lifecycle, prepare
from qhub.rehearsal import paths
from tests.bench.evaluation import TEMPLATES, cloud_figures, evaluation_figures
from tests.bench.growth import growth_figures
from tests.bench.live import live_figures
from tests.bench.local import control_plane_figures, engine_figures
from tests.bench.measuring import Figure, NotMeasured
from tests.bench.nebari import validate_figures
from tests.bench.ready import ready_figures
from tests.bench.rehearsing import rehearsal_figures

#: The contract charts, from which the same software is started by hand.
CHARTS = "qhub/rehearsal/charts"

#: A benchmark: what it measures, and how.
Benchmark = tuple[str, Callable[[], Mapping[str, Figure]]]


def benchmarks(prepared: Prepared, *, folder: Path) -> Iterator[Benchmark]:
    """Yield every benchmark, in the order of the report."""
    engine = prepared.engine
    root = engine.root
    yield "the platform at work", partial(live_figures, prepared, charts=root / CHARTS)
    yield "the local stack, nothing changed", partial(engine_figures, engine, folder=folder / "empty")
    local = root / "Pulumi.local.yaml"
    # 1.5: imports are what a Pulumi program costs; ours may add half of that at most.
    yield "the local program", partial(evaluation_figures, engine, local, name="the local stack", goal=1.5)
    for cloud in TEMPLATES:
        yield f"the program on {cloud}", partial(cloud_figures, engine, cloud)
    yield "growth with the settings", growth_figures
    yield "validation beside Nebari's", partial(validate_figures, root, engine.environment, folder=folder)
    yield "the control plane", partial(control_plane_figures, folder / "cluster")
    for cloud in TEMPLATES:
        yield f"time to ready on {cloud}, simulated", partial(ready_figures, root, cloud)
    yield "a full rehearsal", partial(rehearsal_figures, engine, folder=folder / "rehearsal")


def measure(chosen: Iterator[Benchmark], *, console: Console) -> tuple[dict[str, Figure], list[str]]:
    """Run benchmarks one after the other and print each figure; return the figures and the names of what failed.

    One that fails costs its own figures alone; its traceback is printed where it happens.
    """
    figures: dict[str, Figure] = {}
    failed: list[str] = []
    for title, run in chosen:
        console.print(f"\n{title}", style="bold", highlight=False)
        try:
            measured = run()
        except NotMeasured as reason:
            console.print(f"NOT MEASURED: {reason}", style="bold yellow", markup=False, highlight=False, soft_wrap=True)
            continue
        except Exception:  # told here, and `make bench` ends with 1
            console.print(traceback.format_exc(), markup=False, highlight=False, soft_wrap=True)
            failed.append(title)
            continue
        for name, line in measured.items():
            console.print(told(name, line), markup=False, highlight=False, soft_wrap=True)
        figures |= measured
    return figures, failed


def told(name: str, line: Figure) -> str:
    """Return one line of the report."""
    goal = "" if line.goal is None else f"goal {line.goal:g}: {'holds' if line.holds else 'MISSED'}"
    return f"  {name:<62} {line.value:>8.2f}  {goal}".rstrip()


def write(figures: Mapping[str, Figure], *, root: Path) -> Path:
    """Write the figures to `build/bench.json`; return the file."""
    target = root / "build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps({name: asdict(line) for name, line in figures.items()}, indent=2) + "\n")
    return target


def main(wanted: str) -> int:
    """Run every benchmark, bringing the local stack up first; return 1 when a goal is missed or a benchmark failed.

    Args:
        wanted: only those with this in their title, for a closer look; "" for all.
    """
    console = Console()
    root = paths.project_root()
    lifecycle.up("local", console=console)
    prepared = prepare("local", console=console)
    with tempfile.TemporaryDirectory() as folder:
        chosen = (each for each in benchmarks(prepared, folder=Path(folder)) if wanted in each[0])
        figures, failed = measure(chosen, console=console)
    console.print(f"\nwritten to {write(figures, root=root).relative_to(root)}", highlight=False)
    missed = [name for name, line in figures.items() if not line.holds]
    for what, names in (("goal missed", missed), ("failed", failed)):
        for name in names:
            console.print(f"{what}: {name}", style="bold red", markup=False, highlight=False, soft_wrap=True)
    return 1 if missed or failed else 0


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
