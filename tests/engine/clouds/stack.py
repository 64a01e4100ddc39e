"""A stack on a simulated cloud that a test drives with the real `pulumi` command."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from qhub.rehearsal.clouds.world import World


@dataclass
class CloudStack:
    """One project folder with one stack and a world of its own.

    Args:
        name: project and stack.
        folder: made here.
        program: the Python program.
        engine: environment of `pulumi`.
        world: the simulated clouds.
    """

    name: str
    folder: Path
    program: Path
    engine: dict[str, str]
    world: World

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        (self.folder / "Pulumi.yaml").write_text(f"name: {self.name}\nruntime: python\n")
        shutil.copy(self.program, self.folder / "__main__.py")
        self.pulumi("stack", "init", self.name)

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

    def resources(self, **resources: Any) -> None:
        """Set the resources of the program, in their order: logical name -> [token, inputs]."""
        file = self.folder / f"Pulumi.{self.name}.yaml"
        yaml = YAML()
        document = yaml.load(file) or {}
        document.setdefault("config", {})[f"{self.name}:resources"] = [
            [name, *resource] for name, resource in resources.items()
        ]
        yaml.dump(document, file)

    def up(self, *args: str, fails: bool = False) -> str:
        """Run `pulumi up` without a preview."""
        return self.pulumi("up", "--yes", "--skip-preview", "--diff", *args, fails=fails)

    def destroy(self, *, fails: bool = False) -> str:
        """Run `pulumi destroy`."""
        return self.pulumi("destroy", "--yes", "--skip-preview", fails=fails)

    def steps(self) -> dict[str, str]:
        """Return what an update would do: logical name -> operation, without what stays the same."""
        answer = json.loads(self.pulumi("preview", "--json"))
        found = {step["urn"].split("::")[-1]: step["op"] for step in answer["steps"]}
        return {name: operation for name, operation in found.items() if operation != "same"}

    def outputs(self) -> dict[str, Any]:
        """Return the outputs of the stack, secrets in clear."""
        return json.loads(self.pulumi("stack", "output", "--json", "--show-secrets"))
