"""A cluster on Azure (AKS).

| file | what it makes |
|---|---|
| `resource_group.py` | resource group |
| `network.py` | virtual network, the nodes' subnet, the way out |
| `cluster.py`, `kubeconfig.py` | control plane with its own small pool, its identity, the Kubernetes provider |
| `node_pools.py` | node pools by name |
| `file_system.py` | NFS share on Azure Files, where the settings ask for a managed file system |
| `registry.py` | container registry |
| `dns.py` | record and rights in a zone on Azure DNS, where the settings name one |
| `identity.py`, `naming.py` | rights of identities, names and tags |

Who runs `pulumi` is signed in to Azure (`az login`, or `ARM_CLIENT_ID` and its like) and may make resources and role
assignments: Owner of the subscription or of the resource group that is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pulumi
import pulumi_azure_native as azure

from qhub.clouds.azure.cluster import AksCluster, AksClusterArgs
from qhub.clouds.azure.dns import AzureDns, AzureDnsArgs
from qhub.clouds.azure.file_system import AzureFileSystem, AzureFileSystemArgs
from qhub.clouds.azure.naming import all_tags
from qhub.clouds.azure.network import AzureNetwork, AzureNetworkArgs
from qhub.clouds.azure.node_pools import AksNodePools, AksNodePoolsArgs
from qhub.clouds.azure.registry import AzureRegistry, AzureRegistryArgs
from qhub.clouds.azure.resource_group import AzureResourceGroup, AzureResourceGroupArgs
from qhub.clouds.cluster import Cluster, DnsZone
from qhub.clouds.node_pools import node_pools as pools_of
from qhub.config.dns import AzureDns as AzureDnsSection
from qhub.config.storage import ManagedStorage

if TYPE_CHECKING:
    from qhub.config import Settings
    from qhub.config.azure import AzureCluster

#: Of AKS, on its driver for disks; it can grow (`allowVolumeExpansion`).
BLOCK_STORAGE_CLASS = "managed-csi"
#: For a Service of type LoadBalancer. A notebook's connection may be silent for longer than Azure's four minutes; 30 is
#: what Microsoft's own examples take (learn.microsoft.com/azure/aks/load-balancer-standard).
LOAD_BALANCER_ANNOTATIONS = {"service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout": "30"}


def make(settings: Settings, *, opts: pulumi.ResourceOptions | None = None) -> Cluster:
    """Make an AKS cluster with its network, and what the settings ask for beside it.

    Creates:
        Azure's provider, `AzureResourceGroup`, `AzureNetwork`, `AksCluster`, `AksNodePools`; `AzureRegistry` with
        `cluster.registry`; `AzureFileSystem` with `storage.kind: managed` and no server; `AzureDns` with
        `dns.provider: azure-dns`.
    """
    section = cast("AzureCluster", settings.cluster)
    tags = all_tags(section, stack=settings.stack)
    provider = azure.Provider("azure", location=section.region, subscription_id=section.subscription_id, opts=opts)
    own = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(providers=[provider]))
    storage = settings.storage
    shared = storage if isinstance(storage, ManagedStorage) and storage.server is None else None
    group = AzureResourceGroup(
        "resource-group",
        AzureResourceGroupArgs(
            name=section.name,
            given=section.resource_group,
            location=section.region,
            protect=section.protect,
            keep=shared is not None and shared.protect,
            tags=tags,
        ),
        own,
    ).name
    network = AzureNetwork(
        "network",
        AzureNetworkArgs(
            settings=section.network, name=section.name, location=section.region, resource_group=group, tags=tags
        ),
        own,
    )
    aks = AksCluster(
        "cluster",
        AksClusterArgs(
            settings=section,
            resource_group=group,
            subnet_id=network.subnet_id,
            egress_address=network.egress_address,
            tags=tags,
        ),
        own,
    )
    pools = AksNodePools(
        "pools",
        AksNodePoolsArgs(
            settings=section, resource_group=group, cluster_name=aks.name, subnet_id=network.subnet_id, tags=tags
        ),
        own,
    )
    files = None if shared is None else _file_system(section, shared, network, group=group, tags=tags, own=own)
    registry = _registry(section, aks, group=group, tags=tags, own=own) if section.registry else None
    return Cluster(
        name=section.name,
        provider=aks.provider,
        kubeconfig=aks.kubeconfig,
        node_pools=pools_of(section.pools),
        block_storage_class=BLOCK_STORAGE_CLASS,
        shared_file_system=None if files is None else files.shared,
        load_balancer_annotations=LOAD_BALANCER_ANNOTATIONS,
        registry=None if registry is None else registry.address,
        # AKS puts the driver on nodes with GPUs, not the plugin that offers them to pods.
        gpu_device_plugin=any(pool.gpu is not None for pool in section.node_pools.values()),
        dns=_dns(settings, section, aks, group=group, tags=tags, own=own),
        ready=(
            *pools.pools.values(),
            *(() if files is None else files.ready),
            *(() if registry is None else registry.ready),
        ),
    )


def _file_system(
    section: AzureCluster,
    storage: ManagedStorage,
    network: AzureNetwork,
    *,
    group: pulumi.Input[str],
    tags: dict[str, str],
    own: pulumi.ResourceOptions,
) -> AzureFileSystem:
    return AzureFileSystem(
        "files",
        AzureFileSystemArgs(
            location=section.region,
            resource_group=group,
            subnet_id=network.subnet_id,
            size=storage.size,
            zone_redundant=section.files_redundancy == "zone",
            protect=storage.protect,
            tags=tags,
        ),
        own,
    )


def _registry(
    section: AzureCluster,
    aks: AksCluster,
    *,
    group: pulumi.Input[str],
    tags: dict[str, str],
    own: pulumi.ResourceOptions,
) -> AzureRegistry:
    return AzureRegistry(
        "registry",
        AzureRegistryArgs(
            location=section.region,
            resource_group=group,
            tier=section.registry_tier,
            kubelet_principal_id=aks.kubelet_principal_id,
            protect=section.protect,
            tags=tags,
        ),
        own,
    )


def _dns(
    settings: Settings,
    section: AzureCluster,
    aks: AksCluster,
    *,
    group: pulumi.Input[str],
    tags: dict[str, str],
    own: pulumi.ResourceOptions,
) -> DnsZone | None:
    if not isinstance(settings.dns, AzureDnsSection):
        return None
    args = AzureDnsArgs(
        section=settings.dns,
        domain=settings.domain,
        cluster_name=section.name,
        location=section.region,
        resource_group=group,
        issuer=aks.oidc_issuer,
        dns01=settings.certificates.dns01,
        tags=tags,
    )
    return AzureDns("dns", args, own).zone
