"""A cluster on Amazon Web Services (EKS).

| file | what it makes |
|---|---|
| `network.py`, `subnets.py` | VPC, subnets and their ranges, the way out |
| `cluster.py` | control plane, administrators, the Kubernetes provider, class of disks |
| `addons.py`, `identity.py` | EKS add-ons, IAM roles |
| `node_pools.py`, `autoscaling.py` | managed node groups, what the autoscaler needs |
| `file_system.py` | EFS, where the settings ask for a managed file system |
| `registry.py` | repositories on ECR |
| `dns.py` | record and rights in a zone on Route 53, where the settings name one |

**Load balancer.** The Service of the ingress controller gets a Network Load Balancer from the cloud controller that
EKS runs beside the API server. The AWS Load Balancer Controller would do more (targets by pod, Ingress by ALB), of
which the platform uses nothing: one address, TCP to the nodes. It would be another chart, another role with some eighty
rights, and a webhook that has to be up before any Service is made, and until after the last one is gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pulumi
import pulumi_aws as aws

from qhub.clouds.aws.addons import AddOn, AddOns, AddOnsArgs, after_nodes, before_nodes
from qhub.clouds.aws.autoscaling import AutoscalerAccess, AutoscalerAccessArgs
from qhub.clouds.aws.cluster import STORAGE_CLASS, EksCluster, EksClusterArgs
from qhub.clouds.aws.dns import AwsDns, AwsDnsArgs
from qhub.clouds.aws.file_system import AwsFileSystem, AwsFileSystemArgs
from qhub.clouds.aws.identity import NodeRole, Roles
from qhub.clouds.aws.load_balancer import load_balancer_annotations
from qhub.clouds.aws.naming import all_tags
from qhub.clouds.aws.network import AwsNetwork, AwsNetworkArgs
from qhub.clouds.aws.node_pools import AwsNodePool, AwsNodePoolArgs
from qhub.clouds.aws.registry import AwsRegistry, AwsRegistryArgs
from qhub.clouds.cluster import Autoscaler, Cluster, DnsZone
from qhub.clouds.node_pools import node_pools as pools_for_platform
from qhub.config.dns import Route53

if TYPE_CHECKING:
    from qhub.config import Settings
    from qhub.config.aws import AwsCluster


@dataclass(frozen=True, kw_only=True)
class _Ground:
    """What the rest stands on."""

    section: AwsCluster
    tags: dict[str, str]
    roles: Roles
    network: AwsNetwork
    eks: EksCluster
    own: pulumi.ResourceOptions


def make(settings: Settings, *, opts: pulumi.ResourceOptions | None = None) -> Cluster:
    """Make the cluster that the settings describe, with its network, its node pools and what belongs to them."""
    ground = _ground(settings, opts)
    section, eks = ground.section, ground.eks
    early = _add_ons("node-add-ons", before_nodes(), ground)
    pools = _node_pools(ground, early)
    file_system = _file_system(settings, ground)
    late = _add_ons(
        "add-ons",
        after_nodes(tags=ground.tags, file_system=file_system is not None),
        ground,
        # The only pool without a taint: their pods run there.
        depends_on=pools["general"].ready,
    )
    return Cluster(
        name=section.name,
        provider=eks.provider,
        kubeconfig=eks.kubeconfig,
        node_pools=pools_for_platform(section.pools),
        block_storage_class=STORAGE_CLASS,
        shared_file_system=file_system.shared if file_system else None,
        load_balancer_annotations=load_balancer_annotations(
            vpc_is_given=section.network.vpc_id is not None,
            public_subnets=section.network.public_subnets,
            tags=ground.tags,
        ),
        registry=_registry(ground),
        autoscaler=_autoscaler(ground, pools),
        gpu_device_plugin=any(pool.gpu is not None for pool in section.node_pools.values()),
        dns=_dns(settings, ground),
        ready=(
            *(group for pool in pools.values() for group in pool.ready),
            *early.made.values(),
            *late.made.values(),
            *eks.access,
            eks.storage_class,
            *(file_system.ready if file_system else ()),
        ),
    )


def _ground(settings: Settings, opts: pulumi.ResourceOptions | None) -> _Ground:
    """Make the provider, the network and the control plane."""
    section = cast("AwsCluster", settings.cluster)
    tags = all_tags(section, stack=settings.stack)
    provider = aws.Provider("aws", region=section.region, default_tags={"tags": tags}, opts=opts)
    own = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(providers=[provider]))
    roles = Roles(cluster_name=section.name, region=section.region)
    network = AwsNetwork(
        "network",
        AwsNetworkArgs(settings=section.network, cluster_name=section.name, region=section.region, zones=section.zones),
        opts=own,
    )
    # Where the control plane has its network interfaces; nodes may be in more zones.
    subnets = [network.private_subnets[zone] for zone in section.zones[:2]]
    eks = EksCluster("cluster", EksClusterArgs(settings=section, subnet_ids=subnets, roles=roles), opts=own)
    return _Ground(section=section, tags=tags, roles=roles, network=network, eks=eks, own=own)


def _add_ons(
    name: str, add_ons: Sequence[AddOn], ground: _Ground, *, depends_on: Sequence[pulumi.Resource] = ()
) -> AddOns:
    args = AddOnsArgs(
        add_ons=add_ons,
        cluster_name=ground.eks.name,
        roles=ground.roles,
        versions=ground.section.add_on_versions,
        depends_on=depends_on,
    )
    return AddOns(name, args, opts=ground.own)


def _node_pools(ground: _Ground, early: AddOns) -> dict[str, AwsNodePool]:
    """Make the node pools and the role that all nodes have."""
    role = NodeRole("node-role", ground.roles, opts=ground.own).role
    return {
        pool: AwsNodePool(
            f"pools-{pool}",
            AwsNodePoolArgs(
                settings=ground.section,
                pool=pool,
                cluster_name=ground.eks.name,
                node_role_arn=role.arn,
                subnets=ground.network.private_subnets,
                tags=ground.tags,
                depends_on=[*role.ready, *ground.network.ready, *early.made.values()],
            ),
            opts=ground.own,
        )
        for pool in ground.section.node_pools
    }


def _autoscaler(ground: _Ground, pools: Mapping[str, AwsNodePool]) -> Autoscaler:
    """Give the autoscaler its rights; the platform installs it."""
    args = AutoscalerAccessArgs(
        cluster_name=ground.section.name,
        cluster=ground.eks.name,
        region=ground.section.region,
        kubernetes_version=ground.section.version,
        # By name: the order of the settings must not start it anew.
        groups=[group for name in sorted(pools) for group in pools[name].groups],
        roles=ground.roles,
        depends_on=[tag for pool in pools.values() for tag in pool.autoscaler_tags],
    )
    return AutoscalerAccess("autoscaler", args, opts=ground.own).autoscaler


def _file_system(settings: Settings, ground: _Ground) -> AwsFileSystem | None:
    """Make the managed file system, where the settings ask for one and name none."""
    storage = settings.storage
    if storage.kind != "managed" or storage.server is not None:
        return None
    args = AwsFileSystemArgs(
        cluster_name=ground.section.name,
        vpc_id=ground.network.vpc_id,
        subnets=ground.network.private_subnets,
        node_security_group_id=ground.eks.security_group_id,
        protect=storage.protect,
    )
    return AwsFileSystem("files", args, opts=ground.own)


def _registry(ground: _Ground) -> pulumi.Output[str] | None:
    """Make the registry, where the settings ask for one; return its address."""
    section = ground.section
    if not section.registry:
        return None
    args = AwsRegistryArgs(cluster_name=section.name, repositories=section.repositories, protect=section.protect)
    return AwsRegistry("registry", args, opts=ground.own).address


def _dns(settings: Settings, ground: _Ground) -> DnsZone | None:
    """Make what belongs to the zone, where the settings name one."""
    if not isinstance(settings.dns, Route53):
        return None
    args = AwsDnsArgs(
        section=settings.dns,
        domain=settings.domain,
        cluster_name=ground.eks.name,
        roles=ground.roles,
        dns01=settings.certificates.dns01,
    )
    return AwsDns("dns", args, opts=ground.own).zone
