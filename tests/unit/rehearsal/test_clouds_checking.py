"""A resource's inputs against the types of the providers' own packages: what is told, where, and what passes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qhub.rehearsal.clouds.checking import problems
from qhub.rehearsal.clouds.schema import Schema, load_schema, provider_token
from qhub.rehearsal.plugins.errors import PluginError
from qhub.rehearsal.plugins.wire import UNKNOWN, FileAsset, Secret

CLUSTER = "aws:eks/cluster:Cluster"
ROLE = "aws:iam/role:Role"
BUCKET_OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
AKS = "azure-native:containerservice:ManagedCluster"
POOL = "azure-native:containerservice:AgentPool"
ADDRESS = "azure-native:network:PublicIPAddress"
DOKS = "digitalocean:index/kubernetesCluster:KubernetesCluster"
GKE_POOL = "gcp:container/nodePool:NodePool"

PACKAGES = {
    "aws": ("pulumi_aws", [CLUSTER, ROLE, BUCKET_OBJECT]),
    "azure-native": ("pulumi_azure_native", [AKS, POOL, ADDRESS]),
    "digitalocean": ("pulumi_digitalocean", [DOKS]),
    "gcp": ("pulumi_gcp", [GKE_POOL]),
}
EKS_INPUTS = {"roleArn": "arn:aws:iam::1:role/x", "vpcConfig": {"subnetIds": ["subnet-1", "subnet-2"]}}


@pytest.fixture(scope="session")
def check(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, str]]:
    """Check inputs by token; return path -> text. The types are read from the installed packages, once."""
    cache = tmp_path_factory.mktemp("cache")
    loaded: dict[str, Schema] = {}

    def check(token: str, inputs: dict[str, Any]) -> dict[str, str]:
        package = token.split(":")[2] if token.startswith("pulumi:providers:") else token.split(":", maxsplit=1)[0]
        if package not in loaded:
            sdk, tokens = PACKAGES[package]
            loaded[package] = load_schema(package=package, sdk=sdk, tokens=tokens, cache=cache)
        return dict(problems(loaded[package], token, inputs))

    return check


def test_what_is_right_passes(check: Callable[..., dict[str, str]]) -> None:
    assert check(CLUSTER, EKS_INPUTS) == {}
    assert check(CLUSTER, {"roleArn": UNKNOWN, "vpcConfig": UNKNOWN}) == {}
    assert check(CLUSTER, {"roleArn": Secret("x"), "vpcConfig": {"subnetIds": [UNKNOWN, Secret("subnet-2")]}}) == {}
    assert check(CLUSTER, {**EKS_INPUTS, "tags": {"any key": "value"}, "name": None}) == {}


@pytest.mark.parametrize(
    ("token", "inputs", "path", "words"),
    [
        (CLUSTER, {**EKS_INPUTS, "vpcConfg": {}}, "vpcConfg", "Did you mean 'vpcConfig'?"),
        (CLUSTER, {"vpcConfig": EKS_INPUTS["vpcConfig"]}, "roleArn", "is required and missing"),
        (CLUSTER, {"roleArn": Secret(None), "vpcConfig": {"subnetIds": []}}, "roleArn", "is required and missing"),
        (CLUSTER, {**EKS_INPUTS, "vpcConfig": {}}, "vpcConfig.subnetIds", "is required and missing"),
        (CLUSTER, {"roleArn": "x", "vpcConfig": {"subnetIds": ["a", 7]}}, "vpcConfig.subnetIds[1]", "must be a string"),
        (
            CLUSTER,
            {"roleArn": "x", "vpcConfig": {"subnetIds": ["a", None]}},
            "vpcConfig.subnetIds[1]",
            "null in a list",
        ),
        (CLUSTER, {"roleArn": "x", "vpcConfig": {"subnet_ids": []}}, "vpcConfig.subnet_ids", "mean 'subnetIds'?"),
        (CLUSTER, {"roleArn": "x", "vpcConfig": [{"subnetIds": []}]}, "vpcConfig", "must be an object, not a list"),
        (CLUSTER, {**EKS_INPUTS, "tags": {"a.b": 1}}, 'tags["a.b"]', "must be a string"),
        (CLUSTER, {**EKS_INPUTS, "deletionProtection": "true"}, "deletionProtection", "must be true or false"),
        (CLUSTER, Secret({**EKS_INPUTS, "name": 3}).value, "name", "must be a string"),
        (DOKS, {"nodePool": {"name": "a", "size": "b", "nodeCount": 1.5}}, "nodePool.nodeCount", "a whole number"),
        (GKE_POOL, {"cluster": "x", "nodeConfig": {"diskSizeGB": 100}}, "nodeConfig.diskSizeGB", "mean 'diskSizeGb'?"),
        (AKS, {"resourceGroupName": "x", "agentPoolProfiles": [{}]}, "agentPoolProfiles[0].name", "is required"),
    ],
)
def test_what_is_wrong_is_told_with_its_path(
    check: Callable[..., dict[str, str]], token: str, inputs: dict[str, Any], path: str, words: str
) -> None:
    assert words in check(token, inputs)[path]


def test_one_mistake_is_one_problem(check: Callable[..., dict[str, str]]) -> None:
    assert list(check(CLUSTER, {**EKS_INPUTS, "name": 7})) == ["name"]


def test_a_union_takes_each_of_its_types(check: Callable[..., dict[str, str]]) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}
    assert check(ROLE, {"assumeRolePolicy": "{}"}) == {}
    assert check(ROLE, {"assumeRolePolicy": document}) == {}
    assert "must be a string or an object" in check(ROLE, {"assumeRolePolicy": 7})["assumeRolePolicy"]
    # Within the type that was meant, the place of the mistake is told.
    wrong = {**document, "Statement": [{"Effect": "Allow", "Acton": "x"}]}
    assert "Did you mean 'Action'?" in check(ROLE, {"assumeRolePolicy": wrong})["assumeRolePolicy.Statement[0].Acton"]


def test_words_of_an_enum(check: Callable[..., dict[str, str]]) -> None:
    group = {"resourceGroupName": "x"}
    # The SDK takes any string here, so only what differs in nothing but case is told.
    assert check(POOL, {**group, "resourceName": "c", "osSKU": "AzureLinux"}) == {}
    assert check(POOL, {**group, "resourceName": "c", "osSKU": "NextYearsLinux"}) == {}
    assert "Did you mean 'AzureLinux'?" in check(POOL, {**group, "resourceName": "c", "osSKU": "azurelinux"})["osSKU"]
    # Here it takes its own words only.
    assert check(AKS, {**group, "identity": {"type": "UserAssigned"}}) == {}
    assert "is none of" in check(AKS, {**group, "identity": {"type": "Userassigned"}})["identity.type"]


def test_the_name_that_python_writes_with_an_underscore(check: Callable[..., dict[str, str]]) -> None:
    assert check(AKS, {"resourceGroupName": "x", "resourceName": "team"}) == {}
    assert (
        "Did you mean 'resourceName'?"
        in check(AKS, {"resourceGroupName": "x", "resourceName_": "team"})["resourceName_"]
    )


def test_a_resource_whose_name_an_input_type_has_too(check: Callable[..., dict[str, str]]) -> None:
    assert check(ADDRESS, {"resourceGroupName": "x", "sku": {"name": "Standard"}}) == {}
    assert "is required" in check(ADDRESS, {"publicIPAddressVersion": "IPv4"})["resourceGroupName"]


def test_assets(check: Callable[..., dict[str, str]]) -> None:
    assert check(BUCKET_OBJECT, {"bucket": "b", "source": FileAsset(text="x")}) == {}
    assert "must be an asset" in check(BUCKET_OBJECT, {"bucket": "b", "source": "x"})["source"]


def test_the_provider_itself_has_types_too(check: Callable[..., dict[str, str]]) -> None:
    token = provider_token("aws")
    assert check(token, {"region": "eu-west-1", "defaultTags": {"tags": {"a": "b"}}}) == {}
    assert "must be a string" in check(token, {"defaultTags": {"tags": {"a": 1}}})["defaultTags.tags.a"]


def test_a_secret_is_never_part_of_a_problem(check: Callable[..., dict[str, str]]) -> None:
    found = check(CLUSTER, {"roleArn": Secret(["hidden-1234"]), "vpcConfig": Secret("hidden-1234"), "name": Secret({})})
    assert set(found) == {"roleArn", "vpcConfig", "name"}
    assert "hidden" not in str(found)


def test_types_are_read_once_for_each_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_schema(package="digitalocean", sdk="pulumi_digitalocean", tokens=[DOKS], cache=tmp_path)
    monkeypatch.setattr("qhub.rehearsal.clouds.schema._extracted", lambda *_: pytest.fail("they were read again"))
    assert load_schema(package="digitalocean", sdk="pulumi_digitalocean", tokens=[DOKS], cache=tmp_path) == first


def test_a_resource_that_the_package_does_not_have(tmp_path: Path) -> None:
    schema = load_schema(
        package="digitalocean", sdk="pulumi_digitalocean", tokens=["digitalocean:index/x:X"], cache=tmp_path
    )
    with pytest.raises(PluginError, match="has no resource digitalocean:index/x:X"):
        list(problems(schema, "digitalocean:index/x:X", {}))


def test_a_package_that_is_not_installed_is_told(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="pulumi_nocloud is not installed"):
        load_schema(package="nocloud", sdk="pulumi_nocloud", tokens=[], cache=tmp_path)
