"""What our own Python costs over the bare import of the SDK modules that it uses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from qhub.automation import Engine
from tests.bench.measuring import Figure, Sample, figure, paired, sample

#: The words in the names of the templates, `tests/assets/config_<word>.yaml`.
TEMPLATES = ("aws", "gcp", "do", "azure")


def template(root: Path, cloud: str) -> Path:
    """Return the file of a cloud's template."""
    return root / "tests" / "assets" / f"config_{cloud}.yaml"


def evaluation_figures(engine: Engine, file: Path, *, name: str, goal: float) -> dict[str, Figure]:
    """Measure one evaluation of our program over the bare import of the SDK modules that it uses."""
    root = engine.root

    def run(*words: str) -> Sample:
        return sample([sys.executable, *words], cwd=root, environment=engine.environment)

    program = ("-m", "tests.bench.evaluate", str(file))
    modules = _sdk_modules(engine, program)
    bare = "import importlib\nfor name in " + repr(modules) + ":\n    importlib.import_module(name)\n"
    seconds, memory = paired(lambda: run(*program), lambda: run("-c", bare))
    return {
        f"evaluation of {name} over bare SDK imports": figure(seconds, goal),
        # 1.5 everywhere: the part of our own stays the same, whatever the SDK.
        f"evaluation of {name} over bare SDK imports, peak memory": figure(memory, 1.5),
    }


def cloud_figures(engine: Engine, cloud: str) -> dict[str, Figure]:
    """Measure the evaluation of a cloud's template over the bare import of what it uses of the cloud's SDK."""
    # 1.3: a cloud's SDK is larger, so that our share of the whole has to be smaller.
    return evaluation_figures(engine, template(engine.root, cloud), name=cloud, goal=1.3)


def _sdk_modules(engine: Engine, program: tuple[str, ...]) -> list[str]:
    command = [sys.executable, *program, "--list-sdk-modules"]
    done = subprocess.run(
        command, cwd=engine.root, env=dict(engine.environment), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout)
