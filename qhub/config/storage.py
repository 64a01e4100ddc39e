"""The shared file system: every user's home folder and the groups' shared folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from qhub.config.model import GROWS, NEW_STORAGE, Expected, Problem, Section, nested
from qhub.config.names import ObjectName, Text
from qhub.config.quantities import VolumeSize
from qhub.config.resources import Image, Resources


class _Storage(Section):
    size: Annotated[VolumeSize, GROWS] = Field(
        default="100Gi",
        description="Size of the shared file system. It can grow in place, never shrink: a smaller one is refused. All "
        "homes share it; none of the kinds can limit one person's (docs/profiles.md).",
    )
    protect: bool = Field(
        default=True,
        description="Refuse to delete the data, and keep it in the cluster when the stack is destroyed.",
    )


class NfsServerStorage(_Storage):
    """An NFS server of QHub's own in the cluster, on one disk. Works everywhere."""

    kind: Annotated[Literal["nfs-server"], NEW_STORAGE] = Field(
        default="nfs-server",
        description="A server in the cluster, on one disk. Nodes mount it: on a cluster of your own they need an NFS "
        "client (nfs-common, nfs-utils).",
    )
    image: Image = nested("Image of the NFS server (Ganesha).", name="ghcr.io/2i2c-org/nfs-ganesha", tag="1.2.0")
    storage_class: Annotated[ObjectName | None, replace(NEW_STORAGE, null_is_any=True)] = Field(
        default=None,
        description="StorageClass of the disk; null takes the cluster's. It must allow expansion for size to grow.",
    )
    resources: Resources = nested(
        "CPU and memory of the server; nothing here reserves a tenth of a core and 256Mi, and allows 2Gi."
    )


class ManagedStorage(_Storage):
    """An NFS file system that somebody else runs: EFS, Filestore, Azure Files, DigitalOcean NFS, or an appliance."""

    kind: Annotated[Literal["managed"], NEW_STORAGE] = Field(
        description="A managed NFS file system. Nodes mount it, with the same NFS client."
    )
    server: Annotated[
        Annotated[Text, Expected("a host name or address, as the nodes resolve it")] | None, NEW_STORAGE
    ] = Field(
        default=None,
        description="Host name or address as the nodes resolve it; null takes the one that the cloud's section makes. "
        "Root has to be able to give files away there: export it with no_root_squash.",
    )
    path: Annotated[str, Field(pattern=r"^/"), Expected("a path that starts with /"), NEW_STORAGE] = Field(
        default="/", description="Exported path."
    )
    mount_options: tuple[Text, ...] = Field(
        default=("nfsvers=4.1", "noatime"), description="NFS mount options, one per item."
    )


class StorageClassStorage(_Storage):
    """A volume that the cluster's own shared file system makes: CephFS, Longhorn, an NFS provisioner, ..."""

    kind: Annotated[Literal["storage-class"], NEW_STORAGE] = Field(
        description="A volume of a StorageClass that can share it between nodes."
    )
    storage_class: Annotated[ObjectName | None, replace(NEW_STORAGE, null_is_any=True)] = Field(
        default=None,
        description="StorageClass that makes ReadWriteMany volumes; null takes the cluster's default. It must allow "
        "expansion for size to grow. Root has to be able to give files away on its volumes: not so on access points of "
        "EFS, which its driver makes, nor on NFS exported with root_squash.",
    )


class ExistingClaimStorage(Section):
    """A ReadWriteMany claim that is there already. QHub uses it and never changes or deletes it."""

    kind: Annotated[Literal["existing-claim"], NEW_STORAGE] = Field(description="A claim that is there already.")
    claim_name: Annotated[ObjectName, NEW_STORAGE] = Field(
        description="PersistentVolumeClaim (ReadWriteMany) in the hub's namespace."
    )


#: Any of the sections, for functions that take what was chosen.
AnyStorage = NfsServerStorage | ManagedStorage | StorageClassStorage | ExistingClaimStorage


def _kind(value: Any) -> Any:
    """Return which of the four a value is; a section without `kind` is the first."""
    return value.get("kind", "nfs-server") if isinstance(value, dict) else getattr(value, "kind", "nfs-server")


Storage = Annotated[
    Annotated[NfsServerStorage, Tag("nfs-server")]
    | Annotated[ManagedStorage, Tag("managed")]
    | Annotated[StorageClassStorage, Tag("storage-class")]
    | Annotated[ExistingClaimStorage, Tag("existing-claim")],
    Discriminator(_kind),
]


def managed_storage_is_somewhere(storage: AnyStorage, cluster: Any) -> Iterator[Problem]:
    """Only a cloud that QHub sets up can make the managed file system itself, and not of every size."""
    if not isinstance(storage, ManagedStorage) or storage.server is not None:
        return
    if cluster.provider != "existing":
        yield from cluster.file_system_problems(storage.size)
    else:
        yield Problem(
            ("storage", "server"),
            "is required on an existing cluster: add `server: ...`, the file system's address as the nodes resolve it",
        )
