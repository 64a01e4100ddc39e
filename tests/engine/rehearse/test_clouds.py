"""Every template, staging and prod, rehearsed end to end: everybody comes and leaves, and nothing is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qhub.rehearsal.report import Rehearsal, from_json
from tests.engine.main_job.project import ROOT, Project
from tests.engine.rehearse.rehearsing import left, rehearse

ASSETS = ROOT / "tests" / "assets"
TEMPLATES = {"aws": "config_aws", "gcp": "config_gcp", "digitalocean": "config_do", "azure": "config_azure"}


def recorded(project: Project, *words: str, stack: str) -> Rehearsal:
    """Rehearse, and return what was seen."""
    done = rehearse(project, *words, "--json", stack=stack)
    assert done.returncode == 0, done.stdout + done.stderr
    return from_json(json.loads(done.stdout))


def assert_everybody_came_and_left(recording: Rehearsal) -> None:
    assert recording.passed
    assert [step.name for step in recording.steps][-1] == "left"
    idle, peak, after = (recording.picture(moment) for moment in ("idle", "peak", "after"))
    assert idle
    assert peak
    assert after
    assert len(peak.nodes) > len(idle.nodes), "people made the pools grow"
    assert len(after.nodes) <= len(idle.nodes), "and shrink again"
    users = [pod for pod in peak.pods if pod.role == "user"]
    assert users
    assert all(pod.running for pod in users)
    pools = {node.name: node.pool for node in peak.nodes}
    assert all(pools[pod.node] != "general" for pod in users), "people stay off the platform's nodes"


@pytest.mark.parametrize("cloud", TEMPLATES)
def test_the_template_of_a_cloud(project: Project, cloud: str) -> None:
    recording = recorded(project, "--config-file", str(ASSETS / f"{TEMPLATES[cloud]}.yaml"), stack=cloud)

    assert recording.provider == cloud
    assert_everybody_came_and_left(recording)
    assert all(node.usd_per_hour for picture in recording.pictures for node in picture.nodes), "nodes have a price"
    # The chart of its extra release is out there, where a rehearsal does not go.
    assert [note.partition(": its chart")[0] for note in recording.notes if "NOT REHEARSED" in note] == [
        "NOT REHEARSED: release headlamp"
    ]
    assert left(project) == []


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_stacks_of_the_repository(project: Project, stack: str) -> None:
    before = Path(project.folder / f"Pulumi.{stack}.yaml").read_bytes()
    recording = recorded(project, stack=stack)

    assert_everybody_came_and_left(recording)
    # What only the user has is made up, and said so.
    assert any("authentication.client_secret" in line for line in recording.simulated)
    assert Path(project.folder / f"Pulumi.{stack}.yaml").read_bytes() == before
    assert left(project) == []
