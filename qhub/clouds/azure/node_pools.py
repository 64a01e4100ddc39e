"""Node pools of an AKS cluster, one resource for each: adding, removing or reordering one touches no other.

**What cannot be changed.** AKS cannot give a pool other machines, zones, disks, another subnet or priority. A pool's
name on AKS holds a digest of these, so that another value makes a new pool before the old one is drained. In the
settings a pool may have any name, as on the other clouds, although AKS wants twelve small letters and digits.

**Number of nodes.** It is never sent: AKS starts with `min`, and from then on it belongs to the autoscaler, which AKS
runs. Azure's own Terraform module leaves it out too (Azure/terraform-azurerm-avm-res-containerservice-managedcluster,
`modules/agentpool/locals.tf`). `min` and `max` change in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_azure_native as azure

from qhub.clouds.azure.cluster import MOST_PODS
from qhub.clouds.azure.naming import agent_pool_name
from qhub.config.quantities import parse_size

if TYPE_CHECKING:
    from qhub.config.azure import AzureCluster
    from qhub.config.cloud import Taint

#: What AKS puts on spot nodes beside their taint (learn.microsoft.com/azure/aks/spot-node-pool).
SPOT_LABEL = {"kubernetes.azure.com/scalesetpriority": "spot"}
#: No price is too high: then a spot node goes only when its room is wanted, never for its price.
NO_PRICE_LIMIT = -1.0
#: Nodes of a pool that an upgrade replaces at a time; each is there before an old one goes.
SURGE = "33%"
#: An upgrade drains node after node, each with up to half an hour for its pods to go.
PATIENCE = pulumi.CustomTimeouts(create="45m", update="120m", delete="60m")

_GIB = 1024**3


@dataclass(frozen=True, kw_only=True)
class AksNodePoolsArgs:
    """What the node pools are made from.

    Attributes:
        settings: the section `cluster`.
        resource_group: name of the resource group.
        cluster_name: of the AKS cluster; an output, so that it is there first.
        subnet_id: subnet of the nodes.
        tags: tags; they get to the nodes' machines and disks.
    """

    settings: AzureCluster
    resource_group: pulumi.Input[str]
    cluster_name: pulumi.Input[str]
    subnet_id: pulumi.Input[str]
    tags: Mapping[str, str]


class AksNodePools(pulumi.ComponentResource):
    """The node pools.

    Creates:
        an AgentPool for each pool of the settings.

    Attributes:
        pools: the pools by their name in the settings.
    """

    pools: Mapping[str, azure.containerservice.AgentPool]

    def __init__(self, name: str, args: AksNodePoolsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:azure:NodePools", name, None, opts)
        self._args = args
        self.pools = {pool: self._pool(f"{name}-{pool}", pool) for pool in args.settings.node_pools}
        self.register_outputs({})

    def _pool(self, name: str, pool: str) -> azure.containerservice.AgentPool:
        args, settings = self._args, self._args.settings
        wanted = settings.node_pools[pool]
        zones = sorted(wanted.zones or settings.zones)
        disk = disk_size(wanted.disk_size)
        fixed = (wanted.instance_type, disk, zones, wanted.spot, settings.network.subnet_id)
        return azure.containerservice.AgentPool(
            name,
            agent_pool_name=agent_pool_name(pool, fixed=fixed),
            resource_group_name=args.resource_group,
            resource_name_=args.cluster_name,
            mode=azure.containerservice.AgentPoolMode.USER,
            type=azure.containerservice.AgentPoolType.VIRTUAL_MACHINE_SCALE_SETS,
            orchestrator_version=settings.version,
            # Its size says whether that is amd64 or arm64, and which GPU there is.
            vm_size=wanted.instance_type,
            os_type=azure.containerservice.OSType.LINUX,
            os_sku=azure.containerservice.OSSKU.UBUNTU,
            # Left out, AKS would choose by the machine's cache: a pool's disk would be another with each size.
            os_disk_type=azure.containerservice.OSDiskType.MANAGED,
            os_disk_size_gb=disk,
            enable_auto_scaling=True,
            min_count=wanted.min,
            max_count=wanted.max,
            max_pods=MOST_PODS,
            availability_zones=zones or None,
            vnet_subnet_id=args.subnet_id,
            node_labels={**settings.pool_labels(pool), **(SPOT_LABEL if wanted.spot else {})},
            # With what AKS adds by itself: left out, an update would ask to take that away.
            node_taints=[taint_text(one) for one in (*settings.pool_taints(pool), *settings.added_taints(wanted))],
            gpu_profile=None if wanted.gpu is None else {"driver": azure.containerservice.GPUDriver.INSTALL},
            scale_set_priority=azure.containerservice.ScaleSetPriority.SPOT
            if wanted.spot
            else azure.containerservice.ScaleSetPriority.REGULAR,
            scale_set_eviction_policy=azure.containerservice.ScaleSetEvictionPolicy.DELETE if wanted.spot else None,
            spot_max_price=NO_PRICE_LIMIT if wanted.spot else None,
            # AKS upgrades spot pools without nodes to spare.
            upgrade_settings=None if wanted.spot else {"max_surge": SURGE},
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["count"], custom_timeouts=PATIENCE),
        )


def disk_size(size: str) -> int:
    """Return a Kubernetes quantity in whole GiB, rounded up."""
    return -(-parse_size(size) // _GIB)


def taint_text(taint: Taint) -> str:
    """Return a taint as the kubelet reads it: `key=value:effect`, without a value `key:effect`."""
    return f"{taint.key}={taint.value}:{taint.effect}" if taint.value else f"{taint.key}:{taint.effect}"
