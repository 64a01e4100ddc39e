"""How long a cloud's own parts of Kubernetes take: load balancers, disks, file systems, on the simulated clock.

Where no source is named, the number is an estimate: what people who run such clusters see, rounded, not measured here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Durations:
    """Simulated seconds.

    Attributes:
        load_balancer: from a Service of type LoadBalancer until its address is in the Service's status.
        disk: from a claim until its new disk is there.
        attach: from a pod on a node until the disk is attached to the node, formatted and mounted.
        parallel_pulls: whether a node pulls several images at once. Kubernetes' default is one after the other
            (kubernetes.io/docs, "Images", "Serial and parallel image pulls").
    """

    load_balancer: float
    disk: float
    attach: float
    parallel_pulls: bool = False


BY_CLOUD: Mapping[str, Durations] = {
    # The cloud controller writes the host name down while the load balancer is still "provisioning"
    # (kubernetes/cloud-provider-aws, `v2toStatus`): some calls to the API, no more. That it serves takes two to three
    # minutes more, for which nobody waits: not Kubernetes, nor Helm, nor Pulumi.
    # Pulls: awslabs/amazon-eks-ami, nodeadm, `SerializeImagePulls: false`.
    "aws": Durations(load_balancer=15, disk=5, attach=10, parallel_pulls=True),
    # Forwarding rule, backend service and firewall rules, each an operation of some ten seconds. Estimate.
    "gcp": Durations(load_balancer=50, disk=5, attach=10),
    # Machines of its own, one to three minutes; the cloud controller waits until it is active. Estimate.
    "digitalocean": Durations(load_balancer=120, disk=5, attach=10),
    # A public address, and a rule in the load balancer that the cluster has already. Attaching a disk changes the
    # virtual machine, which takes longest here. Estimate.
    "azure": Durations(load_balancer=40, disk=5, attach=20),
}

#: Until a new volume of a shared file system is there. EFS: a folder with an access point; Azure Files: a storage
#: account and a share; Filestore: a whole instance ("usually a few minutes", cloud.google.com/filestore). Estimates.
FILE_SYSTEM: Mapping[str, float] = {
    "efs.csi.aws.com": 5,
    "filestore.csi.storage.gke.io": 240,
    "file.csi.azure.com": 30,
}

#: Mounting an NFS or SMB share on a node. Estimate.
MOUNT = 2.0
