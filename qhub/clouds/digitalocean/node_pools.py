"""Node pools of a DOKS cluster, one resource for each: adding, removing or reordering one touches no other.

DOKS cannot change the size of a pool's Droplets: another instance type is another pool. Names are unique in a cluster,
so a pool's name holds its size: the new pool is there before the old one goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_digitalocean as digitalocean

from qhub.config.digitalocean import pool_name

if TYPE_CHECKING:
    from pulumi_digitalocean import KubernetesNodePoolTaintArgsDict

    from qhub.config import digitalocean as config


@dataclass(frozen=True, kw_only=True)
class DoksNodePoolsArgs:
    """What the node pools are given.

    Attributes:
        section: the `cluster` section.
        cluster_id: id of the cluster.
        tags: for every pool; they get to its Droplets.
    """

    section: config.DigitalOceanCluster
    cluster_id: pulumi.Input[str]
    tags: tuple[str, ...]


class DoksNodePools(pulumi.ComponentResource):
    """The node pools.

    Creates:
        a KubernetesNodePool for each pool of the settings.

    Attributes:
        pools: the pools by name.
    """

    pools: Mapping[str, digitalocean.KubernetesNodePool]

    def __init__(self, name: str, args: DoksNodePoolsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:digitalocean:NodePools", name, None, opts)
        self.pools = {pool: self._pool(f"{name}-{pool}", pool, args) for pool in args.section.node_pools}
        self.register_outputs({})

    def _pool(self, name: str, pool: str, args: DoksNodePoolsArgs) -> digitalocean.KubernetesNodePool:
        settings = args.section.node_pools[pool]
        return digitalocean.KubernetesNodePool(
            name,
            cluster_id=args.cluster_id,
            name=pool_name(pool, settings.instance_type),
            size=settings.instance_type,
            auto_scale=True,
            min_nodes=settings.min,
            max_nodes=settings.max,
            labels=args.section.pool_labels(pool),
            taints=pool_taints(args.section, pool),
            tags=list(args.tags),
            # The autoscaler's number. With a change the provider sends what the state has: `qhub/config/refresh.py`.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["nodeCount"]),
        )


def pool_taints(section: config.DigitalOceanCluster, pool: str) -> list[KubernetesNodePoolTaintArgsDict]:
    """Return the taints of a pool in the words of the API."""
    return [{"key": one.key, "value": one.value, "effect": one.effect} for one in section.pool_taints(pool)]
