"""A stand-in cloud behind the real engine: up, preview, no change, replace, refusals, faults, destroy."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from qhub.rehearsal.clouds.clock import SPEED_VARIABLE
from qhub.rehearsal.clouds.faults import FAULTS_VARIABLE
from qhub.rehearsal.clouds.world import WORLD_VARIABLE
from tests.engine.clouds.stack import CloudStack
from tests.engine.waiting import eventually

MakeStack = Callable[..., CloudStack]
VPC = "digitalocean:index/vpc:Vpc"
NFS = "digitalocean:index/nfs:Nfs"
REGISTRY = "digitalocean:index/containerRegistry:ContainerRegistry"
CLUSTER = "digitalocean:index/kubernetesCluster:KubernetesCluster"


def network(**changes: Any) -> list[Any]:
    return [VPC, {"region": "fra1", "ipRange": "10.20.0.0/20", **changes}]


def share(**changes: Any) -> list[Any]:
    return [NFS, {"name": "homes", "region": "fra1", "size": 100, "vpcId": "${net.id}", **changes}]


def kinds_left(stack: CloudStack) -> list[str]:
    return [record.type.rsplit(":", 1)[-1] for record in stack.world.left()]


def test_a_life_from_up_to_destroy(make_cloud_stack: MakeStack) -> None:
    stack = make_cloud_stack()
    stack.resources(net=network(), homes=share())
    assert stack.steps() == {
        stack.name + "-" + stack.name: "create",
        "digitalocean": "create",
        "net": "create",
        "homes": "create",
    }
    stack.up()
    assert kinds_left(stack) == ["Nfs", "Vpc"]
    assert stack.outputs()["homes-host"] == "10.20.0.2"
    assert stack.steps() == {}
    assert "dop_v1_the-token" not in stack.pulumi("stack", "export")

    stack.resources(net=network(), homes=share(size=200))
    assert stack.steps() == {"homes": "update"}
    stack.up()
    # A name was made up for the network, so the new one can come before the old one goes; the share's is given.
    stack.resources(net=network(ipRange="10.30.0.0/20"), homes=share(size=200))
    assert stack.steps().keys() == {"net", "homes"}
    before = len(stack.world.events())
    stack.up()
    order = [f"{event.operation} {event.name}" for event in stack.world.events()[before:]]
    assert order.index("create net") < order.index("delete net")
    assert order.index("delete homes") < order.index("create homes")
    assert stack.outputs()["homes-host"] == "10.30.0.2"
    assert kinds_left(stack) == ["Nfs", "Vpc"]

    assert stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    stack.destroy()
    assert stack.world.left() == []
    done = [(event.operation, event.name, event.result) for event in stack.world.events()]
    assert ("delete", "net", "done") in done
    took = [
        event.ended - event.began for event in stack.world.events() if event.type == NFS and event.operation == "create"
    ]
    assert all(seconds >= 90 for seconds in took)


@pytest.mark.parametrize(
    ("resource", "told"),
    [
        (network(ip_range="10.40.0.0/20"), ["there is no such property", "Did you mean 'ipRange'?"]),
        (network(region=7), ["must be a string, not a number"]),
        ([VPC, {"ipRange": "10.20.0.0/20"}], ["region", "is required and missing"]),
        (network(region="fra2"), ["'fra2' is not a region of DigitalOcean", "Did you mean 'fra1'?"]),
        (network(ipRange="10.244.3.0/24"), ["which DigitalOcean keeps to itself"]),
        (["digitalocean:index/droplet:Droplet", {}], ["does not simulate digitalocean:index/droplet:Droplet"]),
    ],
)
def test_what_is_wrong_is_told_in_the_preview(
    make_cloud_stack: MakeStack, resource: list[Any], told: list[str]
) -> None:
    stack = make_cloud_stack()
    stack.resources(net=resource)
    said = stack.pulumi("preview", fails=True)
    for words in [*told, "net"]:
        assert words in said
    assert stack.world.records() == []


def test_a_nested_mistake_is_told_with_its_path(make_cloud_stack: MakeStack) -> None:
    stack = make_cloud_stack()
    pool = {"name": "system", "size": "s-2vcpu-4gb", "nodeCount": 1, "taints": [{"key": "a", "effect": "NoSchedule"}]}
    stack.resources(cluster=[CLUSTER, {"region": "fra1", "version": "1.34", "nodePool": pool}])
    said = stack.pulumi("preview", fails=True)
    assert "'cluster'" in said
    assert "nodePool.taints[0].value" in said
    assert "is required and missing" in said


def test_the_cloud_refuses_when_things_are_made(make_cloud_stack: MakeStack) -> None:
    stack = make_cloud_stack()
    stack.resources(net=network(), other=network(ipRange="10.20.8.0/24"))
    said = stack.up(fails=True)
    assert "overlaps 10.20." in said
    assert len(stack.world.left()) == 1
    assert [event.result for event in stack.world.events()].count("failed") == 1


def test_a_fault_happens_as_often_as_asked_and_leaves_what_a_cloud_leaves(make_cloud_stack: MakeStack) -> None:
    faults = [
        {"type": "*:Nfs", "operation": "create", "times": 1, "after": 60, "message": "no space left in fra1"},
        {"quota": 0, "type": REGISTRY, "message": "your account cannot have a registry"},
    ]
    stack = make_cloud_stack(**{FAULTS_VARIABLE: json.dumps(faults)})
    stack.resources(net=network(), homes=share())
    said = stack.up(fails=True)
    assert 'Nfs "homes": no space left in fra1' in said
    assert [record.ready for record in stack.world.left()] == [False, True]
    stack.up()
    assert all(record.ready for record in stack.world.left())
    stack.resources(
        net=network(), homes=share(), images=[REGISTRY, {"name": "images", "subscriptionTierSlug": "basic"}]
    )
    assert "your account cannot have a registry" in stack.up(fails=True)
    stack.destroy()
    assert stack.world.left() == []


def test_a_network_in_use_is_not_deleted(make_cloud_stack: MakeStack) -> None:
    stack = make_cloud_stack()
    stack.resources(net=network(), homes=share())
    stack.up()
    said = stack.pulumi(
        "destroy",
        "--yes",
        "--skip-preview",
        "--target-dependents",
        "--target",
        f"urn:pulumi:{stack.name}::{stack.name}::{NFS}::homes",
    )
    assert "homes" in said
    assert kinds_left(stack) == ["Vpc"]
    stack.destroy()


def test_without_a_rehearsal_the_stand_in_does_nothing(make_cloud_stack: MakeStack) -> None:
    stack = make_cloud_stack()
    stack.resources(net=network())
    del stack.engine[WORLD_VARIABLE]
    assert "for rehearsals only" in stack.pulumi("preview", fails=True)


def test_an_interrupted_run_is_gone_on_with(make_cloud_stack: MakeStack) -> None:
    # At real speed, the network takes 3 s.
    stack = make_cloud_stack(**{SPEED_VARIABLE: "1"})
    stack.resources(net=network())
    process = stack.start("up", "--yes", "--skip-preview")
    eventually(stack.world.records)
    process.send_signal(signal.SIGINT)
    said = process.communicate()[0]
    assert process.returncode != 0
    assert "cancelled" in said
    made = stack.world.records()[0]
    assert not made.ready
    stack.up()
    assert [(one.id, one.ready) for one in stack.world.left()] == [(made.id, True)]
    assert [event.result for event in stack.world.events()] == ["cancelled", "done"]
    stack.destroy()
    assert stack.world.left() == []
