"""Node pools of a GKE cluster, one resource for each: adding, removing or reordering one touches no other.

GKE's autoscaler says how many nodes there are, between the pool's `min` and `max` over all of its zones. `min` is how
far it goes down: it never makes nodes for it (hashicorp/terraform-provider-google#8270). So a pool begins with that
many, and from then on no number of nodes is sent; a `min` that is raised later holds from the next growth on. Another
number to begin with would replace the pool, which is why changes of it are ignored.

Another `spot`, GPU or architecture (which decides on secure boot) replaces a pool all the same, and the old one is
deleted before the new one is there: two pools cannot have one name, and a pool has the one of the settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_gcp as gcp

from qhub.clouds.gcp.cluster import SCOPES
from qhub.config.gcp_machines import accelerator, architecture, boot_disk
from qhub.config.quantities import parse_size

if TYPE_CHECKING:
    from pulumi_gcp.container import NodePoolNodeConfigArgsDict, NodePoolUpgradeSettingsArgsDict

    from qhub.clouds.gcp.cluster import GkeCluster
    from qhub.clouds.gcp.network import GcpNetwork
    from qhub.config import gcp as config
    from qhub.config.cloud import CloudNodePool

#: Words of Kubernetes -> words of Google's API.
EFFECTS = {"NoSchedule": "NO_SCHEDULE", "PreferNoSchedule": "PREFER_NO_SCHEDULE", "NoExecute": "NO_EXECUTE"}
#: GKE taints nodes with GPUs only where a pool without them is there already. One that is always there, whatever others
#: come and go, and that is soon made: `general`, the last resort, waits for its first node.
BEFORE_GPUS = ("user", "worker", "general")
_GIB = 1024**3


@dataclass(frozen=True, kw_only=True)
class GkeNodePoolsArgs:
    """What the node pools are made from.

    Attributes:
        section: the `cluster` section.
        cluster: the cluster.
        labels: for the nodes' machines and disks.
        network: its network.
    """

    section: config.GcpCluster
    cluster: GkeCluster
    labels: Mapping[str, str]
    network: GcpNetwork


class GkeNodePools(pulumi.ComponentResource):
    """The node pools.

    Creates:
        a NodePool for each pool of the settings.

    Attributes:
        pools: the pools by name.
    """

    pools: Mapping[str, gcp.container.NodePool]

    def __init__(self, name: str, args: GkeNodePoolsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:gcp:NodePools", name, None, opts)
        # Nodes need a way out for their first image, and their role for their first log line.
        before: list[pulumi.Resource] = [args.cluster.nodes_may, *args.network.ready]
        pools = args.section.node_pools
        made = {pool: self._pool(name, pool, args, before) for pool in pools if pools[pool].gpu is None}
        if first := next((pool for pool in BEFORE_GPUS if pool in made), None):
            before = [*before, made[first]]
        made |= {pool: self._pool(name, pool, args, before) for pool in pools if pools[pool].gpu is not None}
        self.pools = {pool: made[pool] for pool in pools}
        self.register_outputs({})

    def _pool(
        self, name: str, pool: str, args: GkeNodePoolsArgs, before: list[pulumi.Resource]
    ) -> gcp.container.NodePool:
        settings = args.section.node_pools[pool]
        zones = list(settings.zones or args.section.zones)
        return gcp.container.NodePool(
            f"{name}-{pool}",
            name=pool,
            cluster=args.cluster.cluster.name,
            location=args.section.region,
            # Always said: left out later, GKE would keep what was said before.
            node_locations=zones,
            initial_node_count=first_nodes(settings, zones=zones),
            autoscaling={
                "total_min_node_count": settings.min,
                "total_max_node_count": settings.max,
                # Spot machines are taken where there are any, the others evenly.
                "location_policy": "ANY" if settings.spot else "BALANCED",
            },
            ignore_node_count_changes=True,
            management={"auto_repair": True, "auto_upgrade": True},
            upgrade_settings=upgrade_settings(settings),
            node_config=node_config(args.section, pool, labels=args.labels, account=args.cluster.nodes.email),
            opts=pulumi.ResourceOptions(parent=self, depends_on=before, ignore_changes=["initialNodeCount"]),
        )


def first_nodes(pool: CloudNodePool, *, zones: Sequence[str]) -> int | None:
    """Return with how many nodes in each zone a pool begins; None with none.

    Together they are the pool's `min` or, where that cannot be shared out evenly, the next number that can, if the pool
    may have so many: the autoscaler takes away what is too much. Not so with GPUs, of which the quota may be just that.
    """
    fewer, more = pool.min // len(zones), -(-pool.min // len(zones))
    return (fewer if pool.gpu or more * len(zones) > pool.max else more) or None


def upgrade_settings(pool: CloudNodePool) -> NodePoolUpgradeSettingsArgsDict:
    """Return how a pool is upgraded: a new node comes before an old one goes.

    Not so with GPUs, of which quota and zone seldom have one more: there one goes first.
    """
    surge = 0 if pool.gpu else 1
    return {"strategy": "SURGE", "max_surge": surge, "max_unavailable": 1 - surge}


def node_config(
    section: config.GcpCluster, name: str, *, labels: Mapping[str, str], account: pulumi.Input[str]
) -> NodePoolNodeConfigArgsDict:
    """Return what the nodes of a pool are.

    Args:
        section: the `cluster` section.
        name: the pool.
        labels: for the machines, beside the labels that Kubernetes sees.
        account: e-mail of the nodes' service account.
    """
    pool = section.node_pools[name]
    made: NodePoolNodeConfigArgsDict = {
        "machine_type": pool.instance_type,
        # For Intel, AMD and Arm alike.
        "image_type": "COS_CONTAINERD",
        "disk_size_gb": -(-parse_size(pool.disk_size) // _GIB),
        "disk_type": boot_disk(pool),
        "spot": pool.spot,
        "service_account": account,
        "oauth_scopes": list(SCOPES),
        # A pod that asks who it is gets its own identity, never the node's.
        "workload_metadata_config": {"mode": "GKE_METADATA"},
        "shielded_instance_config": {
            # The driver of a GPU is a module that secure boot may refuse, and Arm machines may not have secure boot.
            "enable_secure_boot": pool.gpu is None and architecture(pool) == "amd64",
            "enable_integrity_monitoring": True,
        },
        "labels": section.pool_labels(name),
        "taints": [
            {"key": taint.key, "value": taint.value, "effect": EFFECTS[taint.effect]}
            for taint in section.pool_taints(name)
        ],
        "resource_labels": dict(labels),
    }
    kind = accelerator(pool)
    if pool.gpu is not None and kind is not None:
        # Said for machines that bring their GPUs too: only so does GKE put the driver on. The latest, because images
        # for machine learning come with a CUDA that an older driver refuses.
        made["guest_accelerators"] = [
            {
                "type": kind,
                "count": pool.gpu.count,
                "gpu_driver_installation_config": {"gpu_driver_version": "LATEST"},
            }
        ]
    return made
