"""The one contract between a cloud and the platform: all that the platform may know of where it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

#: Namespace of cert-manager and name of its controller's service account: whom a cloud gives rights in a zone.
CERT_MANAGER = "cert-manager"


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """GPUs of one node.

    Attributes:
        count: GPUs per node.
        resource: extended resource name under which the device plugin offers them.
    """

    count: int = 1
    resource: str = "nvidia.com/gpu"


@dataclass(frozen=True, kw_only=True)
class NodePool:
    """How a pod gets onto the nodes of one pool, and what one of its nodes has.

    Attributes:
        node_selector: labels that every node of the pool carries and no other node does.
        tolerations: `core/v1` tolerations for the pool's taints, camelCase keys.
        cpu: allocatable CPU of one node, in cores; None where unknown.
        memory: allocatable memory of one node, in bytes; None where unknown.
        gpu: GPUs of one node; None for none.
        architecture: value of `kubernetes.io/arch`.
        spot: nodes may be taken away at any time.
    """

    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, Any], ...] = ()
    cpu: float | None = None
    memory: int | None = None
    gpu: Gpu | None = None
    architecture: str = "amd64"
    spot: bool = False


@dataclass(frozen=True, kw_only=True)
class SharedFileSystem:
    """A managed NFS file system that the cloud runs (EFS, Filestore, Azure Files, DigitalOcean NFS).

    Attributes:
        server: host name or address as the *node* resolves it.
        path: exported path.
        mount_options: NFS mount options that the vendor asks for.
    """

    server: pulumi.Input[str]
    path: pulumi.Input[str] = "/"
    mount_options: tuple[str, ...] = ("nfsvers=4.1", "noatime")


@dataclass(frozen=True, kw_only=True)
class AutoscaledGroup:
    """Nodes that the autoscaler adds and removes.

    Attributes:
        name: by which the cloud knows them (AWS: the name of the Auto Scaling group).
        min, max: number of nodes.
    """

    name: pulumi.Input[str]
    min: int
    max: int


@dataclass(frozen=True, kw_only=True)
class Autoscaler:
    """The cluster-autoscaler that the platform has to install, on clouds that do not run one themselves (EKS).

    Attributes:
        cloud_provider: the autoscaler's own word for the cloud, for example `aws`.
        groups: all that it looks after, in an order that does not depend on that of the settings.
        region: the cloud's region.
        kubernetes_version: minor version of the cluster, for example `1.34`.
        namespace, service_account: where the cloud gives it its rights (EKS Pod Identity).
        ready: resources that have to be there before it starts.
    """

    cloud_provider: str
    groups: tuple[AutoscaledGroup, ...]
    region: str
    kubernetes_version: str = ""
    namespace: str = "kube-system"
    service_account: str = "cluster-autoscaler"
    ready: tuple[pulumi.Resource, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DnsToken:
    """A token for the API of a zone, kept in a Secret beside cert-manager.

    Attributes:
        value: the token.
        kept_in: name of the Secret.
        key: its key there.
    """

    value: pulumi.Output[str]
    kept_in: str = "dns-token"
    key: str = "token"

    @property
    def reference(self) -> dict[str, str]:
        """Where a solver finds it, as cert-manager writes that."""
        return {"name": self.kept_in, "key": self.key}


@dataclass(frozen=True, kw_only=True)
class DnsZone:
    """The zone with the hub's name.

    Attributes:
        point: makes the record that leads the hub's name to the load balancer, whose address (an IP address, or a host
            name where the cloud gives those) it is handed; None where a person makes it.
        solver: how cert-manager writes into the zone: `dns01` of a solver of its issuers, camelCase keys; empty where
            it is not to.
        token: with which it does; None where its pods have an identity of the cloud's.
        service_account_annotations, pod_labels: what gives cert-manager's pods that identity.
        ready: resources that have to be there before those pods start.
    """

    point: Callable[[pulumi.Output[str]], object] | None = None
    solver: Mapping[str, Any] = field(default_factory=dict)
    token: DnsToken | None = None
    service_account_annotations: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    ready: tuple[pulumi.Resource, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What the makers of clusters return and `KubernetesPlatform` takes.

    Attributes:
        name: name of the cluster, known at preview.
        provider: the one Kubernetes provider for everything on this cluster.
        kubeconfig: secret output; YAML text.
        node_pools: by name; `general`, `user` and `worker` are always there.
        block_storage_class: StorageClass for ReadWriteOnce volumes; None for the cluster's default class.
        shared_file_system: managed NFS, None where the platform has to bring its own.
        load_balancer_annotations: for a Service of type LoadBalancer on this cloud.
        load_balancer_name_key: which of them names the load balancer, where one does; no two may have one name.
        registry: address of a container registry that nodes may pull from; None for none.
        autoscaler: what the platform has to install so that pools grow and shrink; None where the cloud does it.
        gpu_device_plugin: the platform has to install NVIDIA's device plugin on nodes with GPUs.
        dns: the zone with the hub's name; None where nobody but a person manages it.
        ready: resources that have to be there before the platform's first pod can run (nodes, add-ons).
    """

    name: str
    provider: kubernetes.Provider
    kubeconfig: pulumi.Output[str]
    node_pools: Mapping[str, NodePool]
    block_storage_class: str | None = None
    shared_file_system: SharedFileSystem | None = None
    load_balancer_annotations: Mapping[str, str] = field(default_factory=dict)
    load_balancer_name_key: str | None = None
    registry: pulumi.Input[str] | None = None
    autoscaler: Autoscaler | None = None
    gpu_device_plugin: bool = False
    dns: DnsZone | None = None
    ready: tuple[pulumi.Resource, ...] = ()

    def another_load_balancer(self, purpose: str) -> dict[str, str]:
        """Return the annotations of a load balancer beside the ingress's: the same ones under a name of its own."""
        annotations = dict(self.load_balancer_annotations)
        if self.load_balancer_name_key is not None:
            annotations[self.load_balancer_name_key] += f"-{purpose}"
        return annotations
