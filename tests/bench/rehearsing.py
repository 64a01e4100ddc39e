"""A full rehearsal of the prod stack over a bare run of the engine with as many resources that do nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from qhub.automation import Engine
from qhub.rehearsal.report import from_json
from qhub.rehearsal.report.recording import Rehearsal
from tests.bench.measuring import Figure, figure

#: On AWS.
STACK = "prod"
PROJECT = "name: no-op\nruntime: python\n"
#: One random byte: a resource that goes through a plugin, as all of ours do, and costs it nothing.
PROGRAM = """\
import pulumi_random

for number in range({resources}):
    pulumi_random.RandomBytes(f"no-op-{{number}}", length=1)
"""


def rehearsal_figures(engine: Engine, *, folder: Path) -> dict[str, Figure]:
    """Measure `qhub rehearse prod` over `pulumi up` and `pulumi destroy` of no-op resources, in real seconds.

    A rehearsal runs the engine four times, starts a control plane, and waits for the clouds: no goal, but a figure to
    watch.

    Raises:
        RuntimeError: the rehearsal did not pass; with what it told.
    """
    recording, seconds = rehearse(engine.root, folder=folder)
    resources = sum(recording.resources.values())
    bare = bare_run(engine, folder=folder / "no-op", resources=resources)
    return {
        f"rehearsal of {STACK} over a bare engine run, {resources} resources": figure(seconds / bare),
        f"rehearsal of {STACK}, seconds": figure(seconds),
    }


def rehearse(root: Path, *, folder: Path) -> tuple[Rehearsal, float]:
    """Rehearse the stack with the command; return its recording and the real seconds that it took."""
    folder.mkdir()
    command = [Path(sys.executable).parent / "qhub", "rehearse", STACK, "--json", "--output", folder / "page.html"]
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=root, env=dict(os.environ), capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode != 0:
        raise RuntimeError(f"the rehearsal of {STACK} did not pass:\n{done.stderr}")
    return from_json(json.loads(done.stdout)), seconds


def bare_run(engine: Engine, *, folder: Path, resources: int) -> float:
    """Create and destroy as many no-op resources with the same engine; return the real seconds that it took."""
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(PROJECT)
    (folder / "__main__.py").write_text(PROGRAM.format(resources=resources))
    bare = Engine(pulumi=engine.pulumi, root=folder, stack="no-op", environment=engine.environment)
    bare.select()
    begun = time.perf_counter()
    bare.ask("up", "--yes", "--skip-preview")
    bare.ask("destroy", "--yes", "--skip-preview")
    seconds = time.perf_counter() - begun
    bare.ask("stack", "rm", "--yes")
    return seconds
