"""The rules that every cloud has, on a resource whose inputs are known, partly known, or wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qhub.rehearsal.clouds import rules
from qhub.rehearsal.clouds.resource import Check, CloudDefinition, ResourceType
from qhub.rehearsal.clouds.subject import Refused, Subject
from qhub.rehearsal.clouds.world import Record, World
from qhub.rehearsal.plugins.wire import UNKNOWN

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A network with two ranges and one subnet in it."""
    world = World(tmp_path)
    network = {"cidrBlock": "10.0.0.0/16", "more": ["10.1.0.0/16"], "arn": "arn:vpc"}
    world.put(Record(cloud="aws", type=VPC, id="vpc-1", name="network", urn="", inputs=network, outputs=network))
    subnet = {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24"}
    world.put(Record(cloud="aws", type=SUBNET, id="subnet-1", name="private-a", urn="", inputs=subnet, outputs=subnet))
    return world


def found(rule: Check, world: World, inputs: dict[str, Any], **values: Any) -> list[str]:
    subject = Subject(cloud="aws", token=SUBNET, name="private-b", urn="", inputs=inputs, world=world, **values)
    return [f"{path}: {text}" for path, text in rule(subject)]


RANGE = rules.address_range("cidrBlock", largest=16, smallest=28, private=True)
INSIDE = rules.inside_range("cidrBlock", VPC, reference="vpcId", of=("cidrBlock", "more[*]"))
APART = rules.no_overlap("cidrBlock", SUBNET, same=("vpcId",))


@pytest.mark.parametrize(
    ("rule", "inputs", "words"),
    [
        (RANGE, {"cidrBlock": "10.0.0.0/16"}, None),
        (RANGE, {"cidrBlock": UNKNOWN}, None),
        (RANGE, {}, None),
        (RANGE, {"cidrBlock": "10.0.0.1/16"}, "is not an IPv4 range"),
        (RANGE, {"cidrBlock": "ten"}, "is not an IPv4 range"),
        (RANGE, {"cidrBlock": "10.0.0.0/8"}, "between a /16 and a /28"),
        (RANGE, {"cidrBlock": "8.8.0.0/16"}, "must be a private range"),
        (rules.matches("name", "[a-z]+", "small letters"), {"name": "Team"}, "'Team' must be small letters"),
        (rules.matches("names[*]", "[a-z]+", "small letters"), {"names": ["a", UNKNOWN, "B"]}, "names[2]: 'B'"),
        (rules.one_of("zone", ["eu-west-1a"], "a zone"), {"zone": "eu-west-a"}, "Did you mean 'eu-west-1a'?"),
        (rules.between("size", 1, 5), {"size": 6}, "6 must be between 1 and 5"),
        (rules.exactly_one_of("a", "b"), {"a": UNKNOWN}, None),
        (rules.exactly_one_of("a", "b"), {}, "exactly one of a, b must be given, not 0"),
        (rules.exactly_one_of("a", "b"), {"a": 1, "b": UNKNOWN}, "not 2"),
        (rules.refers_to("vpcId", VPC), {"vpcId": "vpc-1"}, None),
        (rules.refers_to("vpcId", VPC), {"vpcId": "vpc-2"}, "there is no Vpc whose id is 'vpc-2'"),
        (rules.refers_to("arn", VPC, by="arn"), {"arn": "arn:vpc"}, None),
        (rules.refers_to("ids[*]", VPC), {"ids": ["vpc-1", "vpc-2"]}, "ids[1]: there is no Vpc"),
        (INSIDE, {"vpcId": "vpc-1", "cidrBlock": "10.0.9.0/24"}, None),
        (INSIDE, {"vpcId": "vpc-1", "cidrBlock": "10.1.9.0/24"}, None),
        (
            INSIDE,
            {"vpcId": "vpc-1", "cidrBlock": "10.2.9.0/24"},
            'is not inside 10.0.0.0/16, 10.1.0.0/16 of Vpc "network"',
        ),
        (APART, {"vpcId": "vpc-1", "cidrBlock": "10.0.2.0/24"}, None),
        (APART, {"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/22"}, 'overlaps 10.0.1.0/24 of Subnet "private-a"'),
        (APART, {"vpcId": "vpc-2", "cidrBlock": "10.0.0.0/22"}, None),
        (rules.not_protected("deletionProtection"), {"deletionProtection": True}, "deletion protection is on"),
        (rules.not_protected("deletionProtection"), {"deletionProtection": False}, None),
    ],
)
def test_a_rule(world: World, rule: Check, inputs: dict[str, Any], words: str | None) -> None:
    problems = found(rule, world, inputs)
    assert (problems == []) if words is None else (len(problems) == 1 and words in problems[0]), problems


def test_a_resource_is_not_its_own_neighbour(world: World) -> None:
    assert found(APART, world, {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24"}, id="subnet-1") == []


def test_what_is_in_use_is_named_with_its_user(world: World) -> None:
    rule = rules.not_used_by(SUBNET, "vpcId")
    vpc = Subject(cloud="aws", token=VPC, name="network", urn="", inputs={}, world=world, id="vpc-1")
    assert list(rule(vpc)) == [("", 'Subnet "private-a" still uses it (vpcId)')]


def test_ids_stay_for_the_life_of_a_resource(world: World) -> None:
    def subject(seed: str) -> Subject:
        return Subject(cloud="aws", token=VPC, name="network", urn="", inputs={}, world=world, seed=seed)

    first, again, other = subject("a"), subject("a"), subject("b")
    assert (first.hex(17), first.digits(12), first.uuid()) == (again.hex(17), again.digits(12), again.uuid())
    assert first.hex(17) != other.hex(17)
    assert first.hex(17, "id") != first.hex(17, "arn")
    assert len(first.hex(100)) == 100
    assert len(first.digits(12)) == 12
    assert first.digits(12)[0] != "0"


def test_what_a_subject_knows(world: World) -> None:
    inputs = {"known": {"a": [1, UNKNOWN]}, "unknown": UNKNOWN, "null": None}
    subject = Subject(cloud="aws", token=VPC, name="n", urn="", inputs=inputs, world=world, old_inputs={"known": 1})
    assert subject.get("unknown", "default") == "default"
    assert subject.get("known.a[0]") == 1
    assert subject.given("unknown")
    assert not subject.given("null")
    assert subject.known("nothing")
    assert not subject.known("known")
    assert list(subject.each("known.a[*]")) == [("known.a[0]", 1)]
    assert subject.changed("known")
    with pytest.raises(Refused, match=r"unknown: there is no Vpc"):
        subject.require(VPC, "unknown")


def test_a_definition_with_a_mistake_is_refused() -> None:
    with pytest.raises(ValueError, match="not a type token"):
        ResourceType(token="Vpc")
    with pytest.raises(ValueError, match="defined twice: aws:ec2/vpc:Vpc"):
        CloudDefinition(package="aws", sdk="pulumi_aws", resources=(ResourceType(token=VPC), ResourceType(token=VPC)))
