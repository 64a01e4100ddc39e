"""Node pools of the settings in the form that the platform reads. The same for every cloud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qhub.clouds.cluster import Gpu, NodePool
from qhub.config import node_pools as config
from qhub.config.quantities import parse_size


def node_pools(pools: Mapping[str, config.NodePool]) -> dict[str, NodePool]:
    """Return node pools in the form the platform reads: bytes, and the keys of Kubernetes."""
    return {
        name: NodePool(
            node_selector=pool.node_selector,
            tolerations=tuple(_toleration(toleration) for toleration in pool.tolerations),
            cpu=pool.cpu,
            memory=None if pool.memory is None else parse_size(pool.memory),
            gpu=None if pool.gpu is None else Gpu(count=pool.gpu.count, resource=pool.gpu.resource),
            architecture=pool.architecture,
            spot=pool.spot,
        )
        for name, pool in pools.items()
    }


def _toleration(toleration: config.Toleration) -> dict[str, Any]:
    """Return a toleration with the keys of `core/v1`, without those that are not set."""
    made = toleration.model_dump(exclude_none=True)
    if "toleration_seconds" in made:
        made["tolerationSeconds"] = made.pop("toleration_seconds")
    return made
