"""A stack on the session's cluster that a test drives with the real `pulumi` command."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qhub.rehearsal.toolchain import tool_path
from tests.engine.pulumi_stack import PulumiStack


@dataclass
class Stack(PulumiStack):
    """One project folder with one stack, which is a namespace too.

    Args:
        kubeconfig: the cluster's.
        context: its context.
    """

    kubeconfig: Path
    context: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self.config(namespace=self.name, kubeconfig=str(self.kubeconfig), context=self.context)

    def secret(self, key: str, value: str) -> None:
        """Set a secret configuration value."""
        self.pulumi("config", "set", "--secret", key, "--", value)

    def preview(self, *args: str, fails: bool = False) -> str:
        """Run `pulumi preview`."""
        return self.pulumi("preview", "--diff", *args, fails=fails)

    def refresh(self, *args: str, fails: bool = False) -> str:
        """Run `pulumi refresh`."""
        return self.pulumi("refresh", "--yes", "--skip-preview", "--diff", *args, fails=fails)

    # -- what there is -------------------------------------------------------------------------------------------------

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

    def clean_up(self) -> None:
        """Remove what is left, however the test ended."""
        command = [str(tool_path("kubectl")), f"--kubeconfig={self.kubeconfig}", "delete", "namespace", self.name]
        subprocess.run([*command, "--ignore-not-found", "--wait=false"], capture_output=True, check=False)
