"""A cluster on Google Cloud (GKE).

| file | what it makes |
|---|---|
| `network.py` | VPC, subnetwork, Cloud NAT |
| `cluster.py` | the nodes' service account, the cluster, the Kubernetes provider |
| `registry.py` | container registry (Artifact Registry), where the settings ask for it |
| `node_pools.py` | node pools by name |
| `file_system.py` | Filestore for homes, where the settings ask for it |
| `dns.py` | record and rights in a zone on Cloud DNS, where the settings name one |

Each of them switches on the services (APIs) of the project that it needs, and leaves them on: others may use them.
Credentials are never in the settings: the provider takes Google's application-default ones, and `kubectl` those of
`gcloud`, by `gke-gcloud-auth-plugin`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pulumi
import pulumi_gcp as gcp

from qhub.clouds.cluster import Cluster, DnsZone
from qhub.clouds.gcp.cluster import GkeCluster, GkeClusterArgs
from qhub.clouds.gcp.dns import GcpDns, GcpDnsArgs
from qhub.clouds.gcp.file_system import GcpFileSystem, GcpFileSystemArgs
from qhub.clouds.gcp.naming import all_labels
from qhub.clouds.gcp.network import GcpNetwork, GcpNetworkArgs
from qhub.clouds.gcp.node_pools import GkeNodePools, GkeNodePoolsArgs
from qhub.clouds.gcp.registry import GcpRegistry, GcpRegistryArgs
from qhub.clouds.node_pools import node_pools as pools_of
from qhub.config.dns import CloudDns
from qhub.config.storage import ManagedStorage

if TYPE_CHECKING:
    from qhub.config import Settings
    from qhub.config import gcp as config

#: A load balancer with a backend service: the kind that new features come to. A Service cannot change from the older
#: kind (target pools) afterwards (cloud.google.com/kubernetes-engine/docs/concepts/service-load-balancer).
LOAD_BALANCER_ANNOTATIONS = {"cloud.google.com/l4-rbs": "enabled"}


def make(settings: Settings, *, opts: pulumi.ResourceOptions | None = None) -> Cluster:
    """Make a GKE cluster with its network, and what the settings ask for beside it.

    Creates:
        Google Cloud's provider, `GcpNetwork`, `GkeCluster`, `GkeNodePools`; `GcpRegistry` with `cluster.registry`;
        `GcpFileSystem` with `storage.kind: managed` and no server; `GcpDns` with `dns.provider: cloud-dns`.
    """
    section = cast("config.GcpCluster", settings.cluster)
    labels = all_labels(section, stack=settings.stack)
    provider = gcp.Provider("gcp", project=section.project, region=section.region, default_labels=labels, opts=opts)
    on_it = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(providers=[provider]))
    storage = settings.storage
    shared = storage if isinstance(storage, ManagedStorage) and storage.server is None else None
    network = GcpNetwork("network", GcpNetworkArgs(section=section, keep=shared is not None and shared.protect), on_it)
    cluster = GkeCluster(
        "cluster",
        GkeClusterArgs(section=section, network=network, labels=labels, filestore=shared is not None),
        on_it,
    )
    registry = None
    if section.registry:
        registry = GcpRegistry("registry", GcpRegistryArgs(section=section, reader=cluster.nodes.member), on_it)
    pools = GkeNodePools(
        "pools", GkeNodePoolsArgs(section=section, cluster=cluster, labels=labels, network=network), on_it
    )
    files = None
    if shared is not None:
        files = GcpFileSystem(
            "files",
            GcpFileSystemArgs(section=section, network=network, size=shared.size, protect=shared.protect),
            on_it,
        )
    return Cluster(
        name=section.name,
        provider=cluster.provider,
        kubeconfig=cluster.kubeconfig,
        node_pools=pools_of(section.pools),
        block_storage_class=section.storage_class,
        shared_file_system=None if files is None else files.shared,
        load_balancer_annotations=LOAD_BALANCER_ANNOTATIONS,
        registry=None if registry is None else registry.address,
        dns=_dns(settings, section, cluster, on_it),
        ready=tuple(pools.pools.values()),
    )


def _dns(
    settings: Settings, section: config.GcpCluster, cluster: GkeCluster, on_it: pulumi.ResourceOptions
) -> DnsZone | None:
    """Make what belongs to the zone, where the settings name one."""
    if not isinstance(settings.dns, CloudDns):
        return None
    args = GcpDnsArgs(
        section=settings.dns,
        domain=settings.domain,
        cluster=section,
        gke=cluster.cluster,
        dns01=settings.certificates.dns01,
    )
    return GcpDns("dns", args, on_it).zone
