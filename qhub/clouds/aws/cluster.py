"""The control plane on EKS, who may use it, and the Kubernetes provider for what is put on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws
from pulumi_kubernetes import Provider
from pulumi_kubernetes.storage.v1 import StorageClass

from qhub.clouds.aws.identity import CONTROL_PLANE, Roles
from qhub.clouds.aws.naming import partition
from qhub.clouds.kubeconfig import one_context
from qhub.clouds.kubernetes_provider import kubernetes_provider

if TYPE_CHECKING:
    from qhub.config.aws import AwsCluster

#: Name of the StorageClass for disks.
STORAGE_CLASS = "gp3"
#: A control plane takes 8 to 15 minutes to make and about as long to update or delete; the engine's own limit is 30 for
#: the first, and an upgrade of the version can take longer than that.
PATIENCE = pulumi.CustomTimeouts(create="45m", update="90m", delete="30m")


@dataclass(frozen=True, kw_only=True)
class EksClusterArgs:
    """What the cluster is made from.

    Attributes:
        settings: the section `cluster`.
        subnet_ids: private subnets for the control plane's network interfaces, in two zones or more.
        roles: makes its role.
    """

    settings: AwsCluster
    subnet_ids: Sequence[pulumi.Input[str]]
    roles: Roles


class EksCluster(pulumi.ComponentResource):
    """A control plane on EKS.

    Creates:
        LogGroup, Key and Alias (KMS, for Kubernetes Secrets), Role, Cluster;
        per administrator: AccessEntry, AccessPolicyAssociation;
        Kubernetes provider, StorageClass `gp3`.

    Access is by access entries alone: there is no `aws-auth` ConfigMap. Who makes the cluster administers it, by an
    entry that EKS makes then; whether it does cannot be changed later.

    The API server is reached from inside the VPC at its private address, which nodes use, and from `api_access` at its
    public one.

    Attributes:
        name: name of the cluster; an output, known only when the cluster is there.
        security_group_id: group of the control plane and of every node.
        provider: the Kubernetes provider.
        kubeconfig: secret output. It holds no key: `aws eks get-token` makes one for whoever runs it.
        access: what makes administrators of people.
        storage_class: the StorageClass.
    """

    name: pulumi.Output[str]
    security_group_id: pulumi.Output[str | None]
    provider: Provider
    kubeconfig: pulumi.Output[str]
    access: tuple[pulumi.Resource, ...]
    storage_class: StorageClass

    def __init__(self, name: str, args: EksClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:aws:Cluster", name, None, opts)
        self._name, self._settings = name, args.settings
        made = self._control_plane(args)
        self.name = made.name
        self.security_group_id = made.vpc_config.apply(lambda vpc: vpc.cluster_security_group_id)
        self.access = tuple(resource for arn in args.settings.admins for resource in self._admin(arn))
        self.kubeconfig = pulumi.Output.secret(
            pulumi.Output.all(server=made.endpoint, authority=made.certificate_authority.data).apply(
                lambda known: kubeconfig(
                    name=args.settings.name,
                    region=args.settings.region,
                    server=known["server"],
                    authority=known["authority"],
                )
            )
        )
        self.provider = kubernetes_provider(
            name, kubeconfig=self.kubeconfig, cluster_name=args.settings.name, parent=self
        )
        self.storage_class = self._storage_class()
        self.register_outputs({"name": self.name})

    def _control_plane(self, args: EksClusterArgs) -> aws.eks.Cluster:
        settings, name = args.settings, self._name
        role = args.roles.make(
            f"{name}-role",
            "control-plane",
            service=CONTROL_PLANE,
            policies=["AmazonEKSClusterPolicy"],
            parent=self,
        )
        # EKS would make it without an end to what it keeps. It may do so all the same after a destroy, for lines that
        # come late (terraform-aws-modules/terraform-aws-eks#2763): docs/clouds.md says what to do before the next `up`.
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=f"/aws/eks/{settings.name}/cluster",
            retention_in_days=settings.log_retention,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return aws.eks.Cluster(
            name,
            name=settings.name,
            role_arn=role.arn,
            version=settings.version,
            vpc_config={
                "subnet_ids": list(args.subnet_ids),
                "endpoint_private_access": True,
                "endpoint_public_access": True,
                "public_access_cidrs": list(settings.api_access),
            },
            kubernetes_network_config={"service_ipv4_cidr": settings.network.services_cidr, "ip_family": "ipv4"},
            access_config={"authentication_mode": "API", "bootstrap_cluster_creator_admin_permissions": True},
            # Add-ons of ours take their place; of the unmanaged ones nobody would keep the versions.
            bootstrap_self_managed_addons=False,
            upgrade_policy={"support_type": settings.support.upper()},
            deletion_protection=settings.protect,
            enabled_cluster_log_types=list(settings.logs),
            encryption_config={"provider": {"key_arn": self._key().arn}, "resources": ["secrets"]},
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=settings.protect,
                depends_on=[*role.ready, logs],
                # Two clusters of one name cannot be there at a time.
                delete_before_replace=True,
                # EKS keeps to the zones that it was given first ("should belong to the exact set of AZs ... provided
                # during cluster creation"); nodes can be in any other.
                ignore_changes=["vpcConfig.subnetIds"],
                custom_timeouts=PATIENCE,
            ),
        )

    def _key(self) -> aws.kms.Key:
        """Make the key that Secrets are encrypted with before they are stored."""
        key = aws.kms.Key(
            f"{self._name}-secrets",
            description=f"Kubernetes Secrets of the EKS cluster {self._settings.name}",
            enable_key_rotation=True,
            # Without the key the cluster's Secrets are lost: AWS waits, 30 days at most and 7 at least.
            deletion_window_in_days=30 if self._settings.protect else 7,
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.kms.Alias(
            f"{self._name}-secrets",
            name=f"alias/eks/{self._settings.name}",
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return key

    def _admin(self, arn: str) -> tuple[pulumi.Resource, pulumi.Resource]:
        """Let a role or a user administer the cluster."""
        logical = f"{self._name}-admin-{admin_name(arn)}"
        entry = aws.eks.AccessEntry(
            logical, cluster_name=self.name, principal_arn=arn, opts=pulumi.ResourceOptions(parent=self)
        )
        policy = f"arn:{partition(self._settings.region)}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
        association = aws.eks.AccessPolicyAssociation(
            logical,
            cluster_name=self.name,
            principal_arn=entry.principal_arn,
            policy_arn=policy,
            access_scope={"type": "cluster"},
            opts=pulumi.ResourceOptions(parent=self),
        )
        return entry, association

    def _storage_class(self) -> StorageClass:
        """Make the default class of disks. EKS's own one (gp2) is dearer, slower, not encrypted, and no default."""
        return StorageClass(
            f"{self._name}-{STORAGE_CLASS}",
            metadata={
                "name": STORAGE_CLASS,
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            provisioner="ebs.csi.aws.com",
            parameters={"type": "gp3", "encrypted": "true"},
            # A disk lies in one zone: it is made where its first pod gets a node.
            volume_binding_mode="WaitForFirstConsumer",
            allow_volume_expansion=True,
            reclaim_policy="Delete",
            opts=pulumi.ResourceOptions(parent=self, provider=self.provider),
        )


def admin_name(arn: str) -> str:
    """Return a name for a role or user: `arn:aws:iam::123456789012:role/ops` is `role/ops@123456789012`."""
    _, _, _, _, account, resource = arn.split(":", maxsplit=5)
    return f"{resource}@{account}"


def kubeconfig(*, name: str, region: str, server: str, authority: str) -> str:
    """Return a kubeconfig, always as the same text for the same cluster.

    Args:
        name: name of the cluster.
        region: its region.
        server: address of the API server.
        authority: its certificate authority, base64.
    """
    user: Mapping[str, object] = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": "aws",
            "args": ["--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"],
            "interactiveMode": "Never",
            "provideClusterInfo": False,
        }
    }
    return one_context(name, cluster={"server": server, "certificate-authority-data": authority}, user=user)
