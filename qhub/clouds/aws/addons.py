"""EKS add-ons: what a cluster needs besides its control plane, kept by AWS.

In two halves, because of what waits for what. A node is not Ready without `vpc-cni`, and a node group whose nodes do
not become Ready fails; so the three that run on every node come first and the node groups depend on them. The others
have pods that want a node; made before one, they would wait and be called degraded. On destroy it is the other way
round: network interfaces go before their plug-in, and disks while their driver still runs, but for those of claims that
were deleted last: a disk goes some time after its claim, and nothing waits for that (docs/clouds.md says how to find
such disks).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from qhub.clouds.aws.identity import POD, Roles


@dataclass(frozen=True, kw_only=True)
class AddOn:
    """One add-on.

    Attributes:
        name: as EKS has it.
        service_account: whose pods act on AWS's API; "" for none that do.
        policy: what they may, AWS's own policy.
        configuration: as `aws eks describe-addon-configuration` describes it.
    """

    name: str
    service_account: str = ""
    policy: str = ""
    configuration: Mapping[str, Any] = field(default_factory=dict)


def before_nodes() -> tuple[AddOn, ...]:
    """Return the add-ons that a node needs to become Ready."""
    return (
        AddOn(
            name="vpc-cni",
            service_account="aws-node",
            policy="AmazonEKS_CNI_Policy",
            # Off by default; without it the network policies of JupyterHub and Dask Gateway would be ignored.
            configuration={"enableNetworkPolicy": "true"},
        ),
        AddOn(name="eks-pod-identity-agent"),
        AddOn(name="kube-proxy"),
    )


def after_nodes(*, tags: Mapping[str, str], file_system: bool) -> tuple[AddOn, ...]:
    """Return the add-ons whose pods want a node.

    Args:
        tags: for disks that are made for claims; the provider's default tags do not reach them.
        file_system: there is a managed file system. The platform mounts it as plain NFS; the driver is for claims that
            people make themselves, with access points and encryption on the way.
    """
    disks = AddOn(
        name="aws-ebs-csi-driver",
        service_account="ebs-csi-controller-sa",
        # Only of disks that the driver made: it tags each (kubernetes-sigs/aws-ebs-csi-driver#2918). The older
        # policy, AmazonEBSCSIDriverPolicy, is of every disk in the account.
        policy="AmazonEBSCSIDriverPolicyV2",
        configuration={"controller": {"extraVolumeTags": dict(tags)}},
    )
    files = AddOn(
        name="aws-efs-csi-driver",
        service_account="efs-csi-controller-sa",
        policy="service-role/AmazonEFSCSIDriverPolicy",
    )
    return (AddOn(name="coredns"), disks, *((files,) if file_system else ()))


@dataclass(frozen=True, kw_only=True)
class AddOnsArgs:
    """What add-ons are made from.

    Attributes:
        add_ons: which.
        cluster_name: of the EKS cluster; an output, so that it is there first.
        roles: makes their roles.
        versions: add-on -> version; those not named get the default of the cluster's version.
        depends_on: what has to be there before.
    """

    add_ons: Sequence[AddOn]
    cluster_name: pulumi.Input[str]
    roles: Roles
    versions: Mapping[str, str]
    depends_on: Sequence[pulumi.Resource] = ()


class AddOns(pulumi.ComponentResource):
    """Some add-ons of a cluster.

    Creates:
        per add-on: Addon; where its pods use AWS's API, a Role that EKS Pod Identity gives them.

    Attributes:
        made: by the name of the add-on.
    """

    made: Mapping[str, pulumi.Resource]

    def __init__(self, name: str, args: AddOnsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:aws:AddOns", name, None, opts)
        self.made = {add_on.name: self._make(name, add_on, args) for add_on in args.add_ons}
        self.register_outputs({})

    def _make(self, name: str, add_on: AddOn, args: AddOnsArgs) -> aws.eks.Addon:
        role = (
            args.roles.make(f"{name}-{add_on.name}", add_on.name, service=POD, policies=[add_on.policy], parent=self)
            if add_on.service_account
            else None
        )
        return aws.eks.Addon(
            f"{name}-{add_on.name}",
            cluster_name=args.cluster_name,
            addon_name=add_on.name,
            addon_version=args.versions.get(add_on.name),
            configuration_values=json.dumps(add_on.configuration, sort_keys=True) if add_on.configuration else None,
            pod_identity_associations=[{"role_arn": role.arn, "service_account": add_on.service_account}]
            if role
            else None,
            resolve_conflicts_on_create="OVERWRITE",
            # What somebody changed on the cluster by hand stays.
            resolve_conflicts_on_update="PRESERVE",
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*args.depends_on, *(role.ready if role else ())]),
        )
