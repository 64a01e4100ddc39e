"""What the cluster's own pool and the other pools have in common."""

from __future__ import annotations

from typing import Any

from qhub.config import instances
from qhub.rehearsal.clouds import kubernetes
from qhub.rehearsal.clouds.resource import Check
from qhub.rehearsal.clouds.rules import Problems, one_of
from qhub.rehearsal.clouds.subject import Subject
from qhub.rehearsal.clouds.world import Record

CLOUD = "digitalocean"
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def pool_checks(prefix: str = "") -> tuple[Check, ...]:
    """Return the checks of a pool whose inputs lie at `prefix` (`nodePool.`)."""

    def numbers(subject: Subject) -> Problems:
        least, most = subject.get(f"{prefix}minNodes"), subject.get(f"{prefix}maxNodes")
        count = subject.get(f"{prefix}nodeCount")
        if subject.get(f"{prefix}autoScale") is True:
            if most is None and subject.known(f"{prefix}maxNodes"):
                yield f"{prefix}maxNodes", "is required with autoScale"
            if least is not None and most is not None and least > most:
                yield f"{prefix}minNodes", f"{least} is more than maxNodes ({most})"
        elif not subject.given(f"{prefix}nodeCount"):
            yield f"{prefix}nodeCount", "is required without autoScale"
        for key, value in (("minNodes", least), ("maxNodes", most), ("nodeCount", count)):
            if value is not None and value < 0:
                yield f"{prefix}{key}", f"{value} must be at least 0"

    return (
        numbers,
        one_of(f"{prefix}size", instances.names(CLOUD), "a size of droplet in the catalogue"),
        one_of(f"{prefix}taints[*].effect", EFFECTS, "an effect of a taint"),
    )


def set_nodes(subject: Subject, cluster: Record, pool: dict[str, Any], *, region: str, pool_id: str) -> None:
    """Bring the nodes of a pool into being, or change them.

    Args:
        subject: the cluster or the pool.
        cluster: record of the cluster.
        pool: inputs of the pool.
        region: region.
        pool_id: id of the pool, a label of its nodes.
    """
    instance = instances.find(CLOUD, pool["size"])
    # DOKS puts this taint on nodes with NVIDIA GPUs by itself.
    gpus = [{"key": "nvidia.com/gpu", "value": "", "effect": "NoSchedule"}] if instance and instance.gpus else []
    count = pool.get("nodeCount") or 0
    scales = bool(pool.get("autoScale"))
    kubernetes.set_pool(
        subject,
        cluster,
        cloud=CLOUD,
        name=pool["name"],
        instance_type=pool["size"],
        min=(pool.get("minNodes") or 0) if scales else count,
        max=pool["maxNodes"] if scales else count,
        region=region,
        labels={
            **(pool.get("labels") or {}),
            "doks.digitalocean.com/node-pool": pool["name"],
            "doks.digitalocean.com/node-pool-id": pool_id,
            "doks.digitalocean.com/version": cluster.get("version", ""),
        },
        taints=[*(pool.get("taints") or ()), *gpus],
    )


def node_count(pool: dict[str, Any]) -> int:
    """Return how many nodes a pool begins with."""
    return max(pool.get("nodeCount") or 0, pool.get("minNodes") or 0)
