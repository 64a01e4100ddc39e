"""A project folder as a fresh clone has it, with its own cluster and state, and the `qhub` command to run in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from qhub.rehearsal.cluster import EmbeddedCluster

ROOT = Path(__file__).parents[3]
QHUB = Path(sys.executable).with_name("qhub")
#: Variables of a developer's own shell that would change what a test sees.
FOREIGN = ("PULUMI_", "KUBECONFIG", "QHUB_")


@dataclass(frozen=True)
class Project:
    """A folder with the files that a stack needs.

    Attributes:
        folder: the folder.
        nodes: kind of nodes of its embedded cluster.
    """

    folder: Path
    nodes: str = "simulated"
    #: The environment of the shell, once it has been asked for: it stays while settings are broken, as in a real shell.
    remembered: dict[str, str] = field(default_factory=dict, compare=False)

    def environment(self, **extra: str) -> dict[str, str]:
        """Return the environment of a new user's shell, plus the shared cache of built tools and the kind of nodes."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        if cache := os.environ.get("QHUB_CACHE_DIR"):
            clean["QHUB_CACHE_DIR"] = cache
        return {**clean, "QHUB_NODES": self.nodes, **extra}

    def run(
        self, *command: str, environment: Mapping[str, str] | None = None, fails: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the folder, both outputs in `stdout`; assert that it succeeds, or `fails`."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=dict(environment or self.environment()),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout
        return done

    def qhub(self, *words: str, fails: bool = False, **extra: str) -> str:
        """Run `qhub WORDS` and return what a person sees."""
        return self.run(str(QHUB), *words, fails=fails, environment=self.environment(**extra)).stdout

    def shell(self) -> dict[str, str]:
        """Return the environment after `eval "$(qhub env)"`."""
        if self.remembered:
            return self.remembered
        script = f'eval "$({QHUB} env)" && env -0'
        printed = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=self.environment(), capture_output=True, text=True, check=True
        ).stdout
        for line in filter(None, printed.split("\0")):
            name, _, value = line.partition("=")
            self.remembered[name] = value
        return self.remembered

    def pulumi(self, *words: str, fails: bool = False) -> str:
        """Run `pulumi WORDS --stack local` as a person would, and return what it prints."""
        command = ("pulumi", *words, "--stack", "local", "--non-interactive")
        return self.run(*command, environment=self.shell(), fails=fails).stdout

    def preview(self) -> dict[str, str]:
        """Return what `pulumi up` would do: logical name -> operation, without what stays the same."""
        command = ["pulumi", "preview", "--stack", "local", "--non-interactive", "--json"]
        done = subprocess.run(command, cwd=self.folder, env=self.shell(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        steps = json.loads(done.stdout)["steps"]
        return {step["urn"].split("::")[-1]: step["op"] for step in steps if step["op"] != "same"}

    def state(self) -> dict[str, Any]:
        """Return the state of the stack."""
        return json.loads(self.pulumi("stack", "export"))

    def kubectl(self, *words: str) -> Any:
        """Return what `kubectl get WORDS` finds, as parsed JSON."""
        kubeconfig = str(self.cluster.kubeconfig_path)
        command = ["kubectl", "--kubeconfig", kubeconfig, "get", *words, "--output", "json"]
        return json.loads(
            subprocess.run(
                command, env=self.shell(), capture_output=True, text=True, check=True
            ).stdout
        )  # fmt: skip

    def set(self, **sections: Any) -> None:
        """Change sections of `Pulumi.local.yaml`: a dict is merged into the section, another value replaces it."""
        yaml, path = YAML(), self.folder / "Pulumi.local.yaml"
        data = yaml.load(path)
        for name, value in sections.items():
            key = f"qhub:{name}"
            if isinstance(value, dict):
                data["config"].setdefault(key, {}).update(value)
            else:
                data["config"][key] = value
        yaml.dump(data, path)

    @property
    def cluster(self) -> EmbeddedCluster:
        """The embedded cluster of this folder."""
        return EmbeddedCluster("local", self.folder / ".qhub" / "clusters" / "local")


#: What no real node can run here, and simulated ones can: all that the platform is made of by default.
WHOLE_PLATFORM = {
    "certificates": {"issuer": "self-signed"},
    "ingress": {"controller": "ingress-nginx"},
    "storage": {"kind": "nfs-server"},
}


def make_project(folder: Path, *, protect: bool = False) -> Project:
    """Copy what a stack needs out of the checkout; nodes are simulated, the local stack has the whole platform.

    Args:
        folder: where to.
        protect: of the storage; no `qhub down` without lifting it.
    """
    project = copy_project(folder, nodes="simulated")
    project.set(**WHOLE_PLATFORM)
    project.set(storage={"protect": protect})
    return project


def copy_project(folder: Path, *, nodes: str) -> Project:
    """Copy what a stack needs out of the checkout, its settings as they are."""
    for file in ("Pulumi.yaml", "Pulumi.local.yaml", "Pulumi.staging.yaml", "Pulumi.prod.yaml"):
        shutil.copy(ROOT / file, folder / file)
    for tree in ("stacks", "qhub/rehearsal/charts"):
        shutil.copytree(ROOT / tree, folder / tree, ignore=shutil.ignore_patterns("__pycache__"))
    return Project(folder, nodes=nodes)
