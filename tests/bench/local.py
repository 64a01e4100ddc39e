"""The local stack: what the engine takes for it when nothing changes, and the start of its control plane."""

from __future__ import annotations

import time
from pathlib import Path

from qhub.automation import Engine
from qhub.rehearsal.cluster import EmbeddedCluster
from tests.bench.measuring import Figure, Sample, figure, paired, sample

EMPTY_PROJECT = "name: empty\nruntime: python\n"


def engine_figures(engine: Engine, *, folder: Path) -> dict[str, Figure]:
    """Measure no-change `pulumi preview` and `pulumi up` of the stack over those of an empty Python program."""
    folder.mkdir()
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
