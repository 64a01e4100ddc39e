"""An NFS server of our own, for clusters without a managed file system: one small Deployment over one disk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import ConfigMap, PersistentVolumeClaim, Service

from qhub.platform.namespace import PlatformNamespace, PlatformNamespaceArgs
from qhub.platform.pods import node_selector, resources, tolerations
from qhub.platform.pull_secret import pull_secrets, pulls_with

if TYPE_CHECKING:
    from pulumi_kubernetes.apps.v1 import DeploymentSpecArgsDict
    from pulumi_kubernetes.core.v1 import (
        ContainerArgsDict,
        PersistentVolumeClaimSpecArgsDict,
        ResourceRequirementsArgsDict,
        TolerationArgsDict,
    )

    from qhub.clouds.cluster import NodePool
    from qhub.config.images import Images

#: The one port of NFSv4 (RFC 7530, section 3.1); version 3 would need the port mapper and three more.
NFS_PORT = 2049

APP_LABELS = {"app.kubernetes.io/name": "nfs-server", "app.kubernetes.io/part-of": "qhub"}

EXPORT_PATH = "/export"

#: Secret that the image is pulled with.
PULL_SECRET = "nfs-server-registry"  # noqa: S105 - a name

#: Clients that were connected when the server stopped get this long to claim their locks again; nobody else may open
#: files until then. It has to be longer than the lease, and is a third of the usual 90 s: a restart of the pod stalls
#: every home for this long. Both in seconds.
GRACE_PERIOD = 30
LEASE_LIFETIME = 20

#: Configuration of NFS-Ganesha (ganesha-config(8), ganesha-core-config(8), ganesha-export-config(8)).
#: No_Root_Squash: user pods' init container runs as root and gives each home to its owner.
#: Only_Numeric_Owners: the server knows no names, so that uid and gid have to travel as numbers. UseGetpwnam: it then
#: starts without an /etc/idmapd.conf, which an image may lack.
#: The list of clients for the grace period lies on the disk, or a restarted pod would not know them.
GANESHA_CONF = f"""\
NFS_CORE_PARAM {{
    Protocols = 4;
    NFS_Port = {NFS_PORT};
    Enable_NLM = false;
    Enable_RQUOTA = false;
}}

NFSV4 {{
    Lease_Lifetime = {LEASE_LIFETIME};
    Grace_Period = {GRACE_PERIOD};
    UseGetpwnam = true;
    Only_Numeric_Owners = true;
    RecoveryBackend = fs;
    RecoveryRoot = {EXPORT_PATH}/.ganesha;
}}

EXPORT {{
    Export_Id = 1;
    Path = {EXPORT_PATH};
    Pseudo = /;
    Protocols = 4;
    Transports = TCP;
    Access_Type = RW;
    Squash = No_Root_Squash;
    SecType = sys;
    FSAL {{
        Name = VFS;
    }}
}}
"""

#: -F: stay in the foreground; -L: log where `kubectl logs` reads.
START = (
    f"mkdir -p {EXPORT_PATH}/.ganesha /var/run/ganesha && "
    "exec ganesha.nfsd -F -L /dev/stdout -f /etc/ganesha/ganesha.conf -N NIV_EVENT"
)


@dataclass(frozen=True, kw_only=True)
class NfsServerArgs:
    """What the NFS server is given.

    Attributes:
        namespace: name of the namespace for it.
        image: image reference with tag.
        size: of the disk, Kubernetes quantity. Grows in place where the storage class allows expansion.
        storage_class: for the disk; None for the cluster's default class.
        pool: nodes for the pod.
        resources: of the container, as in a pod spec; empty for ours.
        protect: protect the disk, and keep it when the stack is destroyed.
        images: the `images` section; None pulls the image as it is named.
    """

    namespace: str
    image: str
    size: str
    storage_class: str | None
    pool: NodePool
    resources: Mapping[str, Any]
    protect: bool
    images: Images | None = None


class NfsServer(pulumi.ComponentResource):
    """NFS-Ganesha over a block volume.

    Creates:
        Namespace (privileged: the server opens files by handle, which takes a capability that stricter levels forbid),
        PersistentVolumeClaim (the disk), ConfigMap, Deployment with one replica, Service; a Secret where the image is
        pulled with one.

    The Service's ClusterIP is what nodes mount, so it is protected with the disk: a new address would make the
    PersistentVolume, whose source cannot be changed, a new one too.

    There is no NetworkPolicy here: those who mount are nodes, which a policy cannot name without knowing their address
    range. Pods that run users' code are kept away from port 2049 by the policies on their own side instead.

    Attributes:
        server: output: the Service's ClusterIP.
        service: the Service; ready once the server answers.
    """

    server: pulumi.Output[str]
    service: Service

    def __init__(self, name: str, args: NfsServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:platform:NfsServer", name, None, opts)
        # The namespace goes with its claims, so where the disk has to stay the namespace has to stay.
        namespace = PlatformNamespace(
            f"{name}-namespace",
            PlatformNamespaceArgs(name=args.namespace, pod_security="privileged", keep=args.protect),
            opts=pulumi.ResourceOptions(parent=self),
        )
        disk = self._disk(name, args, namespace)
        config = ConfigMap(
            f"{name}-config",
            metadata={"name": "nfs-server", "namespace": namespace.name},
            data={"ganesha.conf": GANESHA_CONF},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[namespace.namespace]),
        )
        secrets = pull_secrets(
            f"{name}-registry",
            args.images,
            PULL_SECRET,
            namespace=namespace.name,
            parent=self,
            depends_on=[namespace.namespace],
        )
        deployment = Deployment(
            name,
            metadata={"name": "nfs-server", "namespace": namespace.name, "labels": APP_LABELS},
            spec=_deployment_spec(args),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[disk, config, *secrets]),
        )
        # After the Deployment: Pulumi waits for pods behind a Service, and must not do so before there are any.
        self.service = Service(
            f"{name}-service",
            metadata={"name": "nfs-server", "namespace": namespace.name},
            spec={
                "type": "ClusterIP",
                "selector": APP_LABELS,
                "ports": [{"name": "nfs", "port": NFS_PORT, "target_port": "nfs", "protocol": "TCP"}],
            },
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[deployment],
                protect=args.protect,
                retain_on_delete=args.protect,
            ),
        )
        self.server = self.service.spec.apply(lambda spec: spec.cluster_ip or "")
        self.register_outputs({"server": self.server})

    def _disk(self, name: str, args: NfsServerArgs, namespace: PlatformNamespace) -> PersistentVolumeClaim:
        """Make the claim for the disk."""
        return PersistentVolumeClaim(
            f"{name}-disk",
            metadata={"name": "nfs-disk", "namespace": namespace.name},
            spec=_disk_spec(args),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[namespace.namespace],
                protect=args.protect,
                retain_on_delete=args.protect,
            ),
        )


def _disk_spec(args: NfsServerArgs) -> PersistentVolumeClaimSpecArgsDict:
    """Return `spec` of the claim for the disk."""
    spec: PersistentVolumeClaimSpecArgsDict = {
        "access_modes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": args.size}},
    }
    if args.storage_class is not None:
        spec["storage_class_name"] = args.storage_class
    return spec


def _deployment_spec(args: NfsServerArgs) -> DeploymentSpecArgsDict:
    """Return `spec` of the Deployment."""
    # 256Mi is little for a file server, but its file cache is the node's page cache, which counts only when full.
    wanted = dict(args.resources) or resources(cpu="100m", memory="256Mi", memory_limit="2Gi")
    container: ContainerArgsDict = {
        "name": "nfs",
        "image": args.image if args.images is None else args.images.located(args.image),
        "command": ["sh", "-ec", START],
        "ports": [{"name": "nfs", "container_port": NFS_PORT}],
        "readiness_probe": {"tcp_socket": {"port": "nfs"}, "period_seconds": 5},
        "liveness_probe": {"tcp_socket": {"port": "nfs"}, "period_seconds": 10, "failure_threshold": 6},
        "resources": cast("ResourceRequirementsArgsDict", wanted),
        # DAC_READ_SEARCH: open files by handle. SYS_RESOURCE: raise the limit of open files. Not privileged.
        "security_context": {"capabilities": {"add": ["DAC_READ_SEARCH", "SYS_RESOURCE"]}},
        "volume_mounts": [
            {"name": "disk", "mount_path": EXPORT_PATH},
            {"name": "config", "mount_path": "/etc/ganesha", "read_only": True},
        ],
    }
    pull = pulls_with(args.images, PULL_SECRET)
    return {
        "replicas": 1,
        # One disk, one writer: the old pod has to be gone before the new one starts.
        "strategy": {"type": "Recreate"},
        "selector": {"match_labels": APP_LABELS},
        "template": {
            "metadata": {"labels": APP_LABELS, "annotations": {"qhub.dev/config-sha256": _digest(GANESHA_CONF)}},
            "spec": {
                "node_selector": node_selector(args.pool),
                "tolerations": cast("list[TolerationArgsDict]", tolerations(args.pool)),
                "automount_service_account_token": False,
                "enable_service_links": False,
                "containers": [container],
                **pull,
                "volumes": [
                    {"name": "disk", "persistent_volume_claim": {"claim_name": "nfs-disk"}},
                    {"name": "config", "config_map": {"name": "nfs-server"}},
                ],
            },
        },
    }


def _digest(text: str) -> str:
    """Return a hash that changes with the text, so that pods are made anew when their configuration changes."""
    return hashlib.sha256(text.encode()).hexdigest()
