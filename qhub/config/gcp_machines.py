"""What the machine families of Google Cloud take: GPUs and disks."""

from __future__ import annotations

from collections.abc import Iterator

from qhub.config import instances
from qhub.config.cloud import CloudNodePool
from qhub.config.model import Problem
from qhub.config.nearest import nearest

Path = tuple[str | int, ...]

#: GPUs that a pool attaches, which N1 alone takes: accelerator -> number of them -> most cores beside them
#: (cloud.google.com/compute/docs/gpus, "N1 machine series").
ATTACHED_GPUS = {
    "nvidia-tesla-t4": {1: 48, 2: 48, 4: 96},
    "nvidia-tesla-p4": {1: 24, 2: 48, 4: 96},
    "nvidia-tesla-v100": {1: 12, 2: 24, 4: 48, 8: 96},
    "nvidia-tesla-p100": {1: 16, 2: 32, 4: 96},
}
#: Families that boot from Hyperdisk alone and attach no Persistent Disk (cloud.google.com/compute/docs/disks,
#: "Machine type support").
HYPERDISK_ONLY = frozenset({"a4", "a4x", "c4", "c4a", "c4d", "g4", "h4d", "m4", "n4", "n4a", "n4d", "x4"})
#: StorageClasses of GKE that make Persistent Disks.
PERSISTENT_DISK_CLASSES = frozenset({"standard", "standard-rwo", "premium-rwo"})


def family(instance_type: str) -> str:
    """Return the machine family: `n2` of `n2-standard-4`."""
    return instance_type.partition("-")[0]


def architecture(pool: CloudNodePool) -> str:
    """Return the CPU architecture of a pool's nodes, as `kubernetes.io/arch` has it."""
    instance = instances.find("gcp", pool.instance_type)
    return pool.architecture or (instance.architecture if instance else "amd64")


def boot_disk(pool: CloudNodePool) -> str:
    """Return the type of a node's own disk: what pulls images fast enough and the machine can boot from."""
    return "hyperdisk-balanced" if family(pool.instance_type) in HYPERDISK_ONLY else "pd-balanced"


def accelerator(pool: CloudNodePool) -> str | None:
    """Return the name of a pool's GPUs: what the settings say, else what the machine brings; None for none."""
    if pool.gpu is None:
        return None
    instance = instances.find("gcp", pool.instance_type)
    return pool.gpu.type or (instance.gpu if instance else None) or None


def gpu_problems(path: Path, pool: CloudNodePool) -> Iterator[Problem]:
    """Yield what is wrong with the GPUs of a pool.

    Args:
        path: key of the pool.
        pool: the pool. GPUs without a type on a machine of the catalogue are the common rules' business.
    """
    if pool.gpu is None:
        return
    instance, wanted = instances.find("gcp", pool.instance_type), pool.gpu.type
    at = (*path, "gpu", "type")
    if wanted is None:
        if instance is None:
            yield Problem(at, f"is required: {pool.instance_type} is not in the catalogue, so its GPU is not known")
    elif instance is not None and instance.gpus:
        if (wanted, pool.gpu.count) != (instance.gpu, instance.gpus):
            message = (
                f"{instance.name} comes with {instance.gpus} of {instance.gpu}: write `gpu: {{count: {instance.gpus}}}`"
            )
            yield Problem(at, message, nearest(wanted, [instance.gpu]))
    elif family(pool.instance_type) == "n1":
        cores = instance.cores if instance else 0
        yield from _attached_problems((*path, "gpu"), wanted, pool.gpu.count, pool.instance_type, cores)
    elif instance is not None:
        yield Problem(at, f"{instance.name} takes no GPU: choose an n1 type, or one with GPUs of its own (g2, a2, a3)")


def disk_problems(path: Path, pool: CloudNodePool, *, storage_class: str) -> Iterator[Problem]:
    """Yield a problem where the hub's pods would wait for ever for a disk that their node cannot attach.

    Args:
        path: key of the pool in which the hub and the NFS server run.
        pool: that pool.
        storage_class: class of their disks.
    """
    if family(pool.instance_type) in HYPERDISK_ONLY and storage_class in PERSISTENT_DISK_CLASSES:
        yield Problem(
            (*path, "instance_type"),
            f"{pool.instance_type} cannot attach the disks of StorageClass {storage_class}, which the hub needs: take "
            "another family (e2, n2, n2d, t2a), or set `cluster.storage_class` to a class with Hyperdisk",
        )


def _attached_problems(path: Path, kind: str, count: int, instance_type: str, cores: float) -> Iterator[Problem]:
    if kind not in ATTACHED_GPUS:
        message = f"{instance_type} takes none of {kind}, but {', '.join(ATTACHED_GPUS)}"
        yield Problem((*path, "type"), message, nearest(kind, ATTACHED_GPUS))
    elif count not in ATTACHED_GPUS[kind]:
        counts = ", ".join(map(str, ATTACHED_GPUS[kind]))
        yield Problem((*path, "count"), f"{kind} is attached in numbers of {counts}, not {count}")
    elif cores > ATTACHED_GPUS[kind][count]:
        most = ATTACHED_GPUS[kind][count]
        message = f"{count} of {kind} go with at most {most} cores, and {instance_type} has {cores:g}"
        yield Problem((*path, "count"), f"{message}: take more GPUs or a smaller machine")
