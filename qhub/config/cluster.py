"""Where the platform runs: a Kubernetes cluster that is there already, or one that is made on one of four clouds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from qhub.config.aws import AwsCluster
from qhub.config.azure import AzureCluster
from qhub.config.cloud import CloudCluster
from qhub.config.digitalocean import DigitalOceanCluster
from qhub.config.gcp import GcpCluster
from qhub.config.model import NEW_CLUSTER, Expected, Problem, Section
from qhub.config.names import AnnotationValue, KubernetesName, LabelKey, ObjectName, Text
from qhub.config.node_pools import STANDARD_POOLS, NodePool


class ExistingCluster(Section):
    """A Kubernetes cluster that is there already: kind, minikube, k3s, the embedded one, or any other."""

    provider: Annotated[Literal["existing"], NEW_CLUSTER] = Field(
        default="existing", description="Who runs the cluster."
    )
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
    enforces_network_policies: bool = Field(
        default=False,
        description="Its network plug-in enforces network policies, which keep notebooks from the file server: say so "
        "once you have looked, and `qhub validate` warns no more. Nothing else depends on it.",
    )

    @property
    def pools(self) -> dict[str, NodePool]:
        """The node pools, the three standard ones included."""
        return {name: NodePool() for name in STANDARD_POOLS} | self.node_pools


def _provider(value: Any) -> Any:
    """Return whose cluster a section describes; one without `provider` is there already."""
    return value.get("provider", "existing") if isinstance(value, dict) else getattr(value, "provider", "existing")


Cluster = Annotated[
    Annotated[ExistingCluster, Tag("existing")]
    | Annotated[AwsCluster, Tag("aws")]
    | Annotated[GcpCluster, Tag("gcp")]
    | Annotated[DigitalOceanCluster, Tag("digitalocean")]
    | Annotated[AzureCluster, Tag("azure")],
    Discriminator(_provider),
]


def cluster_makes_sense(cluster: ExistingCluster | CloudCluster) -> Iterator[Problem]:
    """What the cluster's own section gets wrong, whoever runs it."""
    if isinstance(cluster, CloudCluster):
        yield from cluster.problems()
        return
    yield from tolerations_are_whole(cluster)
    general = cluster.node_pools.get("general")
    if general is not None and general.spot:
        yield Problem(
            ("cluster", "node_pools", "general", "spot"),
            "the hub with its database and every Dask scheduler run in this pool, and what they do is lost with a spot "
            "node: choose nodes that stay; workers may be on spot nodes (pool worker, or node_pool of a Dask profile)",
        )


def tolerations_are_whole(cluster: ExistingCluster) -> Iterator[Problem]:
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
