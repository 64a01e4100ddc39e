"""The shared file system: one claim that every user's pod mounts, wherever the files really lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
from pulumi_kubernetes.core.v1 import PersistentVolume, PersistentVolumeClaim

from qhub.config.storage import (
    AnyStorage,
    ExistingClaimStorage,
    ManagedStorage,
    NfsServerStorage,
    StorageClassStorage,
)
from qhub.errors import InputError
from qhub.platform.nfs_server import NfsServer, NfsServerArgs
from qhub.platform.pods import container_resources

if TYPE_CHECKING:
    from pulumi_kubernetes.core.v1 import PersistentVolumeClaimSpecArgsDict, PersistentVolumeSpecArgsDict

    from qhub.clouds.cluster import Cluster, SharedFileSystem
    from qhub.config.images import Images

CLAIM_NAME = "home"

#: noatime: reading a file must not write to the server. `hard` (wait for a server that is away) is the default and what
#: homes need: with `soft` a restart of the server would lose writes.
MOUNT_OPTIONS = ("nfsvers=4.1", "noatime")


class StorageError(InputError):
    """The settings ask for storage that this cluster does not offer. The message is for the person who wrote them."""


@dataclass(frozen=True, kw_only=True)
class StorageArgs:
    """What the storage is given.

    Attributes:
        storage: the `storage` section.
        cluster: where the platform runs.
        namespace: name of the namespace of the claim.
        namespace_resource: the Namespace, for `depends_on`.
        server_namespace: name of the namespace for our own NFS server.
        images: the `images` section.
    """

    storage: AnyStorage
    cluster: Cluster
    namespace: str
    namespace_resource: pulumi.Resource
    server_namespace: str
    images: Images


@dataclass(frozen=True, kw_only=True)
class _Export:
    """An NFS export and how nodes mount it."""

    server: pulumi.Input[str]
    path: pulumi.Input[str]
    mount_options: Sequence[str]
    depends_on: Sequence[pulumi.Resource] = ()


class Storage(pulumi.ComponentResource):
    """The claim for homes and shared folders.

    Creates:
        kind `nfs-server`: an `NfsServer`, PersistentVolume, PersistentVolumeClaim;
        kind `managed`: PersistentVolume, PersistentVolumeClaim;
        kind `storage-class`: PersistentVolumeClaim, for which the cluster makes the volume;
        kind `existing-claim`: nothing.

    Raises:
        StorageError: kind `managed`, but neither the settings nor the cluster name a file system.

    Attributes:
        claim_name: name of the claim, known at preview.
        ready: resources that have to be there before a pod can mount the claim.
    """

    claim_name: str
    ready: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:platform:Storage", name, None, opts)
        storage = args.storage
        if isinstance(storage, ExistingClaimStorage):
            # Not looked up: only user pods need it, and they say so clearly when it is missing.
            self.claim_name, self.ready = storage.claim_name, ()
        elif isinstance(storage, StorageClassStorage):
            self.claim_name, self.ready = CLAIM_NAME, self._claim_of_class(name, storage, args)
        else:
            export = (
                managed_export(storage, args.cluster.shared_file_system)
                if isinstance(storage, ManagedStorage)
                else self._own_export(name, storage, args)
            )
            self.claim_name, self.ready = CLAIM_NAME, self._mount(name, storage, export, args)
        self.register_outputs({"claim_name": self.claim_name})

    def _own_export(self, name: str, storage: NfsServerStorage, args: StorageArgs) -> _Export:
        """Make our own NFS server."""
        server = NfsServer(
            f"{name}-nfs-server",
            NfsServerArgs(
                namespace=args.server_namespace,
                image=storage.image.reference,
                size=storage.size,
                storage_class=storage.storage_class or args.cluster.block_storage_class,
                pool=args.cluster.node_pools["general"],
                resources=container_resources(storage.resources),
                protect=storage.protect,
                images=args.images,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return _Export(server=server.server, path="/", mount_options=MOUNT_OPTIONS, depends_on=[server.service])

    def _claim_of_class(self, name: str, storage: StorageClassStorage, args: StorageArgs) -> Sequence[pulumi.Resource]:
        """Claim a volume of a storage class; return what has to be ready before a pod mounts it."""
        spec: PersistentVolumeClaimSpecArgsDict = {
            "access_modes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": storage.size}},
        }
        if storage.storage_class is not None:
            spec["storage_class_name"] = storage.storage_class
        claim = PersistentVolumeClaim(
            f"{name}-claim",
            metadata={"name": CLAIM_NAME, "namespace": args.namespace},
            spec=spec,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[args.namespace_resource],
                protect=storage.protect,
                retain_on_delete=storage.protect,
            ),
        )
        return [claim]

    def _mount(
        self, name: str, storage: NfsServerStorage | ManagedStorage, export: _Export, args: StorageArgs
    ) -> Sequence[pulumi.Resource]:
        """Make the volume and the claim for an export; return what has to be ready before a pod mounts it."""
        volume_name = f"{args.namespace}-{CLAIM_NAME}"
        volume = PersistentVolume(
            f"{name}-volume",
            metadata={"name": volume_name},
            spec=_volume_spec(storage.size, export),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(export.depends_on),
                protect=storage.protect,
                retain_on_delete=storage.protect,
            ),
        )
        claim = PersistentVolumeClaim(
            f"{name}-claim",
            metadata={"name": CLAIM_NAME, "namespace": args.namespace},
            spec={
                "access_modes": ["ReadWriteMany"],
                "storage_class_name": "",
                "volume_name": volume_name,
                "resources": {"requests": {"storage": storage.size}},
            },
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[args.namespace_resource, volume],
                # The size is the real one at first, and the disk behind the server grows with the setting. The volume
                # follows; the claim cannot: the API server lets a bound claim ask for more only where a storage class
                # provisioned it ("only dynamically provisioned pvc can be resized"). NFS enforces neither number, so
                # the claim keeps its first one.
                ignore_changes=["spec.resources.requests.storage"],
                protect=storage.protect,
                retain_on_delete=storage.protect,
            ),
        )
        return [claim]


def _volume_spec(size: str, export: _Export) -> PersistentVolumeSpecArgsDict:
    """Return `spec` of the volume for an export.

    There is no `claimRef`: the controller that binds the claim adds to it, and the field is owned as a whole, so every
    later update would fight over it. `volumeName` in the claim binds the two.
    """
    return {
        "capacity": {"storage": size},
        "access_modes": ["ReadWriteMany"],
        "persistent_volume_reclaim_policy": "Retain",
        "storage_class_name": "",
        "mount_options": list(export.mount_options),
        # By address, never by the Service's DNS name: it is the node that mounts, and nodes do not ask the cluster's
        # DNS.
        "nfs": {"server": export.server, "path": export.path},
    }


def managed_export(storage: ManagedStorage, found: SharedFileSystem | None) -> _Export:
    """Return the export that the settings name, else the one that the cluster brings.

    Args:
        storage: the settings.
        found: the managed file system of the cluster; None where it has none.

    Raises:
        StorageError: neither names one.
    """
    if storage.server is not None:
        return _Export(server=storage.server, path=storage.path, mount_options=storage.mount_options)
    if found is None:
        raise StorageError(
            "storage.kind is managed, but storage.server is not set and this cluster brings no managed file system. "
            "Set storage.server (and storage.path) to an NFS export, or storage.kind: nfs-server."
        )
    # The vendor knows best how its server wants to be mounted, unless somebody said otherwise.
    said = "mount_options" in storage.model_fields_set
    return _Export(
        server=found.server, path=found.path, mount_options=storage.mount_options if said else found.mount_options
    )
