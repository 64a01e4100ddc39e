"""Names that everything about volumes shares: collections, and the drivers of the clouds."""

from __future__ import annotations

CLAIMS = "/api/v1/persistentvolumeclaims"
VOLUMES = "/api/v1/persistentvolumes"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"

EBS = "ebs.csi.aws.com"
PERSISTENT_DISK = "pd.csi.storage.gke.io"
AZURE_DISK = "disk.csi.azure.com"
#: Drivers of block volumes: one node at a time.
DISKS = frozenset({EBS, PERSISTENT_DISK, "dobs.csi.digitalocean.com", AZURE_DISK})
FILE_SYSTEMS = frozenset({"efs.csi.aws.com", "filestore.csi.storage.gke.io", "file.csi.azure.com"})

#: Set on a volume by its provisioner; kube-controller-manager leaves the deletion of such a volume to it.
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
