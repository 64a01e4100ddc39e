"""What EKS would refuse is told before it is asked, with the key to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from qhub.config import Settings, load_settings_file
from qhub.config.aws import AwsCluster
from qhub.config.model import Problem, dotted

ARN = "arn:aws:iam::123456789012:role/ops"
SUBNETS = {"eu-west-1a": "subnet-0a", "eu-west-1b": "subnet-0b"}
GIVEN = {"vpc_id": "vpc-0a", "private_subnets": SUBNETS}


def section(**written: Any) -> AwsCluster:
    return AwsCluster.model_validate({"region": "eu-west-1", **written})


def problems(**written: Any) -> list[Problem]:
    return list(section(**written).problems())


# what is written, the key that is named, words of the message
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"region": "eu-wset-1"}, "region", "not a region of aws"),
    ({"network": {"zones": ["eu-west-1a"]}}, "network.zones", "at least two zones, here is 1"),
    ({"network": {"zones": ["eu-west-1a", "eu-west-2b"]}}, "network.zones[1]", "eu-west-2b is not a zone of eu-west-1"),
    ({"network": {"zones": ["eu-west-1a", "eu-west-1b", "eu-west-1a"]}}, "network.zones[2]", "twice"),
    ({"network": {"zones": ["eu-west-1a", "eu-west-1g"]}}, "network.zones[1]", "zones a to f"),
    ({"network": {"cidr": "10.0.0.0/24"}}, "network.cidr", "/16 to /22"),
    ({"network": {"cidr": "10.0.0.0/15"}}, "network.cidr", "/16 to /22"),
    ({"network": {"cidr": "fd00::/56"}}, "network.cidr", "IPv4"),
    ({"network": {"services_cidr": "10.0.128.0/20"}}, "network.services_cidr", "overlaps 10.0.0.0/16"),
    ({"network": {"services_cidr": "100.64.0.0/16"}}, "network.services_cidr", "172.16.0.0/12"),
    ({"network": {"services_cidr": "172.20.0.0/25"}}, "network.services_cidr", "/12 to /24"),
    ({"network": {"private_subnets": SUBNETS}}, "network.private_subnets", "needs vpc_id"),
    ({"network": {"vpc_id": "vpc-0a"}}, "network.private_subnets", "required with vpc_id"),
    ({"network": {**GIVEN, "nat": "regional"}}, "network.nat", "no effect with vpc_id"),
    (
        {"network": {**GIVEN, "public_subnets": {"eu-west-1a": "subnet-1a"}}},
        "network.public_subnets",
        "one subnet for each zone is wanted, and no other: eu-west-1a, eu-west-1b",
    ),
    (
        {"network": {**GIVEN, "public_subnets": SUBNETS}},
        "network.private_subnets",
        "subnet-0a, subnet-0b is given twice",
    ),
    (
        {"network": {"vpc_id": "vpc-0a", "private_subnets": {"eu-west-1a": "subnet-0a"}}},
        "network.private_subnets",
        "at least two zones",
    ),
    (
        {"network": {"vpc_id": "vpc-0a", "private_subnets": {**SUBNETS, "eu-west-9a": "subnet-0c"}}},
        "network.private_subnets.eu-west-9a",
        "no zone of eu-west-1",
    ),
    ({"admins": ["ops"]}, "admins[0]", "arn:aws:iam::123456789012:role/NAME"),
    ({"admins": ["arn:aws:sts::123456789012:assumed-role/ops/me"]}, "admins[0]", "the role's own ARN"),
    ({"admins": [ARN, ARN]}, "admins[1]", "twice"),
    ({"api_access": [f"10.0.{n}.0/24" for n in range(41)]}, "api_access", "at most 40"),
    ({"api_access": ["fd00::/8"]}, "api_access[0]", "IPv4"),
    ({"tags": {"aws:team": "a"}}, "tags.aws:team", "none to start aws:"),
    ({"tags": {"team": "a=b"}}, "tags.team", "letters, digits"),
    ({"tags": {f"key-{n}": "" for n in range(31)}}, "tags", "31 are more than there is room for"),
    ({"node_pools": {"user": {"disk_size": "10Gi"}}}, "node_pools.user.disk_size", "at least 20Gi"),
    ({"node_pools": {"user": {"max": 451}}}, "node_pools.user.max", "at most 450 nodes"),
    ({"node_pools": {"user": {"zones": []}}}, "node_pools.user.zones", "names no zone"),
    (
        {"node_pools": {"user": {"labels": {"node.kubernetes.io/kind": "a"}}}},
        'node_pools.user.labels["node.kubernetes.io/kind"]',
        "EKS refuses labels of node.kubernetes.io",
    ),
    (
        {"node_pools": {"gpu": {"instance_type": "g4dn.xlarge", "gpu": {"type": "T4"}}}},
        "node_pools.gpu.gpu.type",
        "leave this key out",
    ),
    ({"node_pools": {"user": {"instance_type": "m6i.xlarg"}}}, "node_pools.user.instance_type", "not in the catalogue"),
    ({"node_pools": {"user": {"zones": ["eu-west-1c"]}}}, "node_pools.user.zones[0]", "no zone of the cluster"),
]


@pytest.mark.parametrize(("written", "key", "words"), REFUSED, ids=[f"{key}: {words}" for _, key, words in REFUSED])
def test_what_eks_would_refuse_is_told(written: dict[str, Any], key: str, words: str) -> None:
    found = {dotted(problem.path).removeprefix("cluster."): problem.message for problem in problems(**written)}

    assert words in found.get(key, str(found))
    assert key in found


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"network": {"zones": [f"us-east-1{letter}" for letter in "abcdef"]}, "region": "us-east-1"},
        {"network": {"cidr": "10.0.0.0/22"}},
        {"network": GIVEN},
        # Another range than that of a VPC which is not ours to make.
        {"network": {**GIVEN, "services_cidr": "10.0.0.0/16"}},
        {"network": {"zones": ["eu-test-9a", "eu-test-9b"]}, "region": "eu-test-9"},
        {"admins": [ARN, "arn:aws-us-gov:iam::123456789012:user/team/alice"]},
        {"tags": {"cost centre": "42", "owner": "data@example.org", "billed": ""}},
    ],
)
def test_what_eks_takes_is_left_alone(written: dict[str, Any]) -> None:
    assert problems(**written) == []


def test_zones_are_two_that_the_region_has() -> None:
    assert section().zones == ("eu-west-1a", "eu-west-1b")
    assert section(region="ap-northeast-1").zones == ("ap-northeast-1a", "ap-northeast-1c")


def test_zones_of_a_given_network_are_those_of_its_subnets() -> None:
    assert section(network=GIVEN).zones == tuple(SUBNETS)


def test_the_template_has_every_key_of_the_network_and_can_be_loaded() -> None:
    settings = load_settings_file(Path("tests/assets/config_aws.yaml"))
    cluster = cast("AwsCluster", settings.cluster)
    text = Path("tests/assets/config_aws.yaml").read_text(encoding="utf-8")

    assert len(cluster.zones) == 3
    assert cluster.node_pools.keys() == {"general", "user", "worker", "gpu"}
    assert [key for key in type(cluster.network).model_fields if f" {key}: " not in text] == []


def test_a_mistake_is_told_at_its_key_in_the_whole_settings() -> None:
    cluster = {"provider": "aws", "region": "eu-west-1", "network": {"zones": ["eu-west-1a"]}}

    with pytest.raises(ValueError, match=r"cluster\.network\.zones: EKS wants"):
        Settings.model_validate({"domain": "qhub.localhost", "cluster": cluster})
