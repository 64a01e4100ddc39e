"""The pure parts of a cluster on AWS: ranges of subnets, shares of node groups, names, tags, annotations."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qhub.clouds.aws.addons import after_nodes, before_nodes
from qhub.clouds.aws.autoscaling import autoscaler_rights, autoscaler_tags
from qhub.clouds.aws.cluster import admin_name, kubeconfig
from qhub.clouds.aws.identity import POD, trust
from qhub.clouds.aws.load_balancer import load_balancer_annotations
from qhub.clouds.aws.naming import partition, prefix
from qhub.clouds.aws.node_pools import autoscaling_group, groups_of
from qhub.clouds.aws.subnets import subnet_ranges
from qhub.config.aws import ADD_ONS, NARROWEST_VPC, WIDEST_VPC, ZONE_LETTERS
from qhub.config.cloud import Taint

letters = st.lists(st.sampled_from(ZONE_LETTERS), min_size=1, unique=True)
vpcs = st.builds(
    lambda length, bits: str(IPv4Network((bits >> (32 - length) << (32 - length), length))),
    st.integers(WIDEST_VPC, NARROWEST_VPC),
    st.integers(0, 2**32 - 1),
)


def zones(some: list[str]) -> list[str]:
    return [f"eu-west-1{letter}" for letter in some]


class TestSubnetRanges:
    @given(vpcs, letters)
    def test_they_lie_in_the_vpc_and_apart(self, cidr: str, some: list[str]) -> None:
        made = subnet_ranges(cidr, zones(some))
        ranges = [IPv4Network(text) for zone in made.values() for text in (zone.private, zone.public)]

        assert len(ranges) == 2 * len(some)
        assert all(one.subnet_of(IPv4Network(cidr)) for one in ranges)
        assert not any(one.overlaps(other) for one, other in combinations(ranges, 2))

    @given(vpcs, letters, st.randoms(use_true_random=False))
    def test_another_zone_or_another_order_moves_none(self, cidr: str, some: list[str], random: Any) -> None:
        before = subnet_ranges(cidr, zones(some[:-1]))
        random.shuffle(some)
        after = subnet_ranges(cidr, zones(some))

        assert {zone: after[zone] for zone in before} == before

    @given(vpcs, letters)
    def test_a_load_balancer_has_room_and_nodes_have_more(self, cidr: str, some: list[str]) -> None:
        for ranges in subnet_ranges(cidr, zones(some)).values():
            assert IPv4Network(ranges.public).prefixlen <= 27
            assert IPv4Network(ranges.private).num_addresses == 4 * IPv4Network(ranges.public).num_addresses

    def test_they_are_those_of_the_documentation(self) -> None:
        made = subnet_ranges("10.0.0.0/16", ["eu-west-1a", "eu-west-1f"])

        assert [(one.private, one.public) for one in made.values()] == [
            ("10.0.0.0/19", "10.0.192.0/21"),
            ("10.0.160.0/19", "10.0.232.0/21"),
        ]

    def test_a_zone_without_a_place_is_refused(self) -> None:
        with pytest.raises(ValueError, match="substring not found"):
            subnet_ranges("10.0.0.0/16", ["us-west-2-lax-1x"])


class TestGroups:
    @given(letters, st.integers(0, 20), st.integers(1, 20))
    def test_the_groups_of_general_have_its_minimum_together(self, some: list[str], least: int, most: int) -> None:
        groups = groups_of("general", zones=zones(some), at_least=least, at_most=most)

        assert sum(group.min for group in groups.values()) == least
        assert sorted(zone for group in groups.values() for zone in group.zones) == sorted(zones(some))
        assert {group.max for group in groups.values()} == {most}

    @given(letters, st.integers(0, 20), st.integers(0, 20))
    def test_those_of_another_pool_have_its_bounds_together(self, some: list[str], least: int, more: int) -> None:
        groups = groups_of("user", zones=zones(some), at_least=least, at_most=least + more)

        # Each in one zone: AWS stops nodes in use to keep a group even over several.
        assert {group.zones for group in groups.values()} == {(zone,) for zone in zones(some)}
        assert sum(group.min for group in groups.values()) == least
        assert sum(group.max for group in groups.values()) == least + more
        assert all(group.min <= group.max for group in groups.values())

    @given(
        st.lists(st.sampled_from(ZONE_LETTERS), min_size=2, unique=True),
        st.sampled_from(["general", "user"]),
        st.integers(0, 20),
    )
    def test_a_zone_more_raises_no_bounds(self, some: list[str], pool: str, least: int) -> None:
        # No node comes in the zones that are there.
        *first, _ = ordered = sorted(some)
        before = groups_of(pool, zones=zones(first), at_least=least, at_most=20)
        after = groups_of(pool, zones=zones(ordered), at_least=least, at_most=20)

        assert all(after[name].min <= group.min and after[name].max <= group.max for name, group in before.items())

    @given(letters, st.integers(0, 20), st.integers(1, 20))
    def test_a_spot_pool_is_one_group_whatever_the_order(self, some: list[str], least: int, most: int) -> None:
        groups = groups_of("worker", zones=zones(some), at_least=least, at_most=most, spot=True)

        assert groups.keys() == {""}
        assert groups == groups_of("worker", zones=zones(some[::-1]), at_least=least, at_most=most, spot=True)
        assert (groups[""].min, groups[""].max) == (least, most)


class TestNames:
    @given(st.from_regex(r"[a-z][a-z0-9-]{0,61}[a-z0-9]", fullmatch=True), st.sampled_from(["node", "autoscaler"]))
    def test_a_prefix_leaves_room_for_what_aws_adds_and_tells_what_it_is(self, cluster: str, what: str) -> None:
        made = prefix(cluster, what, longest=38)

        assert len(made) <= 38
        assert made.endswith(f"{what}-")
        assert not made.startswith("-")

    @given(st.text("abc-", min_size=1, max_size=63), st.text("abc-", min_size=1, max_size=63))
    def test_no_prefix_is_too_long(self, cluster: str, pool: str) -> None:
        assert len(prefix(cluster, pool, longest=37)) <= 37

    def test_two_accounts_may_have_a_role_of_one_name(self) -> None:
        one, other = (admin_name(f"arn:aws:iam::{account}:role/ops") for account in ("1" * 12, "2" * 12))

        assert one != other

    @pytest.mark.parametrize(
        ("region", "name"), [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-east-1", "aws-us-gov")]
    )
    def test_arns_are_of_the_regions_partition(self, region: str, name: str) -> None:
        assert partition(region) == name


class TestAutoscaler:
    def test_it_may_change_groups_of_its_own_cluster_alone(self) -> None:
        changes = [one for one in autoscaler_rights("team") if "Describe" not in str(one["Action"])]

        assert [one["Condition"] for one in changes] == [
            {"StringEquals": {"autoscaling:ResourceTag/eks:cluster-name": "team"}}
        ]

    def test_a_node_that_is_not_there_is_described_in_full(self) -> None:
        tags = autoscaler_tags(
            labels={"qhub.dev/pool": "gpu"},
            taints=[Taint(key="nvidia.com/gpu", value="present")],
            gpus=4,
            disk_size="200Gi",
            zone=None,
        )

        assert tags == {
            "k8s.io/cluster-autoscaler/node-template/label/qhub.dev/pool": "gpu",
            "k8s.io/cluster-autoscaler/node-template/taint/nvidia.com/gpu": "present:NoSchedule",
            "k8s.io/cluster-autoscaler/node-template/resources/ephemeral-storage": "200Gi",
            "k8s.io/cluster-autoscaler/node-template/resources/nvidia.com/gpu": "4",
        }

    def test_a_node_group_without_an_autoscaling_group_is_told(self) -> None:
        with pytest.raises(ValueError, match="look at its health"):
            autoscaling_group([])


class TestLoadBalancer:
    PREFIX = "service.beta.kubernetes.io/aws-load-balancer"

    def test_in_a_vpc_of_ours_subnets_are_found_by_their_tags(self) -> None:
        made = load_balancer_annotations(vpc_is_given=False, public_subnets={}, tags={"b": "2", "a": "1"})

        assert made == {
            f"{self.PREFIX}-type": "nlb",
            f"{self.PREFIX}-cross-zone-load-balancing-enabled": "true",
            f"{self.PREFIX}-additional-resource-tags": "a=1,b=2",
        }

    def test_without_public_subnets_it_is_reached_from_inside_alone(self) -> None:
        made = load_balancer_annotations(vpc_is_given=True, public_subnets={}, tags={})

        assert made[f"{self.PREFIX}-internal"] == "true"
        assert f"{self.PREFIX}-subnets" not in made


def test_pods_take_on_a_role_with_tags_of_their_session() -> None:
    assert json.loads(trust(POD))["Statement"][0]["Action"] == ["sts:AssumeRole", "sts:TagSession"]


def test_the_kubeconfig_holds_no_key() -> None:
    written = json.loads(kubeconfig(name="team", region="eu-west-1", server="https://a", authority="QQ=="))

    assert written["users"][0]["user"].keys() == {"exec"}
    assert "--region" in written["users"][0]["user"]["exec"]["args"]


def test_the_settings_know_the_add_ons_that_are_installed() -> None:
    installed = (*before_nodes(), *after_nodes(tags={}, file_system=True))

    assert sorted(add_on.name for add_on in installed) == sorted(ADD_ONS)
