"""The storage classes that a new cluster of each cloud has.

Sources: AWS, "Amazon EKS user guide", EBS CSI driver (only the old `gp2`, not the default since 1.30; a program makes
its own class); Google, "GKE persistent volumes" (`standard-rwo` is the default); DigitalOcean, "csi-digitalocean",
deploy/kubernetes/releases; Microsoft, "Storage options for applications in AKS", built-in storage classes.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_PATH = "/apis/storage.k8s.io/v1/storageclasses"
_DEFAULT = "storageclass.kubernetes.io/is-default-class"


def storage_classes(cloud: str) -> dict[str, Json]:
    """Return the classes of a cloud, by the path to apply each to; none for a cloud without a name."""
    made = {"": (), "aws": _aws(), "gcp": _gcp(), "digitalocean": _digitalocean(), "azure": _azure()}[cloud]
    return {f"{_PATH}/{one['metadata']['name']}": one for one in made}


def _class(
    name: str, provisioner: str, *, default: bool = False, waits: bool = True, retain: bool = False, **parameters: str
) -> Json:
    """Return a class; `waits`: a volume is made once a pod that needs it has a node."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name, "annotations": {_DEFAULT: "true"} if default else {}},
        "provisioner": provisioner,
        "parameters": parameters,
        "reclaimPolicy": "Retain" if retain else "Delete",
        "allowVolumeExpansion": True,
        "volumeBindingMode": "WaitForFirstConsumer" if waits else "Immediate",
    }


def _aws() -> tuple[Json, ...]:
    return ({**_class("gp2", "kubernetes.io/aws-ebs", type="gp2", fsType="ext4"), "allowVolumeExpansion": False},)


def _gcp() -> tuple[Json, ...]:
    disk, file = "pd.csi.storage.gke.io", "filestore.csi.storage.gke.io"
    return (
        _class("standard", disk, waits=False, type="pd-standard"),
        _class("standard-rwo", disk, default=True, type="pd-balanced"),
        _class("premium-rwo", disk, type="pd-ssd"),
        _class("standard-rwx", file, tier="standard"),
        _class("premium-rwx", file, tier="premium"),
    )


def _digitalocean() -> tuple[Json, ...]:
    driver = "dobs.csi.digitalocean.com"
    return (
        _class("do-block-storage", driver, default=True, waits=False),
        _class("do-block-storage-retain", driver, waits=False, retain=True),
        _class("do-block-storage-xfs", driver, waits=False, fstype="xfs"),
        _class("do-block-storage-xfs-retain", driver, waits=False, retain=True, fstype="xfs"),
    )


def _azure() -> tuple[Json, ...]:
    disk, file = "disk.csi.azure.com", "file.csi.azure.com"
    return (
        _class("default", disk, default=True, skuname="StandardSSD_LRS"),
        _class("managed", disk, skuname="StandardSSD_LRS"),
        _class("managed-premium", disk, skuname="Premium_LRS"),
        _class("managed-csi", disk, skuname="StandardSSD_LRS"),
        _class("managed-csi-premium", disk, skuname="Premium_LRS"),
        _class("azurefile-csi", file, waits=False, skuName="Standard_LRS"),
        _class("azurefile-csi-premium", file, waits=False, skuName="Premium_LRS"),
    )
