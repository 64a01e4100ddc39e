"""What clusters on the four clouds have in common: node pools by name, tags, who may reach the API server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from qhub.config import instances
from qhub.config.model import NEW_CLUSTER, Expected, Problem, Section
from qhub.config.names import AddressRange, AnnotationValue, KubernetesName, LabelKey, LabelValue, Text
from qhub.config.nearest import nearest
from qhub.config.node_pools import NodePool, Toleration
from qhub.config.quantities import Cores, Count, MemoryQuantity, VolumeSize
from qhub.config.resources import NodeGpu

#: On every node of a pool made by us: its pool. What runs in a pool selects this.
POOL_LABEL = "qhub.dev/pool"
#: Taint of nodes with GPUs, as the device plugins' own manifests tolerate it: only what asks for a GPU gets there.
GPU_TAINT = "nvidia.com/gpu"

KubernetesVersion = Annotated[
    str, Field(pattern=r"^1\.\d{2}$"), Expected('a minor version of Kubernetes in quotes, for example "1.35"')
]


class Taint(Section):
    """Keeps pods without a matching toleration off the nodes of a pool."""

    key: LabelKey = Field(description="Taint key.")
    value: LabelValue = Field(default="", description="Taint value.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = Field(
        default="NoSchedule", description="What happens to pods that do not tolerate it."
    )


class PoolGpu(Section):
    """GPUs of each node of a pool."""

    type: Text | None = Field(
        default=None, description="The cloud's name for the GPU, where the instance type does not bring its own (GCP)."
    )
    count: Count = Field(default=1, description="GPUs per node.")


class CloudNodePool(Section):
    """Nodes of one kind that the cloud makes and takes away as pods need them. The keys are the same on every cloud."""

    instance_type: Text = Field(description="The cloud's name for the size of machine, for example m6i.xlarge.")
    min: Annotated[int, Field(ge=0, le=1000), Expected("a whole number, at least 0")] = Field(
        default=0, description="Nodes that are always there; 0 lets the pool vanish while nobody needs it."
    )
    max: Annotated[int, Field(ge=1, le=1000), Expected("a whole number, at least 1")] = Field(
        default=5,
        description="Most nodes; the autoscaler stays between the two. On AWS it counts in each zone for pool general, "
        "since the hub's disk may lie in any: 4 in three zones is up to 12 nodes.",
    )
    zones: tuple[Text, ...] | None = Field(default=None, description="Zones of its nodes; null: all of the cluster's.")
    disk_size: VolumeSize = Field(default="100Gi", description="Size of a node's own disk; images take most of it.")
    spot: bool = Field(
        default=False,
        description="Cheaper nodes that the cloud may take away at any time; for what can be repeated. On GCP another "
        "value deletes the pool with what runs there, and makes it anew.",
    )
    gpu: PoolGpu | None = Field(
        default=None,
        description="GPUs of each node; null for none. On GCP another value deletes the pool with what runs there, and "
        "makes it anew.",
    )
    labels: dict[LabelKey, LabelValue] = Field(default={}, description="More labels for its nodes.")
    taints: tuple[Taint, ...] = Field(default=(), description="More taints for its nodes.")
    architecture: Literal["amd64", "arm64"] | None = Field(
        default=None, description="CPU architecture; null: as the catalogue has it for the instance type."
    )
    cpu: Cores | None = Field(
        default=None, description="Cores that pods can use on a node, for an instance type the catalogue does not have."
    )
    memory: MemoryQuantity | None = Field(
        default=None, description="Memory that pods can use on a node, for an instance type not in the catalogue."
    )


class CloudCluster(Section):
    """What the four clouds' sections share."""

    #: Pools that are there without being written; what is written for one of them is laid over it, key by key.
    DEFAULT_POOLS: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    provider: str
    name: Annotated[KubernetesName, NEW_CLUSTER] = Field(
        default="qhub", description='Name of the cluster and prefix of what belongs to it; "qhub-<stack>" by default.'
    )
    region: Text
    version: KubernetesVersion = Field(default="1.35", description='Minor version of Kubernetes, in quotes: "1.35".')
    node_pools: dict[KubernetesName, CloudNodePool] = Field(
        default={},
        validate_default=True,
        description="Node pools by name. general, user and worker are always there; what is written is laid over them.",
    )
    api_access: tuple[AddressRange, ...] = Field(
        default=("0.0.0.0/0",),
        min_length=1,
        description="Address ranges from which the API server can be reached: where `pulumi` and `kubectl` run.",
    )
    registry: bool = Field(default=True, description="Make a container registry that the nodes may pull from.")
    tags: dict[Text, AnnotationValue] = Field(
        default={}, description="Tags (labels on GCP) for everything that takes them, for example for billing."
    )
    protect: bool = Field(
        default=True, description="Refuse to delete the cluster; set it to false and run `pulumi up` before a destroy."
    )

    @model_validator(mode="before")
    @classmethod
    def _lay_over_default_pools(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        written = data.get("node_pools", {})
        if not isinstance(written, Mapping):
            return data
        pools = {name: dict(pool) for name, pool in cls.DEFAULT_POOLS.items()}
        for name, pool in written.items():
            pools[name] = {**pools.get(name, {}), **pool} if isinstance(pool, Mapping) else pool
        return {**data, "node_pools": pools}

    @property
    def zones(self) -> tuple[str, ...]:
        """Zones of the cluster; empty on a cloud without any."""
        return ()

    @property
    def pools(self) -> dict[str, NodePool]:
        """The node pools as the platform and the rules see them: how a pod gets there, and what it finds."""
        return {name: self._seen(name, pool) for name, pool in self.node_pools.items()}

    def problems(self) -> Iterator[Problem]:
        """Yield what the cloud would not accept, told before it is asked; each cloud adds what only it knows."""
        for name in self.node_pools:
            yield from self._pool_problems(name)

    def file_system_problems(self, size: str) -> Iterator[Problem]:
        """Yield what keeps the cloud from making a managed file system of a size (`storage.size`)."""
        yield from ()

    def pool_labels(self, name: str) -> dict[str, str]:
        """Return the labels that we put on the nodes of a pool."""
        return {**self.node_pools[name].labels, POOL_LABEL: name}

    def pool_taints(self, name: str) -> tuple[Taint, ...]:
        """Return the taints that we put on the nodes of a pool.

        Every pool but `general` keeps strangers off, or one stray pod would hold a node that could go.
        """
        pool = self.node_pools[name]
        own = () if name == "general" else (Taint(key=POOL_LABEL, value=name),)
        gpu = () if pool.gpu is None else (Taint(key=GPU_TAINT, value="present"),)
        return (*pool.taints, *own, *gpu)

    def added_taints(self, pool: CloudNodePool) -> tuple[Taint, ...]:
        """Return the taints that the cloud puts on such nodes by itself."""
        return ()

    def _seen(self, name: str, pool: CloudNodePool) -> NodePool:
        instance = instances.find(self.provider, pool.instance_type)
        gpus = 0 if pool.gpu is None else pool.gpu.count
        room = None if instance is None else instances.allocatable(self.provider, instance, gpus=gpus)
        taints = (*self.pool_taints(name), *self.added_taints(pool))
        return NodePool(
            node_selector={POOL_LABEL: name},
            tolerations=tuple(Toleration(key=one.key, value=one.value, effect=one.effect) for one in taints),
            gpu=None if pool.gpu is None else NodeGpu(count=gpus),
            spot=pool.spot,
            architecture=pool.architecture or (instance.architecture if instance else "amd64"),  # ty: ignore[invalid-argument-type]
            cpu=pool.cpu or (room.cores if room else None),
            memory=pool.memory or (str(room.memory) if room else None),
        )

    def _pool_problems(self, name: str) -> Iterator[Problem]:
        pool, path = self.node_pools[name], ("cluster", "node_pools", name)
        if pool.min > pool.max:
            yield Problem((*path, "min"), f"{pool.min} is more than max ({pool.max}): lower it, or raise max")
        if name == "general" and pool.min == 0:
            yield Problem((*path, "min"), "the hub and the ingress controller run in this pool: at least 1")
        if name == "general" and pool.spot:
            yield Problem((*path, "spot"), "the hub and its database run in this pool: spot nodes would take it down")
        for place, zone in enumerate(pool.zones or ()):
            if zone in (pool.zones or ())[:place]:
                yield Problem((*path, "zones", place), f"{zone} is there twice: write each zone once")
            elif zone not in self.zones:
                known = ", ".join(self.zones) or "none on this cloud"
                message = f"{zone} is no zone of the cluster ({known})"
                yield Problem((*path, "zones", place), message, nearest(zone, self.zones))
        yield from _instance_is_known(path, self.provider, pool)


def _instance_is_known(path: tuple[str | int, ...], cloud: str, pool: CloudNodePool) -> Iterator[Problem]:
    instance = instances.find(cloud, pool.instance_type)
    if instance is None:
        if pool.cpu is None or pool.memory is None:
            yield Problem(
                (*path, "instance_type"),
                f"{pool.instance_type} is not in the catalogue of {cloud}: mend the name, or give `cpu` and `memory` "
                "that pods can use on such a node",
                nearest(pool.instance_type, instances.names(cloud)),
            )
        return
    if pool.architecture not in (None, instance.architecture):
        yield Problem((*path, "architecture"), f"{instance.name} has {instance.architecture}: leave this key out")
    if pool.gpu is not None and pool.gpu.type is None and pool.gpu.count != instance.gpus:
        has = (
            f"has {instance.gpus} of {instance.gpu}: write `count: {instance.gpus}`"
            if instance.gpus
            else "has no GPU: leave `gpu` out"
        )
        yield Problem((*path, "gpu", "count"), f"{instance.name} {has}, or take another type")
    if pool.gpu is None and instance.gpus:
        yield Problem(
            (*path, "gpu"),
            f"{instance.name} has {instance.gpus} of {instance.gpu}: add `gpu: {{count: {instance.gpus}}}`",
        )
