"""The real engine: a change to what cannot be changed is told by preview and up, before a resource is registered."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from qhub.rehearsal.toolchain import tool_path

ROOT = Path(__file__).parents[2]
PROJECT = """
name: qhub
runtime: python
config:
  pulumi:disable-default-providers:
    value: ["*"]
"""
PROGRAM = """
import sys
sys.path.insert(0, {root!r})
import pulumi
from qhub import FIXED_OUTPUT, fixed_settings, load_stack_settings

settings = load_stack_settings()
pulumi.ComponentResource("test:index:Registered", "registered")
if settings.domain == "broken.localhost":
    raise pulumi.RunError("a run that fails after its settings were read")
pulumi.export(FIXED_OUTPUT, fixed_settings(settings))
"""


class Project:
    """A project of one stack that registers nothing but a component."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "state").mkdir()
        (folder / "Pulumi.yaml").write_text(PROJECT)
        (folder / "__main__.py").write_text(PROGRAM.format(root=str(ROOT)))
        self.pulumi("stack", "init", "lab")

    def pulumi(self, *words: str) -> tuple[int, str]:
        """Run `pulumi WORDS`; return what it ends with and what it says."""
        folders = [
            Path(sys.executable).parent,
            *(tool_path(one).parent for one in ("pulumi", "pulumi-language-python")),
        ]
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")},
            "PATH": os.pathsep.join([*map(str, folders), os.environ["PATH"]]),
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "a test's passphrase",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        command = ["pulumi", "--non-interactive", "--color=never", *words]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def write(self, *, size: str = "50Gi", namespace: str = "qhub", domain: str = "hub.localhost") -> None:
        """Write the stack's file."""
        lines = [f"qhub:domain: {domain}", "qhub:storage:", f"  size: {size}", f"qhub:namespace: {{name: {namespace}}}"]
        file = self.folder / "Pulumi.lab.yaml"
        file.write_text("config:\n" + "".join(f"  {line}\n" for line in lines))

    def up(self) -> tuple[int, str]:
        """Run `pulumi up` without a preview."""
        return self.pulumi("up", "--yes", "--skip-preview")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project whose stack is up."""
    made = Project(tmp_path)
    made.write()
    code, said = made.up()
    assert code == 0, said
    return made


def test_what_cannot_be_changed_is_told_by_preview_and_up(project: Project) -> None:
    project.write(size="20Gi", namespace="other")
    for code, said in (project.pulumi("preview"), project.up()):
        assert code != 0
        assert "2 mistakes in the settings of stack lab" in said
        assert "Pulumi.lab.yaml:4:11  storage.size: 20Gi after 50Gi: storage can grow, never shrink" in said
        assert "namespace.name: was qhub at the last `pulumi up` and cannot become other" in said
        assert "Traceback" not in said


def test_what_can_be_changed_goes_through(project: Project) -> None:
    project.write(size="60Gi")
    code, said = project.up()

    assert code == 0, said


def test_a_run_that_failed_leaves_the_record(project: Project) -> None:
    project.write(domain="broken.localhost")
    assert "a run that fails" in project.up()[1]
    project.write(size="20Gi")

    assert "storage.size: 20Gi after 50Gi" in project.pulumi("preview")[1]


def test_a_stack_that_was_destroyed_may_be_anything(project: Project) -> None:
    code, said = project.pulumi("destroy", "--yes", "--skip-preview")
    assert code == 0, said
    project.write(size="20Gi", namespace="other")
    code, said = project.up()

    assert code == 0, said
