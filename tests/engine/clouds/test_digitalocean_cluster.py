"""A DOKS cluster of the simulated cloud: a real API server with nodes of the right size, gone after a destroy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qhub.rehearsal.simulated import all_kubernetes, kubernetes_of
from tests.engine.clouds.stack import CloudStack

CLUSTER = "digitalocean:index/kubernetesCluster:KubernetesCluster"
POOL = "digitalocean:index/kubernetesNodePool:KubernetesNodePool"
VPC = "digitalocean:index/vpc:Vpc"


def resources(**pool: Any) -> dict[str, list[Any]]:
    system = {"name": "system", "size": "s-2vcpu-4gb", "nodeCount": 1}
    cluster = {"name": "team", "region": "fra1", "version": "1.34", "vpcUuid": "${net.id}", "nodePool": system}
    user = {
        "clusterId": "${team.id}",
        "name": "user",
        "size": "g-4vcpu-16gb",
        "autoScale": True,
        "minNodes": 1,
        "maxNodes": 3,
        "labels": {"qhub.dev/pool": "user"},
        **pool,
    }
    return {"net": [VPC, {"region": "fra1"}], "team": [CLUSTER, cluster], "user": [POOL, user]}


def test_a_cluster_has_its_nodes_and_leaves_nothing(make_cloud_stack: Callable[..., CloudStack]) -> None:
    stack = make_cloud_stack()
    stack.resources(**resources())
    said = stack.up()
    kubernetes = kubernetes_of(stack.world.folder, cloud="digitalocean", name="team", region="fra1")
    assert [(node.pool, node.instance_type, node.ready) for node in kubernetes.nodes()] == [
        ("system", "s-2vcpu-4gb", True),
        ("user", "g-4vcpu-16gb", True),
    ]
    made = stack.outputs()["team-kubeConfigs"][0]
    assert made["host"] == kubernetes.endpoint().server
    assert made["token"] not in said
    assert made["token"] not in stack.pulumi("stack", "export")

    # The cloud runs a patch of the minor version that was asked for; without ignoreChanges that is another cluster.
    assert stack.steps()["team"] in ("replace", "create-replacement")
    assert "is gone" not in stack.pulumi("refresh", "--yes", "--skip-preview")

    stack.destroy()
    assert stack.world.left() == []
    assert all_kubernetes(stack.world.folder) == []
