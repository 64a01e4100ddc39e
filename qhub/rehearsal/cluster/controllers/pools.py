"""Node pools of a simulated cloud, as the autoscaler reads them: one ConfigMap for each, in `kube-system`.

Kept in the cluster itself, so that the autoscaler learns of a change by its watch, and goes on after a kill with what
holds now.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

Json = dict[str, Any]

NAMESPACE = "kube-system"
CONFIG_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"

#: On the ConfigMap of a pool: whether the pool is wanted, or its nodes are to go and then the ConfigMap.
DEFINITION_LABEL = "rehearsal.qhub.dev/node-pool-definition"
WANTED, UNWANTED = "wanted", "unwanted"
#: On the ConfigMap of a pool with a `group`, as an annotation: how many nodes the cloud keeps there.
DESIRED = "rehearsal.qhub.dev/desired-nodes"
#: On a node, as annotations: its pool, what its pool's `NodeSpec` was when it was made, which labels and taints it has
#: of that, what it costs.
POOL = "rehearsal.qhub.dev/node-pool"
TEMPLATE = "rehearsal.qhub.dev/node-template"
MARKS = "rehearsal.qhub.dev/node-marks"
PRICE = "rehearsal.qhub.dev/usd-per-hour"

ZONE_LABEL = "topology.kubernetes.io/zone"
INSTANCE_LABEL = "node.kubernetes.io/instance-type"


@dataclass(frozen=True, kw_only=True)
class NodeSpec:
    """One node of a pool.

    Attributes:
        instance_type: the cloud's name for the machine.
        cores: CPU cores of the machine (capacity).
        memory: its memory, in bytes (capacity).
        allocatable_cores: cores left for pods.
        allocatable_memory: bytes left for pods.
        pods: how many pods it takes at most.
        architecture: amd64 or arm64.
        gpus: how many GPUs, offered as `gpu_resource`.
        gpu_resource: the extended resource.
        labels: its labels beside those that every node has (host name, system, architecture, instance type, zone).
        taints: `{"key": ..., "value": ..., "effect": ...}`; effect is NoSchedule, PreferNoSchedule or NoExecute.
        zones: zones in which nodes of the pool are made, evenly; empty on a cloud without zones.
        spot: whether the cloud may take it away; only for the report.
        usd_per_hour: its price; None where it is not known.
        build: anything else by which nodes differ so that the cloud replaces them: image, launch template.
        in_place: whether the cloud changes labels and taints of nodes that are there (EKS), or replaces them.
    """

    instance_type: str
    cores: float
    memory: int
    allocatable_cores: float
    allocatable_memory: int
    pods: int = 110
    architecture: str = "amd64"
    gpus: int = 0
    gpu_resource: str = "nvidia.com/gpu"
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: Sequence[Mapping[str, str]] = ()
    zones: tuple[str, ...] = ()
    spot: bool = False
    usd_per_hour: float | None = None
    build: str = ""
    in_place: bool = False

    @cached_property
    def marks(self) -> str:
        """Return labels and taints as text."""
        return json.dumps({"labels": dict(self.labels), "taints": [dict(one) for one in self.taints]}, sort_keys=True)

    @cached_property
    def digest(self) -> str:
        """Changes with everything that a node cannot change while it lives. Zones and prices can."""
        free = {"zones", "usd_per_hour", *(("labels", "taints") if self.in_place else ())}
        fixed = {key: value for key, value in asdict(self).items() if key not in free}
        return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class PoolSpec:
    """A node pool.

    Attributes:
        name: its name, as the cloud has it.
        node: what its nodes are.
        min: nodes that are always there.
        max: most nodes.
        seconds: simulated seconds from asking for a node until it is Ready.
        group: where an autoscaler in the cluster has to scale it (EKS), the name by which that one knows it. The cloud
            then keeps as many nodes as it was last asked for, `DESIRED`, and `min` and `max` bound what it can be
            asked for. Empty: the cloud scales it, between `min` and `max`.
    """

    name: str
    node: NodeSpec
    min: int
    max: int
    seconds: float = 90.0
    group: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.min <= self.max:
            raise ValueError(f"pool {self.name}: min {self.min} and max {self.max}: expected 0 <= min <= max")


def config_map(pool: PoolSpec) -> Json:
    """Return the ConfigMap that holds a pool."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": config_map_name(pool.name),
            "namespace": NAMESPACE,
            "labels": {DEFINITION_LABEL: WANTED},
        },
        "data": {"pool": json.dumps(asdict(pool), sort_keys=True)},
    }


def config_map_name(pool: str) -> str:
    """Return the name of a pool's ConfigMap: any cloud's pool name, made a Kubernetes name."""
    return f"node-pool-{plain(pool)}"


def plain(name: str) -> str:
    """Return a name as Kubernetes takes it; names that would become the same are told apart by a digest."""
    if re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?", name):
        return name
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:31].strip("-") or "pool"
    return f"{words}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def pools_of(config_maps: Iterable[Json], *, state: str = WANTED) -> dict[str, PoolSpec]:
    """Return the pools that these ConfigMaps hold, by name, sorted; other ConfigMaps are left out."""
    found = (_pool(item) for item in config_maps if _state(item) == state)
    return {pool.name: pool for pool in sorted(found, key=lambda pool: pool.name)}


def desired_of(config_maps: Iterable[Json]) -> dict[str, int]:
    """Return how many nodes the cloud keeps in each pool with a `group`, by the pool's name."""
    wanted = (item for item in config_maps if _state(item) == WANTED)
    return {_pool(item).name: int(text) for item in wanted if (text := annotation(item, DESIRED))}


def _state(item: Json) -> str:
    return (item["metadata"].get("labels") or {}).get(DEFINITION_LABEL, "")


def annotation(item: Json, key: str) -> str:
    """Return an annotation of an object; empty where it has none."""
    return (item["metadata"].get("annotations") or {}).get(key, "")


def created(item: Json) -> float:
    """Return when an object was made, in seconds since 1970."""
    return datetime.fromisoformat(item["metadata"]["creationTimestamp"]).timestamp()


def _pool(item: Json) -> PoolSpec:
    data: Json = json.loads(item["data"]["pool"])
    node: Json = data.pop("node")
    node["zones"], node["taints"] = tuple(node["zones"]), tuple(node["taints"])
    return PoolSpec(node=NodeSpec(**node), **data)
