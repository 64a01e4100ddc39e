"""Nebari from the Python registry in an environment of its own, to be measured beside ours."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.measuring import Figure, NotMeasured, Sample, figure, paired, sample

VERSION = "2025.10.1"
#: The least that Nebari takes for a cluster on this machine.
VALID = f"project_name: lab\nprovider: local\ndomain: hub.lab.org\nnamespace: dev\nnebari_version: {VERSION}\n"

#: Runs in Nebari's environment: its own command line on each text, in one process, since its imports take seconds.
_BATCH = """
import json, pathlib, sys, tempfile
from typer.testing import CliRunner
from _nebari.cli import create_cli
cli, found = create_cli(), []
for text in json.load(sys.stdin):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "nebari-config.yaml"
        file.write_text(text)
        done = CliRunner().invoke(cli, ["validate", "-c", str(file)])
        raised = "" if done.exception is None or isinstance(done.exception, SystemExit) else str(done.exception)
        found.append({"code": done.exit_code, "text": done.output + raised})
print("\\n" + json.dumps(found))
"""


def environment(root: Path) -> Path:
    """Return the folder of an environment with Nebari, made under `build/` where it is not there yet.

    Its own dependencies are those that pip finds today: Nebari pins the ones that it needs pinned.

    Raises:
        NotMeasured: it cannot be installed here.
    """
    folder = root / "build" / f"nebari-{VERSION}"
    if (folder / ".made").is_file():
        return folder
    commands = (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", f"nebari=={VERSION}"],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NotMeasured(f"Nebari {VERSION} cannot be installed here: {done.stderr.strip()[-400:]}")
    (folder / ".made").touch()
    return folder


def validate_figures(root: Path, variables: Mapping[str, str], *, folder: Path) -> dict[str, Figure]:
    """Measure `qhub validate` over `nebari validate`, each of a valid file for a cluster on this machine."""
    made = environment(root)
    theirs = folder / "nebari-config.yaml"
    theirs.write_text(VALID)

    def ours() -> Sample:
        command = [str(Path(sys.executable).with_name("qhub")), "validate", "local"]
        return sample(command, cwd=root, environment=variables)

    def peer() -> Sample:
        command = [str(made / "bin" / "nebari"), "validate", "-c", str(theirs)]
        return sample(command, cwd=folder, environment=variables)

    seconds, memory = paired(ours, peer)
    # The goals of the project: both are mostly imports, and ours are few.
    return {
        "qhub validate over nebari validate": figure(seconds, 0.2),
        "qhub validate over nebari validate, peak memory": figure(memory, 0.4),
    }


def told_by_nebari(root: Path, texts: Sequence[str]) -> list[str | None]:
    """Return what `nebari validate` says of each text of a configuration; None where it has nothing against it."""
    python = environment(root) / "bin" / "python"
    done = subprocess.run(
        [str(python), "-W", "ignore", "-c", _BATCH], input=json.dumps(texts), capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return [one["text"] if one["code"] else None for one in found]
