"""Where the platform runs. For now a Kubernetes cluster that exists already; the clouds join the same choice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from qhub.config.model import Expected, Problem, Section
from qhub.config.names import AnnotationValue, KubernetesName, LabelKey, LabelValue, ObjectName, Text
from qhub.config.quantities import Cores, MemoryQuantity, SecondsOrNever
from qhub.config.resources import NodeGpu

#: Pools that the platform places its own parts on; they are there even when the settings name others.
STANDARD_POOLS = ("general", "user", "worker")


class Toleration(Section):
    """Lets pods onto nodes with a matching taint (Kubernetes `core/v1` Toleration)."""

    key: LabelKey | None = Field(default=None, description="Taint key; null with operator Exists matches every taint.")
    operator: Literal["Equal", "Exists"] = Field(default="Equal", description="Exists matches any value.")
    value: LabelValue | None = Field(default=None, description="Taint value, for operator Equal.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        default=None, description="Taint effect; null matches all."
    )
    toleration_seconds: SecondsOrNever | None = Field(
        default=None, description="Seconds that a pod stays after a NoExecute taint; null stays for ever."
    )


class NodePool(Section):
    """Nodes of one kind."""

    node_selector: dict[LabelKey, LabelValue] = Field(
        default={}, description="Labels that the nodes of this pool carry and others do not; empty means any node."
    )
    tolerations: tuple[Toleration, ...] = Field(default=(), description="For the taints of this pool's nodes.")
    gpu: NodeGpu | None = Field(default=None, description="GPUs of one node; null for none.")
    spot: bool = Field(default=False, description="The provider may take nodes of this pool away at any time.")
    architecture: Literal["amd64", "arm64"] = Field(default="amd64", description="CPU architecture of the nodes.")
    cpu: Cores | None = Field(
        default=None, description="CPU cores of one node that pods can use; lets profiles be checked against it."
    )
    memory: MemoryQuantity | None = Field(
        default=None, description="Memory of one node that pods can use, for example 14Gi; lets profiles be checked."
    )


class ExistingCluster(Section):
    """A Kubernetes cluster that is there already: kind, minikube, k3s, the embedded one, or any other."""

    provider: Literal["existing"] = Field(default="existing", description="Who runs the cluster.")
    name: KubernetesName = Field(
        default="qhub", description='Name of the cluster in labels and outputs; "qhub-<stack>" where it is not given.'
    )
    kubeconfig: Annotated[Text, Expected("the path of a kubeconfig file")] | None = Field(
        default=None,
        description="Path of a kubeconfig file, relative to the project folder (~ allowed); null takes $KUBECONFIG, "
        "else ~/.kube/config.",
    )
    context: Text | None = Field(
        default=None, description="Context in the kubeconfig; null takes the file's current context."
    )
    storage_class: ObjectName | None = Field(
        default=None, description="StorageClass for disks (ReadWriteOnce); null takes the cluster's default class."
    )
    node_pools: dict[KubernetesName, NodePool] = Field(
        default={}, description="Node pools by name; general, user and worker are always there and default to any node."
    )
    load_balancer_annotations: dict[LabelKey, AnnotationValue] = Field(
        default={}, description="Annotations that this cluster wants on a Service of type LoadBalancer."
    )

    @property
    def pools(self) -> dict[str, NodePool]:
        """The node pools, the three standard ones included."""
        return {name: NodePool() for name in STANDARD_POOLS} | self.node_pools


Cluster = ExistingCluster


def tolerations_are_whole(cluster: Cluster) -> Iterator[Problem]:
    """Kubernetes refuses a toleration with a value for Exists, or without a key for Equal."""
    for name, pool in cluster.node_pools.items():
        for place, toleration in enumerate(pool.tolerations):
            path = ("cluster", "node_pools", name, "tolerations", place)
            if toleration.operator == "Exists" and toleration.value is not None:
                yield Problem((*path, "value"), "operator Exists takes no value: leave one of the two out")
            if toleration.operator == "Equal" and toleration.key is None:
                yield Problem(path, "a key is missing: add it, or write operator: Exists to match every taint")
            if toleration.toleration_seconds is not None and toleration.effect != "NoExecute":
                yield Problem((*path, "toleration_seconds"), "only has a meaning with effect: NoExecute")
