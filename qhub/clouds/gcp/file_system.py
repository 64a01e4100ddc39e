"""The managed file system for homes on Google Cloud: a Filestore instance."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_gcp as gcp

from qhub.clouds.cluster import SharedFileSystem
from qhub.clouds.gcp.services import switch_on
from qhub.config.quantities import parse_size

if TYPE_CHECKING:
    from pulumi_gcp.filestore import InstanceFileSharesArgsDict

    from qhub.clouds.gcp.network import GcpNetwork
    from qhub.config import gcp as config

#: Name of the share, and so of the path that is mounted. 16 characters at most.
SHARE = "homes"
#: Tiers with NFS 4.1 (cloud.google.com/filestore/docs/about-supported-protocols), whose locks outlive a node that is
#: taken away: with version 3, the lock of a killed server would keep its SQLite file shut.
NFS_4_TIERS = ("ZONAL", "REGIONAL")
_GIB = 1024**3


@dataclass(frozen=True, kw_only=True)
class GcpFileSystemArgs:
    """What the file system is made from.

    Attributes:
        section: the `cluster` section.
        network: the cluster's network, from which it can be mounted.
        size: Kubernetes quantity, rounded up to whole GiB. It grows in place.
        protect: refuse to delete it, and keep it when the stack goes.
    """

    section: config.GcpCluster
    network: GcpNetwork
    size: str
    protect: bool


class GcpFileSystem(pulumi.ComponentResource):
    """A Filestore instance with one share.

    Creates:
        Service (file), Instance.

    Attributes:
        shared: where nodes mount it.
    """

    shared: SharedFileSystem

    def __init__(self, name: str, args: GcpFileSystemArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:gcp:FileSystem", name, None, opts)
        section, tier = args.section, args.section.filestore_tier
        modern = tier in NFS_4_TIERS
        instance = gcp.filestore.Instance(
            f"{name}-filestore",
            name=section.name,
            description=f"Homes of cluster {section.name}",
            tier=tier,
            location=section.region if tier == "REGIONAL" else section.zones[0],
            protocol="NFS_V4_1" if modern else "NFS_V3",
            file_shares=_share(args),
            networks=[
                {
                    "network": args.network.network,
                    "modes": ["MODE_IPV4"],
                    "connect_mode": connect_mode(section),
                }
            ],
            deletion_protection_enabled=args.protect,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=switch_on(name, "file", parent=self),
                protect=args.protect,
                retain_on_delete=args.protect,
                # It stays where it was made: another first zone in the settings must not replace everyone's files.
                ignore_changes=["location"],
            ),
        )
        self.shared = SharedFileSystem(
            # A field that Google adds to a section of ours reads as none in the first preview, so the id is waited for.
            server=instance.id.apply(lambda _: instance.networks[0].ip_addresses[0]),
            path=f"/{SHARE}",
            mount_options=("nfsvers=4.1" if modern else "nfsvers=3", "noatime"),
        )
        self.register_outputs({"server": self.shared.server, "path": self.shared.path})


def _share(args: GcpFileSystemArgs) -> InstanceFileSharesArgsDict:
    share: InstanceFileSharesArgsDict = {"name": SHARE, "capacity_gb": gibibytes(args.size)}
    network = args.section.network
    if network.network is None:
        # NFS believes the number of a user that a client sends. Only nodes are clients: a program in a notebook that
        # spoke NFS itself, from its pod's address, could read every home. Root, because the node makes the folders.
        share["nfs_export_options"] = [
            {"ip_ranges": [network.cidr], "access_mode": "READ_WRITE", "squash_mode": "NO_ROOT_SQUASH"}
        ]
    return share


def connect_mode(section: config.GcpCluster) -> str:
    """Return how Filestore gets into the network: into one of another project by private services access alone.

    Source: GoogleCloudPlatform/k8s-config-connector#691 (Google refuses a peering of its own there).
    """
    shared = re.fullmatch(r"projects/(?P<project>[^/]+)/.*", section.network.network or "")
    return "PRIVATE_SERVICE_ACCESS" if shared and shared["project"] != section.project else "DIRECT_PEERING"


def gibibytes(size: str) -> int:
    """Return a Kubernetes quantity in whole GiB, rounded up."""
    return -(-parse_size(size) // _GIB)
