"""A stack that a test drives with the real `pulumi` command, and the environment that the command gets."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from qhub.rehearsal.plugins.install import engine_environment
from qhub.rehearsal.toolchain import tool_path


def environment_of_engine(root: Path, *, without: Sequence[str], path: Sequence[Path] = ()) -> dict[str, str]:
    """Return the environment of the real engine with a file backend of its own.

    Args:
        root: a folder of the test's; the engine's home is `home` in it.
        without: first letters of the variables of this machine that would change what is tested.
        path: folders behind ours on PATH, before the machine's.
    """
    (root / "state").mkdir()
    folders = [Path(sys.executable).parent, *(tool_path(name).parent for name in ("pulumi", "pulumi-language-python"))]
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", *without))},
        **engine_environment(pulumi_home=root / "home"),
        "PATH": os.pathsep.join([*map(str, folders), *map(str, path), os.environ["PATH"]]),
        "PULUMI_BACKEND_URL": f"file://{root / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "a test's passphrase",
    }


@dataclass
class PulumiStack:
    """One project folder with one stack.

    Args:
        name: project and stack.
        folder: made here.
        program: the Python program.
        engine: environment of `pulumi`.
    """

    name: str
    folder: Path
    program: Path
    engine: dict[str, str]

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        (self.folder / "Pulumi.yaml").write_text(f"name: {self.name}\nruntime: python\n")
        shutil.copy(self.program, self.folder / "__main__.py")
        self.pulumi("stack", "init", self.name)

    # -- the command ---------------------------------------------------------------------------------------------------

    def start(self, *args: str) -> subprocess.Popen[str]:
        """Start `pulumi ARGS` and return the process; both outputs are in `stdout`."""
        return subprocess.Popen(
            ["pulumi", "--non-interactive", "--color=never", *args],
            cwd=self.folder,
            env=self.engine,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def pulumi(self, *args: str, fails: bool = False) -> str:
        """Run `pulumi ARGS`, assert that it succeeds (or `fails`), and return what it says."""
        process = self.start(*args)
        said = process.communicate()[0]
        assert (process.returncode != 0) == fails, said
        return said

    def config(self, **values: Any) -> None:
        """Set configuration of any type; `None` removes."""
        file = self.folder / f"Pulumi.{self.name}.yaml"
        yaml = YAML()
        document = yaml.load(file) or {}
        settings = document.setdefault("config", {})
        for key, value in values.items():
            if value is None:
                settings.pop(f"{self.name}:{key}", None)
            else:
                settings[f"{self.name}:{key}"] = value
        yaml.dump(document, file)

    def up(self, *args: str, fails: bool = False) -> str:
        """Run `pulumi up` without a preview."""
        return self.pulumi("up", "--yes", "--skip-preview", "--diff", *args, fails=fails)

    def destroy(self, *args: str, fails: bool = False) -> str:
        """Run `pulumi destroy` without a preview."""
        return self.pulumi("destroy", "--yes", "--skip-preview", *args, fails=fails)

    # -- what there is -------------------------------------------------------------------------------------------------

    def steps(self) -> dict[str, str]:
        """Return what an update would do: logical name -> operation, without what stays the same."""
        answer = json.loads(self.pulumi("preview", "--json"))
        found = {step["urn"].split("::")[-1]: step["op"] for step in answer["steps"]}
        return {name: operation for name, operation in found.items() if operation != "same"}

    def outputs(self) -> dict[str, Any]:
        """Return the outputs of the stack, secrets in clear."""
        return json.loads(self.pulumi("stack", "output", "--json", "--show-secrets"))
