"""Node pools beside the cluster's own."""

from __future__ import annotations

from typing import Any

from qhub.rehearsal.clouds import kubernetes
from qhub.rehearsal.clouds.digitalocean.pools import node_count, pool_checks, set_nodes
from qhub.rehearsal.clouds.digitalocean.tokens import CLUSTER, NODE_POOL, tags
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.clouds.rules import Problems, matches, refers_to
from qhub.rehearsal.clouds.subject import Subject


def _name_is_free(subject: Subject) -> Problems:
    cluster = subject.find(CLUSTER, subject.get("clusterId"))
    if cluster is not None and cluster.get("nodePool.name") == subject.get("name"):
        yield "name", f'{subject.get("name")} is the name of the own pool of cluster "{cluster.name}"'


def _set_nodes(subject: Subject) -> None:
    cluster = subject.require(CLUSTER, "clusterId")
    set_nodes(subject, cluster, subject.inputs, region=cluster.get("region"), pool_id=subject.id)


def _remove_nodes(subject: Subject) -> None:
    kubernetes.remove_pool(subject, subject.find(CLUSTER, subject.get("clusterId")), subject.inputs["name"])


def _outputs(subject: Subject) -> dict[str, Any]:
    return {"actualNodeCount": node_count(subject.inputs), "nodes": []}


NODE_POOL_TYPE = ResourceType(
    token=NODE_POOL,
    # The nodes' own time comes from the simulated Kubernetes; a pool without nodes is there at once.
    create_seconds=10,
    update_seconds=10,
    delete_seconds=60,
    autoname=AutoName(),
    unique=("clusterId", "name"),
    replaced_by=("clusterId", "size", "gpuPartitionMode"),
    defaults={"autoScale": False},
    outputs=_outputs,
    checks=(
        tags(),
        matches("name", r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", "1 to 63 of a-z, 0-9 and inner '-'"),
        *pool_checks(),
    ),
    conditions=(refers_to("clusterId", CLUSTER), _name_is_free),
    during_create=_set_nodes,
    after_update=_set_nodes,
    after_delete=_remove_nodes,
)
