"""DigitalOcean's rules: what our components send passes them; what DigitalOcean would refuse is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qhub.config.digitalocean import DigitalOceanCluster
from qhub.rehearsal.clouds.definitions import give
from qhub.rehearsal.clouds.digitalocean import CLOUD
from qhub.rehearsal.clouds.digitalocean.tokens import CLUSTER, DNS_RECORD, DOMAIN, NFS, NODE_POOL, REGISTRY, VPC
from qhub.rehearsal.clouds.operations import problems_of
from qhub.rehearsal.clouds.subject import Subject
from qhub.rehearsal.clouds.world import Record, World
from tests.graph.clouds_digitalocean import CONFIGURATIONS, record_configuration
from tests.graph.recorder import SIGNATURE_KEY


def subject(token: str, inputs: dict[str, Any], world: World, **values: Any) -> Subject:
    kind = CLOUD.by_token[token]
    return Subject(
        cloud="digitalocean", token=token, name="it", urn="", inputs={**kind.defaults, **inputs}, world=world, **values
    )


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_what_our_components_send_passes(configuration: str, tmp_path: Path) -> None:
    sent = [
        made for made in record_configuration(configuration).resources.values() if made.type.startswith("digitalocean:")
    ]
    assert {CLUSTER, NODE_POOL} <= {made.type for made in sent}
    assert any(made.type == VPC for made in sent) == ("given-network" not in configuration)
    for made in sent:
        assert SIGNATURE_KEY not in str(made.inputs)
        it = subject(made.type, {"name": made.name, **made.inputs}, World(tmp_path))
        assert problems_of(CLOUD.by_token[made.type].checks, it) == [], made.name


RECORD = {"domain": "team.org", "name": "hub", "type": "A", "value": "203.0.113.7"}
SYSTEM = {"name": "system", "size": "s-2vcpu-4gb", "nodeCount": 1}
DOKS = {"name": "team", "region": "fra1", "version": "1.34", "nodePool": SYSTEM}
SCALED = {"name": "user", "size": "g-4vcpu-16gb", "autoScale": True, "minNodes": 0, "maxNodes": 3}


@pytest.mark.parametrize(
    ("token", "inputs", "old", "words"),
    [
        (VPC, {"name": "team_net", "region": "fra1"}, None, "name: 'team_net' must be letters"),
        (VPC, {"name": "a", "region": "nyc1", "ipRange": "10.10.4.0/24"}, None, "DigitalOcean keeps to itself"),
        (VPC, {"name": "a", "region": "fra1", "ipRange": "10.20.0.0/25"}, None, "between a /16 and a /24"),
        (CLUSTER, {**DOKS, "version": "1.34.x"}, None, "version: '1.34.x' must be a version"),
        (CLUSTER, {**DOKS, "clusterSubnet": "10.24.0.0/16"}, None, "must be given together"),
        (CLUSTER, {**DOKS, "ha": False}, {**DOKS, "ha": True}, "cannot be made an ordinary one again"),
        (CLUSTER, {**DOKS, "nodePool": {**SYSTEM, "nodeCount": 0}}, None, "at least 1 node"),
        (CLUSTER, {**DOKS, "nodePool": {**SYSTEM, "size": "s-2vcpu-4g"}}, None, "Did you mean 's-2vcpu-4gb'?"),
        (CLUSTER, {**DOKS, "controlPlaneFirewall": {"enabled": True, "allowedAddresses": ["all"]}}, None,
         "controlPlaneFirewall.allowedAddresses[0]: 'all'"),
        (CLUSTER, {**DOKS, "maintenancePolicy": {"day": "sundays", "startTime": "4"}}, None, "Did you mean 'sunday'?"),
        (CLUSTER, {**DOKS, "tags": ["a b"]}, None, "tags[0]: 'a b'"),
        (NODE_POOL, {**SCALED, "minNodes": 4}, None, "minNodes: 4 is more than maxNodes (3)"),
        (NODE_POOL, {"name": "user", "size": "g-4vcpu-16gb"}, None, "nodeCount: is required without autoScale"),
        (NODE_POOL, {**SCALED, "maxNodes": None}, None, "maxNodes: is required with autoScale"),
        (NODE_POOL, {**SCALED, "taints": [{"effect": "NO_SCHEDULE"}]}, None, "taints[0].effect"),
        (NFS, {"name": "homes", "region": "fra1", "size": 49}, None, "between 50 and"),
        (NFS, {"name": "homes", "region": "fra1", "size": 60}, {"size": 80}, "can only grow, and it has 80 GiB"),
        (NFS, {"name": "1homes", "region": "fra1", "size": 60}, None, "a letter first"),
        (REGISTRY, {"name": "images", "subscriptionTierSlug": "profesional"}, None, "Did you mean 'professional'?"),
        (DNS_RECORD, {**RECORD, "name": "hub.team.org"}, None, "the record would be hub.team.org.team.org"),
        (DNS_RECORD, {**RECORD, "value": "hub.elb.team.org"}, None, "no IPv4 address"),
        (DNS_RECORD, {**RECORD, "ttl": 5}, None, "between 30 and"),
    ],
)  # fmt: skip
def test_what_digitalocean_refuses(
    token: str, inputs: dict[str, Any], old: dict[str, Any] | None, words: str, tmp_path: Path
) -> None:
    it = subject(token, inputs, World(tmp_path), old_inputs=old)
    told = "\n".join(f"{path}: {text}" for path, text in problems_of(CLOUD.by_token[token].checks, it))
    assert words in told


@pytest.fixture
def account(tmp_path: Path) -> World:
    """An account with a network, a cluster in it, and a registry."""
    world = World(tmp_path)
    for token, id_, outputs in (
        (VPC, "vpc-1", {"name": "net", "region": "fra1", "ipRange": "10.20.0.0/20"}),
        (CLUSTER, "doks-1", {**DOKS, "vpcUuid": "vpc-1", "clusterSubnet": "10.40.0.0/16"}),
        (REGISTRY, "images", {"name": "images"}),
        (DOMAIN, "team.org", {"name": "team.org"}),
    ):
        world.put(Record(cloud="digitalocean", type=token, id=id_, name=id_, urn="", inputs=outputs, outputs=outputs))
    return world


@pytest.mark.parametrize(
    ("token", "inputs", "words"),
    [
        (VPC, {"ipRange": "10.20.8.0/24"}, "ipRange: 10.20.8.0/24 overlaps 10.20.0.0/20"),
        (CLUSTER, {**DOKS, "vpcUuid": "vpc-2"}, "vpcUuid: there is no Vpc"),
        (CLUSTER, {**DOKS, "vpcUuid": "vpc-1", "region": "nyc3"}, 'VPC "vpc-1" is in fra1, the cluster in nyc3'),
        (CLUSTER, {**DOKS, "vpcUuid": "vpc-1", "serviceSubnet": "10.20.1.0/24"}, "overlaps the VPC's range"),
        (CLUSTER, {**DOKS, "vpcUuid": "vpc-1", "clusterSubnet": "10.40.8.0/24"}, 'of cluster "doks-1"'),
        (NODE_POOL, {**SCALED, "clusterId": "doks-2"}, "clusterId: there is no KubernetesCluster"),
        (NODE_POOL, {**SCALED, "clusterId": "doks-1", "name": "system"}, "is the name of the own pool"),
        (NFS, {"region": "nyc2", "vpcId": "vpc-1"}, 'VPC "vpc-1" is in fra1, the share in nyc2'),
        (REGISTRY, {"name": "more"}, 'the account has a registry already, "images"'),
        (DNS_RECORD, {**RECORD, "domain": "team.com"}, "domain: there is no Domain whose id is 'team.com'"),
    ],
)
def test_what_does_not_fit_the_account(account: World, token: str, inputs: dict[str, Any], words: str) -> None:
    told = problems_of(CLOUD.by_token[token].conditions, subject(token, inputs, account))
    assert words in "\n".join(f"{path}: {text}" for path, text in told)


def test_a_cluster_without_a_registry_cannot_integrate_one(account: World, tmp_path: Path) -> None:
    it = subject(CLUSTER, {**DOKS, "registryIntegration": True}, account)
    assert problems_of(CLOUD.by_token[CLUSTER].conditions, it) == []
    account.remove("digitalocean", REGISTRY, "images")
    assert "no container registry" in str(problems_of(CLOUD.by_token[CLUSTER].conditions, it))


def test_a_network_in_use_is_not_deleted(account: World) -> None:
    it = subject(VPC, {}, account, id="vpc-1")
    assert 'KubernetesCluster "doks-1" still uses it' in str(problems_of(CLOUD.by_token[VPC].before_delete, it))


def test_what_the_settings_say_is_there_is_there_and_not_left_over(tmp_path: Path) -> None:
    section = DigitalOceanCluster.model_validate(
        {"region": "fra1", "network": {"vpc_uuid": "their-vpc"}, "registry_name": "their-images"}
    )
    world = World(tmp_path)
    give(world, "digitalocean", section)
    it = subject(CLUSTER, {**DOKS, "vpcUuid": "their-vpc", "registryIntegration": True}, world)
    assert problems_of(CLOUD.by_token[CLUSTER].conditions, it) == []
    assert world.left() == []
    # Those that a stack makes itself are not there yet.
    other = World(tmp_path / "other")
    give(other, "digitalocean", DigitalOceanCluster.model_validate({"region": "fra1", "registry": True}))
    assert other.records() == []


@pytest.mark.parametrize(
    ("before", "after", "replaced"),
    [("1.34.1-do.0", "1.34", True), ("1.34.1-do.0", "1.35.1-do.0", False), ("1.35.1-do.0", "1.34.1-do.0", True)],
)
def test_a_version_only_goes_up(tmp_path: Path, before: str, after: str, replaced: bool) -> None:
    it = subject(CLUSTER, {**DOKS, "version": after}, World(tmp_path), old_inputs=DOKS, state={"version": before})
    rule = CLOUD.by_token[CLUSTER].replaces
    assert rule is not None
    assert list(rule(it)) == (["version"] if replaced else [])
