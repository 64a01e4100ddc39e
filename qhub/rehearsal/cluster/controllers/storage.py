"""Disks: a volume for every claim of our classes, growth, and the end of released volumes.

What the external provisioner and resizer of a CSI driver do, for volumes that no container will mount: for our own
class, and for the drivers of the clouds, so that a cloud's program runs as it stands. Our own classes grant every
access mode: they stand for block storage and for a shared file system alike. A cloud's disk is no shared file system.

Where the cluster has a real node, a volume is a folder there, and what needs it runs there. A disk takes the group that
a pod asks for (`fsGroup`), as a cloud's disk does. A shared file system leaves every file to whom it belongs, as NFS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from qhub.rehearsal.cluster.controllers.actions import Action, Create, Delete, Json, Patch, Warn, World, object_path
from qhub.rehearsal.cluster.controllers.pools import ZONE_LABEL
from qhub.rehearsal.cluster.controllers.storage_names import (
    CLAIMS,
    CLASSES,
    DISKS,
    FILE_SYSTEMS,
    PROVISIONED_BY,
    VOLUMES,
)
from qhub.rehearsal.cluster.manifests import PROVISIONER

COLLECTIONS = (CLAIMS, VOLUMES, CLASSES)

PROVISIONERS = DISKS | FILE_SYSTEMS | {PROVISIONER}
#: Names from before CSI that a class may still have; the claim then asks for the driver that took over.
OLD_NAMES = frozenset({"kubernetes.io/aws-ebs", "kubernetes.io/gce-pd", "kubernetes.io/azure-disk"})

#: Set on a claim by kube-controller-manager when it is this provisioner's turn: with volume binding mode
#: WaitForFirstConsumer only once the scheduler has chosen a node.
ASKED = "volume.kubernetes.io/storage-provisioner"

#: Where the volumes of a class with real storage would lie. Nothing creates or reads it on a simulated node.
HOST_PATH = "/var/lib/qhub-rehearsal/volumes"

#: Modes in which several pods on several nodes use a volume.
SHARED = frozenset({"ReadWriteMany", "ReadOnlyMany"})


@dataclass(frozen=True)
class NodeDisks:
    """Where the real node keeps its volumes.

    Attributes:
        node: its name.
        folder: the folder, as this process sees it.
        seen: the same, as the node's kubelet sees it.
    """

    node: str
    folder: Path
    seen: str


_UNITS = {
    "": Decimal(1), "m": Decimal("0.001"),
    "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12), "P": Decimal(10**15),
    "E": Decimal(10**18),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}  # fmt: skip


def _at_once(claim: Json, provisioner: str) -> Iterable[Action]:
    return ()


def _nowhere(claim: Json, storage_class: Json) -> str:
    return ""


def reconcile(
    world: World,
    *,
    wait: Callable[[Json, str], Iterable[Action]] = _at_once,
    zone: Callable[[Json, Json], str] = _nowhere,
    disks: NodeDisks | None = None,
) -> list[Action]:
    """Return what is to be done, from all claims, volumes and classes. Nothing when all is as it should be.

    `wait` returns what to do as long as the volume of a claim cannot be there (claim, driver); `zone` returns where it
    lies (claim, class); `disks` says where volumes really are, None where no container ever uses one.
    """
    volumes = list(world[VOLUMES])
    by_name = {volume["metadata"]["name"]: volume for volume in volumes}
    known = PROVISIONERS | OLD_NAMES
    classes = {item["metadata"]["name"]: item for item in world[CLASSES] if item["provisioner"] in known}
    actions: list[Action] = []
    for claim in world[CLAIMS]:
        if "deletionTimestamp" in claim["metadata"]:
            continue
        actions += _provision(claim, classes, by_name, wait=wait, zone=zone, disks=disks)
        actions += _grow(claim, by_name)
    actions += _reclaim(volumes, disks)
    return actions


@lru_cache(maxsize=4096)
def quantity(text: str | int) -> Decimal:
    """Return a Kubernetes quantity ("10Gi", "500m", "1e3") as a number."""
    text = str(text)
    suffix = next((unit for unit in sorted(_UNITS, key=len, reverse=True) if unit and text.endswith(unit)), "")
    return Decimal(text.removesuffix(suffix)) * _UNITS[suffix]


def _provision(
    claim: Json,
    classes: dict[str, Json],
    volumes: dict[str, Json],
    *,
    wait: Callable[[Json, str], Iterable[Action]],
    zone: Callable[[Json, Json], str],
    disks: NodeDisks | None,
) -> Iterator[Action]:
    about, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{about['uid']}"
    storage_class = classes.get(spec.get("storageClassName", ""))
    asked = about.get("annotations", {}).get(ASKED)
    if spec.get("volumeName") or name in volumes or asked not in PROVISIONERS or storage_class is None:
        return
    if why := _refusal(spec, asked, disks):
        yield Warn("PersistentVolumeClaim", claim, "ProvisioningFailed", why)
        return
    if waiting := list(wait(claim, asked)):
        yield from waiting
        return
    made = volume_object(claim, storage_class, zone=zone(claim, storage_class), disks=disks)
    yield Create(VOLUMES, made, disks.folder / name if disks else None)


def _refusal(spec: Json, provisioner: str, disks: NodeDisks | None) -> str:
    """Tell why a claim cannot have a volume; empty when it can."""
    for key, what in (("selector", "a selector"), ("dataSource", "a data source"), ("dataSourceRef", "a data source")):
        if spec.get(key):
            return f"{provisioner} cannot make a volume for a claim with {what}"
    if disks and spec.get("volumeMode", "Filesystem") != "Filesystem":
        return f"{provisioner} makes folders on {disks.node}: it has no block devices"
    shared = SHARED.intersection(spec["accessModes"])
    if provisioner in DISKS and shared and spec.get("volumeMode", "Filesystem") == "Filesystem":
        return f"{provisioner} makes disks: they cannot be {', '.join(sorted(shared))}; take a shared file system"
    return ""


def volume_object(claim: Json, storage_class: Json, *, zone: str = "", disks: NodeDisks | None = None) -> Json:
    """Return the PersistentVolume for a claim: its size and modes, bound to it from birth, in a zone if any."""
    about, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{about['uid']}"
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {PROVISIONED_BY: about["annotations"][ASKED]}},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "volumeMode": spec.get("volumeMode", "Filesystem"),
            "storageClassName": storage_class["metadata"]["name"],
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "mountOptions": storage_class.get("mountOptions", []),
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": about["namespace"],
                "name": about["name"],
                "uid": about["uid"],
            },
            **affinity(zone),
            **_source(name, spec, disks),
        },
    }


def affinity(zone: str) -> Json:
    """Return what a volume's spec says of the nodes that can use it; nothing for a volume of no zone."""
    if not zone:
        return {}
    expression = {"key": ZONE_LABEL, "operator": "In", "values": [zone]}
    return {"nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}}


def _source(name: str, spec: Json, disks: NodeDisks | None) -> Json:
    """Return where a volume is. kubelet gives a `local` volume to a pod's `fsGroup`, and leaves a `hostPath` alone."""
    if disks is None:
        return {"hostPath": {"path": f"{HOST_PATH}/{name}"}}
    path = f"{disks.seen}/{name}"
    shared = SHARED.intersection(spec["accessModes"])
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [disks.node]}
    return {
        **({"hostPath": {"path": path, "type": "Directory"}} if shared else {"local": {"path": path}}),
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
    }


def _grow(claim: Json, volumes: dict[str, Json]) -> Iterator[Action]:
    """Bring a bound volume of ours, and then its claim, to the size that is asked for. Nothing ever shrinks."""
    volume = volumes.get(claim["spec"].get("volumeName", ""))
    if volume is None or not _is_ours(volume) or claim.get("status", {}).get("phase") != "Bound":
        return
    wanted = claim["spec"]["resources"]["requests"]["storage"]
    if quantity(volume["spec"]["capacity"]["storage"]) < quantity(wanted):
        yield Patch(object_path(VOLUMES, volume), {"spec": {"capacity": {"storage": wanted}}})
    status = claim["status"]
    if quantity(status["capacity"]["storage"]) < quantity(wanted):
        patch: Json = {
            "capacity": {"storage": wanted},
            "allocatedResources": {"storage": wanted},
            "allocatedResourceStatuses": None,
        }
        if status.get("conditions"):
            # These say that growth is under way or has failed; now it is done.
            patch["conditions"] = [
                condition
                for condition in status["conditions"]
                if condition["type"] not in {"Resizing", "FileSystemResizePending", "ControllerResizeError"}
            ]
        yield Patch(object_path(CLAIMS, claim, sub="status"), {"status": patch})


def _reclaim(volumes: Iterable[Json], disks: NodeDisks | None) -> Iterator[Action]:
    for volume in volumes:
        if (
            _is_ours(volume)
            and volume.get("status", {}).get("phase") == "Released"
            and volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
            and "deletionTimestamp" not in volume["metadata"]
        ):
            about = volume["metadata"]
            folder = disks.folder / about["name"] if disks else None
            yield Delete(object_path(VOLUMES, volume), about["uid"], folder=folder)


def _is_ours(volume: Json) -> bool:
    return volume["metadata"].get("annotations", {}).get(PROVISIONED_BY) in PROVISIONERS
