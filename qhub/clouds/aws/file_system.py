"""The managed file system for homes: EFS, in every zone of the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from qhub.clouds.cluster import SharedFileSystem

NFS_PORT = 2049
#: What AWS asks for (docs.aws.amazon.com/efs, "Recommended NFS mount options"), and noatime: reading writes nothing.
#: `noresvport` gets a new port after a broken connection; without it a node can wait for ever on the old one.
MOUNT_OPTIONS = (
    "nfsvers=4.1",
    "rsize=1048576",
    "wsize=1048576",
    "hard",
    "timeo=600",
    "retrans=2",
    "noresvport",
    "noatime",
)


@dataclass(frozen=True, kw_only=True)
class AwsFileSystemArgs:
    """What the file system is made from.

    Attributes:
        cluster_name: name of the cluster, known at preview.
        vpc_id: where it is.
        subnets: zone -> private subnet: the file system gets an address in each.
        node_security_group_id: who may mount it.
        protect: refuse to delete it, keep it on destroy, and back it up daily.
    """

    cluster_name: str
    vpc_id: pulumi.Input[str]
    subnets: Mapping[str, pulumi.Input[str]]
    node_security_group_id: pulumi.Input[str | None]
    protect: bool


class AwsFileSystem(pulumi.ComponentResource):
    """A file system on EFS. It grows and shrinks with what is in it: `storage.size` does not limit it.

    Creates:
        FileSystem, BackupPolicy, SecurityGroup with a rule for the nodes, MountTarget per zone.

    Attributes:
        shared: for the contract with the platform.
        ready: what has to be there before a node can mount it.
    """

    shared: SharedFileSystem
    ready: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: AwsFileSystemArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:aws:FileSystem", name, None, opts)
        self._name = name
        made = self._file_system(args)
        group, rule = self._security_group(args)
        targets = [
            aws.efs.MountTarget(
                f"{name}-{zone}",
                file_system_id=made.id,
                subnet_id=subnet,
                security_groups=[group.id],
                opts=pulumi.ResourceOptions(parent=self),
            )
            for zone, subnet in args.subnets.items()
        ]
        self.shared = SharedFileSystem(server=made.dns_name, path="/", mount_options=MOUNT_OPTIONS)
        self.ready = (*targets, rule)
        self.register_outputs({})

    def _file_system(self, args: AwsFileSystemArgs) -> aws.efs.FileSystem:
        made = aws.efs.FileSystem(
            self._name,
            encrypted=True,
            # Paid by use. The other mode gives speed by the amount of data, which is slowest for a team that starts.
            throughput_mode="elastic",
            # What nobody touched for a month costs a tenth, and comes back at its first use.
            lifecycle_policies=[
                {"transition_to_ia": "AFTER_30_DAYS"},
                {"transition_to_primary_storage_class": "AFTER_1_ACCESS"},
            ],
            tags={"Name": f"{args.cluster_name}-home"},
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, retain_on_delete=args.protect),
        )
        aws.efs.BackupPolicy(
            self._name,
            file_system_id=made.id,
            backup_policy={"status": "ENABLED" if args.protect else "DISABLED"},
            opts=pulumi.ResourceOptions(parent=self),
        )
        return made

    def _security_group(self, args: AwsFileSystemArgs) -> tuple[aws.ec2.SecurityGroup, pulumi.Resource]:
        """Make the group of the file system's addresses, which lets in NFS from the nodes and nothing else."""
        group = aws.ec2.SecurityGroup(
            self._name,
            vpc_id=args.vpc_id,
            description=f"File system of the cluster {args.cluster_name}",
            tags={"Name": f"{args.cluster_name}-home"},
            opts=pulumi.ResourceOptions(parent=self),
        )
        rule = aws.vpc.SecurityGroupIngressRule(
            self._name,
            security_group_id=group.id,
            referenced_security_group_id=args.node_security_group_id,
            ip_protocol="tcp",
            from_port=NFS_PORT,
            to_port=NFS_PORT,
            description="NFS from the nodes",
            opts=pulumi.ResourceOptions(parent=self),
        )
        return group, rule
