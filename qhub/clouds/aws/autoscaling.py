"""What the cluster-autoscaler needs on AWS: tags that tell what a node will be, and the right to change sizes.

The autoscaler itself is a Helm chart, which the platform installs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi
import pulumi_aws as aws

from qhub.clouds.aws.identity import POD, Roles, document
from qhub.clouds.cluster import AutoscaledGroup, Autoscaler
from qhub.config.cloud import Taint

_TEMPLATE = "k8s.io/cluster-autoscaler/node-template"
#: Where the autoscaler looks whether a node waits for its GPU (cluster-autoscaler, cloudprovider/aws, `GPULabel`).
GPU_LABEL = "k8s.amazonaws.com/accelerator"
#: Set by the driver for disks on each node; a volume asks for it. Only a node that is there has it by itself.
VOLUME_ZONE_LABEL = "topology.ebs.csi.aws.com/zone"
GPU_RESOURCE = "nvidia.com/gpu"


def autoscaler_tags(
    *,
    labels: Mapping[str, str],
    taints: Sequence[Taint],
    gpus: int,
    disk_size: str,
    zone: str | None,
) -> dict[str, str]:
    """Return the tags of an autoscaling group, as the autoscaler reads them.

    They say what a node of it will be: with no node there to look at, it could not tell whether a pod would fit one,
    and pools at zero would stay there.

    Args:
        labels: of the nodes.
        taints: of the nodes.
        gpus: per node.
        disk_size: of a node's own disk, Kubernetes quantity.
        zone: availability zone of a group that is in one alone; None for one in many.
    """
    return {
        **{f"{_TEMPLATE}/label/{key}": value for key, value in labels.items()},
        **({f"{_TEMPLATE}/label/{VOLUME_ZONE_LABEL}": zone} if zone else {}),
        **{f"{_TEMPLATE}/taint/{taint.key}": f"{taint.value}:{taint.effect}" for taint in taints},
        f"{_TEMPLATE}/resources/ephemeral-storage": disk_size,
        **({f"{_TEMPLATE}/resources/{GPU_RESOURCE}": str(gpus)} if gpus else {}),
    }


@dataclass(frozen=True, kw_only=True)
class AutoscalerAccessArgs:
    """What the autoscaler's rights are made from.

    Attributes:
        cluster_name: name of the cluster, known at preview.
        cluster: the same as an output, so that the cluster is there first.
        region: AWS region.
        kubernetes_version: minor version of the cluster.
        groups: what it looks after.
        roles: makes its role.
        depends_on: what has to be there before it starts.
    """

    cluster_name: str
    cluster: pulumi.Input[str]
    region: str
    kubernetes_version: str
    groups: Sequence[AutoscaledGroup]
    roles: Roles
    depends_on: Sequence[pulumi.Resource]


class AutoscalerAccess(pulumi.ComponentResource):
    """The rights of the cluster-autoscaler.

    Creates:
        Role with a policy, PodIdentityAssociation with the autoscaler's service account.

    Attributes:
        autoscaler: for the contract with the platform.
    """

    autoscaler: Autoscaler

    def __init__(self, name: str, args: AutoscalerAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:aws:AutoscalerAccess", name, None, opts)
        role = args.roles.make(
            name, "autoscaler", service=POD, rights=document(autoscaler_rights(args.cluster_name)), parent=self
        )
        rights_first = Autoscaler(
            cloud_provider="aws",
            groups=tuple(args.groups),
            region=args.region,
            kubernetes_version=args.kubernetes_version,
        )
        association = aws.eks.PodIdentityAssociation(
            name,
            cluster_name=args.cluster,
            namespace=rights_first.namespace,
            service_account=rights_first.service_account,
            role_arn=role.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(role.ready)),
        )
        self.autoscaler = replace(rights_first, ready=(association, *args.depends_on))
        self.register_outputs({})


def autoscaler_rights(cluster_name: str) -> list[Mapping[str, object]]:
    """Return what the autoscaler may: look at everything, change the groups of its own cluster.

    The actions are those of its documentation (kubernetes/autoscaler, cluster-autoscaler/cloudprovider/aws/README.md,
    "Full Cluster Autoscaler Features Policy"). Its own groups it knows by name; for IAM they are those that EKS tags
    with the cluster's name.
    """
    looks = [
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeAutoScalingInstances",
        "autoscaling:DescribeLaunchConfigurations",
        "autoscaling:DescribeScalingActivities",
        "ec2:DescribeImages",
        "ec2:DescribeInstanceTypes",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:GetInstanceTypesFromInstanceRequirements",
        "eks:DescribeNodegroup",
    ]
    changes = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]
    ours = {"StringEquals": {"autoscaling:ResourceTag/eks:cluster-name": cluster_name}}
    return [
        {"Effect": "Allow", "Action": looks, "Resource": "*"},
        {"Effect": "Allow", "Action": changes, "Resource": "*", "Condition": ours},
    ]
