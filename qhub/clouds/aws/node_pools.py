"""Node pools as managed node groups.

**Zones.** A pool is one group in each of its zones, for two reasons. A disk on EBS lies in one zone, and the pods that
have disks (the hub with its database, the NFS server) run in the pool `general`: were it one group, a node that dies
could come back in another zone, and the hub would wait for ever, since the autoscaler cannot ask a group for a node in
a given zone. And AWS keeps a group even over its zones: when idle nodes have gone from one, it drains a node in use in
another, with the notebooks on it, which nothing brings back. For groups that EKS makes, this cannot be turned off
(kubernetes/autoscaler, cloudprovider/aws/README.md, on AZRebalance; aws/containers-roadmap#1453). A spot pool alone is
one group over all of its zones: what runs there is used to losing nodes, and capacity is found in whichever zone has
some.

`min` is shared out among the groups of a pool, and `max` too, so that it holds for the pool; but for `general` it
counts in each zone, since the disk may lie in any. The zones of a group cannot be changed: a spot pool whose zones
change (without `zones`: the cluster's) gets a new group before the old one is drained.

**Number of nodes.** A group is made with `min` nodes; from then on their number belongs to the autoscaler, and `pulumi
up` ignores it (`scalingConfig.desiredSize`). `min` and `max` are the autoscaler's too, among its arguments
(`--nodes=min:max:group`); for EKS a group has bounds that never change, `FEWEST` and `MOST`. For EKS takes min, max and
number of nodes in one update, and Pulumi would send the number in its state: a change of `max` would set a busy group
back to as many nodes as when it was made, and a `min` above the number of nodes is refused. This way a change of
either starts the autoscaler anew, and touches no node group. It brings a raised `min` up by itself; above a lowered
`max` it adds none, and takes nodes away as they fall idle. A pool that is removed is first taken off its arguments.

**Version.** Nodes have the control plane's version and are replaced a third at a time when that is raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from qhub.clouds.aws.autoscaling import GPU_LABEL, autoscaler_tags
from qhub.clouds.aws.naming import LONGEST_NODE_GROUP_PREFIX, prefix
from qhub.clouds.cluster import AutoscaledGroup
from qhub.config import instances
from qhub.config.aws import MOST_NODES
from qhub.config.quantities import parse_size

if TYPE_CHECKING:
    from pulumi_aws.eks.outputs import NodeGroupResource

    from qhub.config.aws import AwsCluster

#: The pool whose pods have disks.
POOL_WITH_DISKS = "general"
#: (architecture, has GPUs) -> image of nodes. Those for GPUs hold NVIDIA's driver and runtime, not the device plugin.
IMAGES = {
    ("amd64", False): "AL2023_x86_64_STANDARD",
    ("arm64", False): "AL2023_ARM_64_STANDARD",
    ("amd64", True): "AL2023_x86_64_NVIDIA",
    ("arm64", True): "AL2023_ARM_64_NVIDIA",
}
#: How EKS spells the effects of taints.
EFFECTS = {"NoSchedule": "NO_SCHEDULE", "PreferNoSchedule": "PREFER_NO_SCHEDULE", "NoExecute": "NO_EXECUTE"}
#: Bounds of every group as EKS has them. They never change; the settings' own are the autoscaler's.
FEWEST, MOST = 0, MOST_NODES
#: Of Amazon Linux 2023.
ROOT_DEVICE = "/dev/xvda"
#: A new version drains and replaces every node, each with up to 15 minutes for its pods to go.
PATIENCE = pulumi.CustomTimeouts(create="30m", update="120m", delete="60m")


@dataclass(frozen=True, kw_only=True)
class Group:
    """One managed node group of a pool.

    Attributes:
        zones: availability zones that it is in.
        min, max: number of nodes, for the autoscaler.
    """

    zones: tuple[str, ...]
    min: int
    max: int


def groups_of(pool: str, *, zones: Sequence[str], at_least: int, at_most: int, spot: bool = False) -> dict[str, Group]:
    """Return the groups of a pool by what follows the pool's name in theirs.

    Args:
        pool: name of the pool.
        zones: of the pool. Their order does not matter; the first letters get what cannot be shared out evenly. So one
            more zone at the end of the alphabet raises `min` and `max` of no group. A zone that gets none of a small
            `max` has its group all the same: raising `max` makes no group, and lowering it deletes none with its nodes.
        at_least: `min` of the pool.
        at_most: `max` of the pool.
        spot: whether the cloud may take its nodes away.
    """
    zones = sorted(zones)
    if spot and pool != POOL_WITH_DISKS:
        return {"": Group(zones=tuple(zones), min=at_least, max=at_most)}
    fewest = _shares(at_least, len(zones))
    most = [at_most] * len(zones) if pool == POOL_WITH_DISKS else _shares(at_most, len(zones))
    return {
        f"-{zone}": Group(zones=(zone,), min=least, max=greatest)
        for zone, least, greatest in zip(zones, fewest, most, strict=True)
    }


def _shares(number: int, count: int) -> list[int]:
    """Return `count` numbers, as even as can be, that are `number` together."""
    each, more = divmod(number, count)
    return [each + (place < more) for place in range(count)]


@dataclass(frozen=True, kw_only=True)
class AwsNodePoolArgs:
    """What a node pool is made from.

    Attributes:
        settings: the section `cluster`.
        pool: name of the pool in it.
        cluster_name: of the EKS cluster; an output, so that it is there first.
        node_role_arn: role of the nodes.
        subnets: zone -> private subnet.
        tags: for instances and their disks, which the provider's default tags do not reach.
        depends_on: what has to be there before a node can become Ready.
    """

    settings: AwsCluster
    pool: str
    cluster_name: pulumi.Input[str]
    node_role_arn: pulumi.Input[str]
    subnets: Mapping[str, pulumi.Input[str]]
    tags: Mapping[str, str]
    depends_on: Sequence[pulumi.Resource]


class AwsNodePool(pulumi.ComponentResource):
    """A node pool on EKS.

    Creates:
        LaunchTemplate (disk, tags, no instance credentials for pods);
        NodeGroup, one in each zone; for a spot pool one in all;
        per group, a Tag on its autoscaling group for each thing that the autoscaler has to know.

    Attributes:
        ready: the node groups.
        groups: the same for the autoscaler.
        autoscaler_tags: what has to be there before the autoscaler starts.
    """

    ready: tuple[pulumi.Resource, ...]
    groups: tuple[AutoscaledGroup, ...]
    autoscaler_tags: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: AwsNodePoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:aws:NodePool", name, None, opts)
        self._name, self._args, self._pool = name, args, args.settings.node_pools[args.pool]
        self._labels = self._node_labels()
        template = self._launch_template()
        zones = self._pool.zones or args.settings.zones
        groups = groups_of(
            args.pool, zones=zones, at_least=self._pool.min, at_most=self._pool.max, spot=self._pool.spot
        )
        made = {suffix: self._node_group(suffix, group, template) for suffix, group in groups.items()}
        self.ready = tuple(made.values())
        self.groups = tuple(
            AutoscaledGroup(name=made[suffix].resources.apply(autoscaling_group), min=group.min, max=group.max)
            for suffix, group in groups.items()
        )
        self.autoscaler_tags = tuple(
            tag for suffix, group in groups.items() for tag in self._tag_for_autoscaler(suffix, group, made[suffix])
        )
        self.register_outputs({})

    def _node_labels(self) -> dict[str, str]:
        """Return the labels of the nodes: with a GPU, also by which the autoscaler waits for its device plugin."""
        instance = instances.find("aws", self._pool.instance_type)
        if self._pool.gpu is None:
            return self._args.settings.pool_labels(self._args.pool)
        kind = instance.gpu.lower().replace(" ", "-") if instance and instance.gpu else "gpu"
        return {**self._args.settings.pool_labels(self._args.pool), GPU_LABEL: f"nvidia-{kind}"}

    def _launch_template(self) -> aws.ec2.LaunchTemplate:
        named = {**self._args.tags, "Name": f"{self._args.settings.name}-{self._args.pool}"}
        return aws.ec2.LaunchTemplate(
            self._name,
            name_prefix=prefix(self._args.settings.name, self._args.pool, longest=LONGEST_NODE_GROUP_PREFIX),
            description=f"Nodes of the pool {self._args.pool}",
            update_default_version=True,
            block_device_mappings=[
                {
                    "device_name": ROOT_DEVICE,
                    "ebs": {
                        # EBS counts in GiB.
                        "volume_size": -(-parse_size(self._pool.disk_size) // 1024**3),
                        "volume_type": "gp3",
                        "encrypted": "true",
                        "delete_on_termination": "true",
                    },
                }
            ],
            # One hop: what runs in a pod, a notebook above all, does not get at the node's own credentials.
            metadata_options={"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
            tag_specifications=[
                {"resource_type": kind, "tags": named} for kind in ("instance", "volume", "network-interface")
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _node_group(self, suffix: str, group: Group, template: aws.ec2.LaunchTemplate) -> aws.eks.NodeGroup:
        args, pool = self._args, self._pool
        seen = args.settings.pools[args.pool]
        return aws.eks.NodeGroup(
            f"{self._name}{suffix}",
            cluster_name=args.cluster_name,
            # A prefix, so that a new group can be made before the old one goes.
            node_group_name_prefix=prefix(
                args.settings.name, f"{args.pool}{suffix}", longest=LONGEST_NODE_GROUP_PREFIX
            ),
            node_role_arn=args.node_role_arn,
            subnet_ids=[args.subnets[zone] for zone in group.zones],
            version=args.settings.version,
            ami_type=IMAGES[seen.architecture, pool.gpu is not None],
            instance_types=[pool.instance_type],
            capacity_type="SPOT" if pool.spot else "ON_DEMAND",
            # The autoscaler is there only after the first pools: these come with the nodes that it will keep.
            scaling_config={"min_size": FEWEST, "max_size": MOST, "desired_size": group.min},
            launch_template={"id": template.id, "version": template.latest_version.apply(str)},
            labels=self._labels,
            taints=[
                {"key": taint.key, "value": taint.value, "effect": EFFECTS[taint.effect]}
                for taint in args.settings.pool_taints(args.pool)
            ],
            update_config={"max_unavailable_percentage": 33},
            node_repair_config={"enabled": True},
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(args.depends_on),
                ignore_changes=["scalingConfig.desiredSize"],
                custom_timeouts=PATIENCE,
            ),
        )

    def _tag_for_autoscaler(self, suffix: str, group: Group, made: aws.eks.NodeGroup) -> list[pulumi.Resource]:
        """Tag the autoscaling group behind a node group: EKS does not hand a node group's own tags on to it."""
        name = made.resources.apply(autoscaling_group)
        settings, pool = self._args.settings, self._pool
        tags = autoscaler_tags(
            labels=self._labels,
            taints=settings.pool_taints(self._args.pool),
            gpus=pool.gpu.count if pool.gpu else 0,
            disk_size=pool.disk_size,
            zone=group.zones[0] if len(group.zones) == 1 else None,
        )
        return [
            aws.autoscaling.Tag(
                f"{self._name}{suffix}-{key}",
                autoscaling_group_name=name,
                tag={"key": key, "value": value, "propagate_at_launch": False},
                opts=pulumi.ResourceOptions(parent=self),
            )
            for key, value in tags.items()
        ]


def autoscaling_group(resources: Sequence[NodeGroupResource]) -> str:
    """Return the name of the autoscaling group behind a node group.

    Raises:
        ValueError: EKS tells of none, as for a node group that is not active.
    """
    for resource in resources:
        for group in resource.autoscaling_groups or ():
            if group.name:
                return group.name
    raise ValueError("the node group has no autoscaling group: look at its health in the EKS console")
