"""Tags from the settings are on everything that takes tags, on every cloud."""

from __future__ import annotations

import importlib
import inspect
import json
from functools import cache

import pytest

from tests.graph.matrix import MATRIX
from tests.graph.recorder import Registered

#: Cloud -> package of its SDK, what the SDK calls tags, and the provider's input that puts them on everything, if any.
CLOUDS = {
    "aws": ("pulumi_aws", "tags", "defaultTags"),
    "gcp": ("pulumi_gcp", "labels", "defaultLabels"),
    "azure": ("pulumi_azure_native", "tags", None),
    "digitalocean": ("pulumi_digitalocean", "tags", None),
}
TAG = ("team", "data-science-of-2026")
#: What the providers' default tags do not reach, and what it has instead: name of a resource -> input that tells.
BY_ITSELF = {
    "aws": {
        # Machines, their disks and addresses; disks for claims; the load balancer, which is the cluster's controller's.
        "aws:ec2/launchTemplate:LaunchTemplate": "tagSpecifications",
        "aws:eks/addon:Addon": "configurationValues",
        "kubernetes:core/v1:Service": "metadata",
    },
    "gcp": {"gcp:container/nodePool:NodePool": "nodeConfig", "gcp:container/cluster:Cluster": "resourceLabels"},
    "azure": {},
    "digitalocean": {"digitalocean:index/kubernetesCluster:KubernetesCluster": "nodePool"},
}


@cache
def takes(token: str, package: str, key: str) -> bool:
    """Tell whether resources of a type take tags, by the SDK's own signature."""
    _, module, kind = token.split(":")
    names = [part for part in module.split("/")[0].split(".") if part != "index"]
    resource = getattr(importlib.import_module(".".join([package, *names])), kind)
    return key in inspect.signature(resource._internal_init).parameters


def has_tag(made: Registered, key: str) -> bool:
    return TAG[1] in json.dumps(made.inputs.get(key))


@pytest.mark.parametrize("cloud", CLOUDS)
def test_tags_reach_everything_that_takes_them(cloud: str) -> None:
    package, key, by_default = CLOUDS[cloud]
    name = f"{cloud}-everything"
    recording = MATRIX[name].record_configuration(name, cluster={"tags": dict([TAG])})
    prefix = {"azure": "azure-native"}.get(cloud, cloud)
    (provider,) = [made for made in recording.resources.values() if made.type == f"pulumi:providers:{prefix}"]
    takers = [
        made
        for made in recording.resources.values()
        if made.custom and made.type.startswith(f"{prefix}:") and takes(made.type, package, key)
    ]

    assert takers
    if by_default is not None:
        assert has_tag(provider, by_default)
    else:
        assert [made.name for made in takers if not has_tag(made, key)] == []
    for token, where in BY_ITSELF[cloud].items():
        assert any(has_tag(made, where) for made in recording.of_type(token)), token
