"""IAM roles: what the control plane, the nodes and a few pods may do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from qhub.clouds.aws.naming import LONGEST_ROLE_PREFIX, partition, prefix

#: Who takes on a role: the control plane, an instance, or a pod by way of EKS Pod Identity.
CONTROL_PLANE, INSTANCE, POD = "eks.amazonaws.com", "ec2.amazonaws.com", "pods.eks.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class Roles:
    """What all roles of one cluster have in common.

    Attributes:
        cluster_name: first part of the roles' names.
        region: AWS region; says whose ARNs these are.
    """

    cluster_name: str
    region: str

    def make(
        self,
        name: str,
        what: str,
        *,
        service: str,
        policies: Sequence[str] = (),
        rights: pulumi.Input[str] | None = None,
        parent: pulumi.Resource,
    ) -> Role:
        """Make a role and give it its rights.

        Args:
            name: logical name.
            what: whose role it is, in its name.
            service: the service that takes it on.
            policies: AWS's own policies, as they stand in their ARNs after `policy/`.
            rights: a policy of ours, as `document` writes it; None for no such policy.
            parent: component that it belongs to.
        """
        opts = pulumi.ResourceOptions(parent=parent)
        role = aws.iam.Role(
            name,
            name_prefix=prefix(self.cluster_name, what, longest=LONGEST_ROLE_PREFIX),
            assume_role_policy=trust(service),
            opts=opts,
        )
        attached: list[pulumi.Resource] = [
            aws.iam.RolePolicyAttachment(
                f"{name}-{policy.rpartition('/')[2]}",
                role=role.name,
                policy_arn=f"arn:{partition(self.region)}:iam::aws:policy/{policy}",
                opts=opts,
            )
            for policy in policies
        ]
        if rights is not None:
            attached.append(aws.iam.RolePolicy(name, role=role.name, policy=rights, opts=opts))
        return Role(arn=role.arn, ready=(role, *attached))


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role with its rights.

    Attributes:
        arn: of the role.
        ready: the role and what gives it its rights; who uses the role depends on these, or on destroy the rights would
            go first and leave things behind that nobody may delete.
    """

    arn: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]


class NodeRole(pulumi.ComponentResource):
    """What all nodes may: join the cluster and pull images from ECR. Pods get more by Pod Identity, nodes do not.

    Creates:
        Role.

    Attributes:
        role: the role.
    """

    role: Role

    def __init__(self, name: str, roles: Roles, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:aws:NodeRole", name, None, opts)
        self.role = roles.make(
            name,
            "node",
            service=INSTANCE,
            policies=["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"],
            parent=self,
        )
        self.register_outputs({})


def trust(service: str) -> str:
    """Return the policy that says who may take on a role."""
    # EKS Pod Identity tags its sessions with cluster, namespace and service account.
    actions = ["sts:AssumeRole", "sts:TagSession"] if service == POD else ["sts:AssumeRole"]
    return document([{"Effect": "Allow", "Principal": {"Service": service}, "Action": actions}])


def document(statements: Sequence[Mapping[str, Any]]) -> str:
    """Return an IAM policy, always as the same text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, sort_keys=True)
