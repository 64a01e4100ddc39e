"""What `qhub` exports: the list itself, that it is typed and lazy, and that other programs can use its parts alone."""

from __future__ import annotations

import inspect
import json
import runpy
import subprocess
import sys
from pathlib import Path

import pulumi
import pytest
from pulumi.runtime import config
from pydantic import ValidationError

import qhub
from qhub import EksCluster, EksClusterArgs, EksRoles, InputError, Settings, load_settings_file
from qhub.config.aws import AwsCluster
from tests.graph import clouds_aws, configurations
from tests.graph.recorder import record

ROOT = Path(__file__).parents[2]
#: Whoever takes a name away breaks somebody's program; whoever adds one promises to keep it.
PUBLIC = [
    "AksCluster",
    "AksClusterArgs",
    "Cluster",
    "DoksCluster",
    "DoksClusterArgs",
    "EksCluster",
    "EksClusterArgs",
    "EksRoles",
    "FIXED_OUTPUT",
    "GkeCluster",
    "GkeClusterArgs",
    "InputError",
    "KubernetesPlatform",
    "KubernetesPlatformArgs",
    "NodePool",
    "Settings",
    "SettingsError",
    "fixed_settings",
    "load_settings_file",
    "load_stack_settings",
    "make_cluster",
]


class TestTheList:
    def test_is_what_was_promised(self) -> None:
        assert sorted(qhub.__all__) == sorted(PUBLIC)

    @pytest.mark.parametrize("name", PUBLIC)
    def test_every_name_is_there_and_documented(self, name: str) -> None:
        found = getattr(qhub, name)

        assert isinstance(found, str) or inspect.getdoc(found)
        assert f"`{name}`" in str(qhub.__doc__) or f"`{name.removesuffix('Args')}`" in str(qhub.__doc__)

    def test_every_mistake_in_settings_is_caught_as_one_error(self, tmp_path: Path) -> None:
        (tmp_path / "Pulumi.prod.yaml").write_text("config: {qhub:domain: A.localhost}")
        with pytest.raises(InputError, match=r"write a\.localhost"):
            load_settings_file(tmp_path / "Pulumi.prod.yaml")
        # A program with settings of its own has no file to tell a line of; pydantic's error is a ValueError as well.
        with pytest.raises(ValidationError, match=r"write a\.localhost"):
            Settings(domain="A.localhost")

    def test_another_name_is_not(self) -> None:
        with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
            qhub.Nothing  # noqa: B018

    def test_type_checkers_read_it(self) -> None:
        assert (ROOT / "qhub" / "py.typed").is_file()


@pytest.mark.parametrize(
    ("names", "sdks"),
    [
        ("Settings, load_settings_file, fixed_settings", set()),
        ("KubernetesPlatform, Cluster", {"pulumi", "pulumi_kubernetes", "pulumi_random"}),
        ("DoksCluster", {"pulumi", "pulumi_kubernetes", "pulumi_digitalocean"}),
    ],
)
def test_no_more_than_is_needed_is_imported(names: str, sdks: set[str]) -> None:
    script = f"from qhub import {names}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}

    assert {name for name in loaded if name.startswith("pulumi")} == sdks


def test_the_platform_alone_on_a_cluster_of_another_program() -> None:
    def program() -> None:
        config.set_all_config({"qhub:kubeconfig": json.dumps(configurations.KUBECONFIG)}, ["qhub:kubeconfig"])
        runpy.run_path(str(ROOT / "docs" / "examples" / "platform.py"))

    recording = record(program, outputs=configurations.OUTPUTS)

    assert recording.problems == []
    assert recording.outputs["address"] == "https://hub.localhost"
    releases = {release.inputs["name"] for release in recording.of_type("kubernetes:helm.sh/v3:Release")}
    assert {"jupyterhub", "dask-gateway", "traefik"} <= releases
    # Everything goes to the cluster that the program names.
    providers = {made.provider for made in recording.resources.values() if made.type.startswith("kubernetes:")}
    assert {provider.rpartition("::")[2] for provider in providers} == {"lab"}


def test_a_control_plane_alone() -> None:
    def program() -> None:
        section = Settings(domain="hub.localhost", cluster={"provider": "aws", "region": "eu-west-1"}).cluster
        assert isinstance(section, AwsCluster)
        roles = EksRoles(cluster_name="lab", region="eu-west-1")
        args = EksClusterArgs(settings=section, subnet_ids=["subnet-0a", "subnet-0b"], roles=roles)
        pulumi.export("kubeconfig", EksCluster("lab", args).kubeconfig)

    recording = record(program, outputs=clouds_aws.OUTPUTS)

    assert recording.problems == []
    assert recording.one("aws:eks/cluster:Cluster").inputs["vpcConfig"]["subnetIds"] == ["subnet-0a", "subnet-0b"]
    assert "jupyterhub" not in {made.name for made in recording.resources.values()}
