"""The program that `qhub init` writes makes a whole platform on each cloud, from the files that it writes."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime import config

from qhub.config.document import read_document
from qhub.config.fixed import FIXED_OUTPUT
from tests.graph import clouds_aws, clouds_azure, clouds_digitalocean, clouds_gcp, configurations
from tests.graph.recorder import Monitor, Outputs, Recording, record
from tests.unit.init.answering import CLOUDS, init

OUTPUTS: dict[str, Outputs] = {
    "aws": clouds_aws.OUTPUTS,
    "gcp": clouds_gcp.OUTPUTS,
    "digitalocean": clouds_digitalocean.OUTPUTS,
    "azure": clouds_azure.OUTPUTS,
    "existing": configurations.OUTPUTS,
}


def engine_config(file: Path) -> dict[str, str]:
    """Return a stack file's settings as the engine hands them to a program, with a secret decrypted."""
    values: dict[str, Any] = read_document(file).data["config"]
    values["qhub:authentication"]["client_secret"] = configurations.SECRETS["client_secret"]
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def run_program(folder: Path, cloud: str) -> Recording:
    def program() -> None:
        config.set_all_config(engine_config(folder / "Pulumi.prod.yaml"), ["qhub:authentication"])
        runpy.run_path(str(folder / "__main__.py"))

    monitor = clouds_azure.AnsweringMonitor if cloud == "azure" else Monitor
    return record(program, outputs=OUTPUTS[cloud], monitor=monitor)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_program_makes_the_platform(cloud: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kubeconfig").write_text(
        json.dumps(configurations.KUBECONFIG).replace("qhub-test", CLOUDS["existing"]["context"])
    )
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    init(cloud, CLOUDS[cloud], output=tmp_path)
    monkeypatch.chdir(tmp_path)

    recording = run_program(tmp_path, cloud)

    assert recording.problems == []
    assert recording.outputs["address"] == "https://hub.lab.org"
    assert recording.outputs[FIXED_OUTPUT]["cluster.provider"] == cloud
    releases = {release.inputs["name"] for release in recording.of_type("kubernetes:helm.sh/v3:Release")}
    assert {"jupyterhub", "dask-gateway", "traefik", "cert-manager"} <= releases
    assert configurations.SECRETS["client_secret"] not in json.dumps(recording.outputs)
