"""`qhub rehearse` on the real engine: the local stack passes and leaves nothing, a broken one names the key."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time

import pytest
from ruamel.yaml import YAML

from qhub.rehearsal.report import from_json
from tests.engine.main_job.project import Project
from tests.engine.rehearse.rehearsing import COMMAND, files, left, rehearse


class TestTheLocalStack:
    def test_it_passes_and_touches_nothing_of_the_users(self, project: Project) -> None:
        before = files(project)
        done = rehearse(project, "--json")

        assert done.returncode == 0, done.stdout + done.stderr
        recording = from_json(json.loads(done.stdout))
        assert recording.passed
        assert [step.name for step in recording.steps] == [
            "up", "placed", "demand", "scale-down", "no-change", "destroy", "empty", "left",
        ]  # fmt: skip
        peak = recording.picture("peak")
        assert peak is not None
        assert {(pod.role, pod.profile) for pod in peak.pods if pod.role != "platform"} == {
            ("user", "small"), ("user", "medium"), ("scheduler", "small"), ("worker", "small"),
        }  # fmt: skip
        assert all(pod.running and pod.node for pod in peak.pods)
        assert {one.name for one in recording.operations if one.step == "up"} >= {"qhub-jupyterhub", "qhub-namespace"}
        assert "<!DOCTYPE html>" in (project.folder / "build" / "rehearsal-local.html").read_text(encoding="utf-8")
        assert files(project) == before
        assert left(project) == []

    def test_a_profile_too_large_for_any_node_names_its_key(self, project: Project) -> None:
        written = YAML().load(project.folder / "Pulumi.local.yaml")
        profiles = written["config"]["qhub:jupyterhub"]["profiles"]
        profiles[1]["cpu"] = {"limit": 64, "guarantee": 48}
        project.set(jupyterhub={"profiles": profiles})
        done = rehearse(project)

        assert done.returncode == 1, done.stdout + done.stderr
        assert "Insufficient cpu" in done.stdout
        assert "Change jupyterhub.profiles[1].cpu.guarantee" in done.stdout
        assert "Traceback" not in done.stdout + done.stderr
        assert left(project) == []

    def test_a_chart_that_is_refused_names_its_key(self, project: Project) -> None:
        project.set(charts={"mirror": "qhub/rehearsal/charts", "jupyterhub": {"overrides": {"hub": {"noSuchKey": 1}}}})
        done = rehearse(project)

        assert done.returncode == 1, done.stdout + done.stderr
        assert "Release qhub-jupyterhub" in done.stdout
        assert "noSuchKey" in done.stdout
        assert "Change charts.jupyterhub" in done.stdout
        assert left(project) == []

    def test_a_mistake_in_the_settings_starts_nothing(self, project: Project) -> None:
        project.set(jupyterhub={"cull": {"timout": 60}})
        done = rehearse(project)

        assert done.returncode == 1
        assert "jupyterhub.cull.timout" in done.stderr
        assert left(project) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("at", ["cluster/state.json", "up.events"])
def test_an_interrupt_leaves_nothing(project: Project, number: signal.Signals, at: str) -> None:
    running = subprocess.Popen(
        [*COMMAND, "local"], cwd=project.folder, env=project.environment(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not list((project.folder.parent / "tmp").glob(f"qhub-rehearsal-*/{at}")):
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    running.send_signal(number)
    printed = running.communicate(timeout=120)[0]

    assert running.returncode == 130, printed
    assert "Interrupted" in printed
    assert "Traceback" not in printed
    assert left(project) == []


def test_a_secret_that_only_the_stack_can_read_is_made_up(project: Project) -> None:
    shutil.copy(project.folder / "Pulumi.local.yaml", project.folder / "Pulumi.secret.yaml")
    path = project.folder / "Pulumi.secret.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("type: dummy", "type: dummy\n    password: {secure: v1:bm90aGluZyB0aGF0:b3BlbnM=}"),
        encoding="utf-8",
    )
    done = rehearse(project, stack="secret")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "authentication.password" in done.stdout
    assert left(project) == []
