"""A stack that a test drives with the real `pulumi` command."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from qhub.rehearsal.toolchain import tool_path


@dataclass
class Stack:
    """One project folder with one stack.

    Args:
        name: project, stack and namespace.
        folder: made here.
        program: the Python program.
        engine: environment of `pulumi`.
        kubeconfig: the cluster's.
        context: its context.
    """

    name: str
    folder: Path
    program: Path
    engine: dict[str, str]
    kubeconfig: Path
    context: str

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        (self.folder / "Pulumi.yaml").write_text(f"name: {self.name}\nruntime: python\n")
        shutil.copy(self.program, self.folder / "__main__.py")
        self.pulumi("stack", "init", self.name)
        self.config(namespace=self.name, kubeconfig=str(self.kubeconfig), context=self.context)

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

    def secret(self, key: str, value: str) -> None:
        """Set a secret configuration value."""
        self.pulumi("config", "set", "--secret", key, "--", value)

    def up(self, *args: str, fails: bool = False) -> str:
        """Run `pulumi up` without a preview."""
        return self.pulumi("up", "--yes", "--skip-preview", "--diff", *args, fails=fails)

    def preview(self, *args: str, fails: bool = False) -> str:
        """Run `pulumi preview`."""
        return self.pulumi("preview", "--diff", *args, fails=fails)

    def refresh(self, *args: str, fails: bool = False) -> str:
        """Run `pulumi refresh`."""
        return self.pulumi("refresh", "--yes", "--skip-preview", "--diff", *args, fails=fails)

    def destroy(self, *args: str) -> str:
        """Run `pulumi destroy`."""
        return self.pulumi("destroy", "--yes", "--skip-preview", *args)

    # -- what there is -------------------------------------------------------------------------------------------------

    def steps(self) -> dict[str, str]:
        """Return what an update would do: logical name -> operation, without what stays the same."""
        answer = json.loads(self.pulumi("preview", "--json"))
        found = {step["urn"].split("::")[-1]: step["op"] for step in answer["steps"]}
        return {name: operation for name, operation in found.items() if operation != "same"}

    def state_text(self) -> str:
        """Return the state as it lies in the backend."""
        return self.pulumi("stack", "export")

    def resource(self, name: str) -> dict[str, Any]:
        """Return a resource's entry in the state, secrets in clear."""
        exported = json.loads(self.pulumi("stack", "export", "--show-secrets"))
        found = [one for one in exported["deployment"].get("resources", []) if one["urn"].endswith(f"::{name}")]
        assert len(found) == 1, f"{len(found)} resources named {name}"
        return found[0]

    def kubectl(self, *args: str, fails: bool = False) -> str:
        """Run `kubectl` in the stack's namespace."""
        command = [str(tool_path("kubectl")), f"--kubeconfig={self.kubeconfig}", f"--namespace={self.name}", *args]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def get(self, *args: str) -> dict[str, Any]:
        """Return one object of the cluster."""
        return json.loads(self.kubectl("get", *args, "--output=json"))

    def helm(self, *args: str) -> str:
        """Run `helm` in the stack's namespace."""
        command = [str(tool_path("helm")), f"--kubeconfig={self.kubeconfig}", f"--namespace={self.name}", *args]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def wait_until(self, happened: Callable[[], bool], *, seconds: float = 60) -> None:
        """Wait for something that another process does."""
        deadline = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.1)

    def clean_up(self) -> None:
        """Remove what is left, however the test ended."""
        command = [str(tool_path("kubectl")), f"--kubeconfig={self.kubeconfig}", "delete", "namespace", self.name]
        subprocess.run([*command, "--ignore-not-found", "--wait=false"], capture_output=True, check=False)
