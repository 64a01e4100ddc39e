"""A cluster on DigitalOcean (DOKS).

| file | what it makes |
|---|---|
| `network.py` | VPC |
| `registry.py` | container registry of the account, where the settings ask for it |
| `cluster.py` | cluster with its own small pool, the Kubernetes provider |
| `node_pools.py` | node pools by name |
| `file_system.py` | NFS share for homes, where the settings ask for it |
| `dns.py` | record in a domain of the account, where the settings name one |

The API token is never in the settings: provider and `doctl` both take it from `DIGITALOCEAN_ACCESS_TOKEN`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pulumi
import pulumi_digitalocean as digitalocean

from qhub.clouds.cluster import Cluster, DnsZone
from qhub.clouds.digitalocean.cluster import DoksCluster, DoksClusterArgs
from qhub.clouds.digitalocean.dns import DigitalOceanDns, DigitalOceanDnsArgs
from qhub.clouds.digitalocean.file_system import DigitalOceanFileSystem, DigitalOceanFileSystemArgs
from qhub.clouds.digitalocean.network import DigitalOceanNetwork, DigitalOceanNetworkArgs
from qhub.clouds.digitalocean.node_pools import DoksNodePools, DoksNodePoolsArgs
from qhub.clouds.digitalocean.registry import DigitalOceanRegistry, DigitalOceanRegistryArgs, registry_address
from qhub.clouds.node_pools import node_pools as pools_of
from qhub.config.digitalocean import tag_of
from qhub.config.dns import DigitalOceanDns as DigitalOceanDnsSection
from qhub.config.storage import ManagedStorage

if TYPE_CHECKING:
    from qhub.config import Settings
    from qhub.config import digitalocean as config

#: Of DOKS; it can grow (`allowVolumeExpansion`).
BLOCK_STORAGE_CLASS = "do-block-storage"

#: Annotation with the name of a load balancer, which is unique in an account.
LOAD_BALANCER_NAME = "service.beta.kubernetes.io/do-loadbalancer-name"


def make(settings: Settings, *, opts: pulumi.ResourceOptions | None = None) -> Cluster:
    """Make a DOKS cluster with its network, and what the settings ask for beside it.

    Creates:
        DigitalOcean's provider, `DigitalOceanNetwork`, `DoksCluster`, `DoksNodePools`; `DigitalOceanRegistry` with
        `cluster.registry`; `DigitalOceanFileSystem` with `storage.kind: managed` and no server; `DigitalOceanDns` with
        `dns.provider: digitalocean`.
    """
    section = cast("config.DigitalOceanCluster", settings.cluster)
    tags = tuple(tag_of(key, value) for key, value in sorted(section.tags.items()))
    provider = digitalocean.Provider("digitalocean", opts=opts)
    on_it = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(providers=[provider]))
    storage = settings.storage
    shared = storage if isinstance(storage, ManagedStorage) and storage.server is None else None
    network = DigitalOceanNetwork(
        "network",
        DigitalOceanNetworkArgs(
            name=section.name,
            region=section.region,
            network=section.network,
            keep=shared is not None and shared.protect,
        ),
        on_it,
    )
    registry = _registry(section, on_it) if section.registry else None
    cluster = DoksCluster(
        "cluster",
        DoksClusterArgs(
            section=section,
            vpc_uuid=network.vpc_uuid,
            tags=tags,
            registry=registry,
            # A claim is there already with `existing-claim`: QHub never deletes it.
            keep_volumes=section.protect or getattr(storage, "protect", True),
        ),
        on_it,
    )
    pools = DoksNodePools("pools", DoksNodePoolsArgs(section=section, cluster_id=cluster.cluster_id, tags=tags), on_it)
    files = None
    if shared is not None:
        args = DigitalOceanFileSystemArgs(
            section=section, vpc_uuid=network.vpc_uuid, size=shared.size, protect=shared.protect, tags=tags
        )
        files = DigitalOceanFileSystem("files", args, on_it)
    return Cluster(
        name=section.name,
        provider=cluster.provider,
        kubeconfig=cluster.kubeconfig,
        node_pools=pools_of(section.pools),
        block_storage_class=BLOCK_STORAGE_CLASS,
        shared_file_system=None if files is None else files.shared,
        load_balancer_annotations=load_balancer_annotations(section.name),
        load_balancer_name_key=LOAD_BALANCER_NAME,
        registry=registry.address if registry else registry_address(section.registry_name),
        dns=_dns(settings, on_it),
        ready=tuple(pools.pools.values()),
    )


def load_balancer_annotations(cluster_name: str) -> dict[str, str]:
    """Return what DigitalOcean's controller is to make of a Service of type LoadBalancer.

    A network load balancer hands connections on as they are, so that pods see the client's address with no PROXY
    protocol in between. It is the default since DOKS 1.33.1; said here, because a load balancer cannot change its type.
    """
    return {
        LOAD_BALANCER_NAME: cluster_name,
        "service.beta.kubernetes.io/do-loadbalancer-type": "REGIONAL_NETWORK",
    }


def _registry(section: config.DigitalOceanCluster, opts: pulumi.ResourceOptions) -> DigitalOceanRegistry:
    return DigitalOceanRegistry(
        "registry",
        DigitalOceanRegistryArgs(
            name=section.registry_name or section.name, tier=section.registry_tier, protect=section.protect
        ),
        opts,
    )


def _dns(settings: Settings, opts: pulumi.ResourceOptions) -> DnsZone | None:
    if not isinstance(settings.dns, DigitalOceanDnsSection):
        return None
    args = DigitalOceanDnsArgs(section=settings.dns, domain=settings.domain, dns01=settings.certificates.dns01)
    return DigitalOceanDns("dns", args, opts).zone
