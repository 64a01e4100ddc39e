"""The managed NFS share for homes on DigitalOcean. Not every region has it: an unavailable one is told by the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_digitalocean as digitalocean

from qhub.clouds.cluster import SharedFileSystem
from qhub.config.quantities import parse_size

if TYPE_CHECKING:
    from qhub.config import digitalocean as config

_GIB = 1024**3


@dataclass(frozen=True, kw_only=True)
class DigitalOceanFileSystemArgs:
    """What the file system is given.

    Attributes:
        section: the `cluster` section.
        vpc_uuid: the VPC from which it can be mounted.
        size: Kubernetes quantity; at least 50Gi. It grows in place; a smaller one is refused by the provider.
        protect: refuse to delete it, and keep it when the stack goes.
        tags: tags.
    """

    section: config.DigitalOceanCluster
    vpc_uuid: pulumi.Input[str]
    size: str
    protect: bool
    tags: tuple[str, ...]


class DigitalOceanFileSystem(pulumi.ComponentResource):
    """The NFS share.

    Creates:
        an Nfs share, with the access point that every share comes with: all of it, read and write, from its VPC.

    Attributes:
        shared: where nodes mount it.
    """

    shared: SharedFileSystem

    def __init__(self, name: str, args: DigitalOceanFileSystemArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:digitalocean:FileSystem", name, None, opts)
        share = digitalocean.Nfs(
            f"{name}-share",
            name=args.section.name,
            region=args.section.region,
            size=gibibytes(args.size),
            vpc_id=args.vpc_uuid,
            performance_tier=args.section.nfs_tier,
            tags=list(args.tags),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, retain_on_delete=args.protect),
        )
        self.shared = SharedFileSystem(server=share.host, path=share.mount_path)
        self.register_outputs({"server": share.host, "path": share.mount_path})


def gibibytes(size: str) -> int:
    """Return a Kubernetes quantity in whole GiB, rounded up."""
    return -(-parse_size(size) // _GIB)
