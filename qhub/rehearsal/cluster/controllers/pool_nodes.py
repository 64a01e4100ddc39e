"""The nodes of pools: made, booted, kept between `min` and `max`, replaced, taken away. Pure functions to actions.

What must be remembered is on the node itself, as annotations, so that a killed controller goes on where it was:

| annotation | says |
|---|---|
| `rehearsal.qhub.dev/ready-at` | when a booting node will be Ready, in seconds since 1970 |
| `rehearsal.qhub.dev/empty-since` | since when nobody uses it |
| `rehearsal.qhub.dev/leaving-since` | it was cordoned because nobody uses it, and goes unless a pod was quicker |
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qhub.rehearsal.cluster.controllers.actions import Action, Create, Delete, Patch, Recorded
from qhub.rehearsal.cluster.controllers.pools import (
    INSTANCE_LABEL,
    MARKS,
    POOL,
    PRICE,
    TEMPLATE,
    ZONE_LABEL,
    PoolSpec,
    annotation,
    plain,
)
from qhub.rehearsal.cluster.controllers.scaling_log import Scaling
from qhub.rehearsal.cluster.nodes import (
    LEASES,
    NODE_LABEL,
    NODES,
    SIMULATED,
    SimulatedNode,
    Taint,
    endpoints,
    free_index,
    node_object,
)

Json = dict[str, Any]

READY_AT = "rehearsal.qhub.dev/ready-at"
EMPTY_SINCE = "rehearsal.qhub.dev/empty-since"
LEAVING_SINCE = "rehearsal.qhub.dev/leaving-since"


def _suffix() -> str:
    return secrets.token_hex(4)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the nodes of a cluster have in common.

    Attributes:
        log: the file of `scaling_log`.
        speed: simulated seconds per real second.
        idle_seconds: simulated seconds after which an empty node goes.
        port: kwok's port.
        version: the version that the nodes' kubelets claim.
        suffix: makes the end of a new node's name.
    """

    log: Path
    speed: float
    idle_seconds: float
    port: int
    version: str
    suffix: Callable[[], str] = _suffix


@dataclass(kw_only=True)
class Nodes:
    """All nodes as they will be once `actions` are done.

    Attributes:
        setting: what they have in common.
        now: seconds since 1970.
        items: Node objects by name.
        pods: Pod objects by the node that they are on.
        actions: what is to be done.
    """

    setting: Setting
    now: float
    items: dict[str, Json]
    pods: dict[str, list[Json]]
    actions: list[Action] = field(default_factory=list)

    def of(self, pool: str) -> list[Json]:
        """Return the nodes of a pool, the oldest first."""
        abouts = [node["metadata"] for node in self.items.values() if annotation(node, POOL) == pool]
        abouts.sort(key=lambda about: (about.get("creationTimestamp", "~"), about["name"]))  # new ones have none yet
        return [self.items[about["name"]] for about in abouts]

    def add(self, pool: PoolSpec, zone: str, why: str) -> bool:
        """Ask for a node; tell whether there was an address left for it."""
        index = free_index(self.items.values())
        if index is None:
            return False
        name = f"{plain(pool.name)}-{self.setting.suffix()}"
        ready = self.now + pool.seconds / self.setting.speed
        node = simulated_node(name, pool, zone, ready_at=ready)
        body = node_object(node, index=index, port=self.setting.port, version=self.setting.version, booting=True)
        self.items[name] = body
        self._do(Create(NODES, body), pool.name, 1, name, why)
        return True

    def boot(self, node: Json) -> None:
        """Let kwok have a node whose time has come."""
        name = node["metadata"]["name"]
        port = endpoints(self.setting.port)
        if node["status"]["daemonEndpoints"] != port:  # kwok was started again since the node was asked for
            self.actions.append(Patch(f"{NODES}/{name}/status", {"status": {"daemonEndpoints": port}}))
        label = Patch(f"{NODES}/{name}", {"metadata": {"labels": {NODE_LABEL: SIMULATED}}})
        self._do(label, annotation(node, POOL), 0, name, "it has booted")

    def drop(self, node: Json, why: str) -> None:
        """Take a node away: no new pods, those on it deleted so that their controllers make others, then the node."""
        about = node["metadata"]
        name = about["name"]
        self.actions.append(Patch(f"{NODES}/{name}", {"spec": {"unschedulable": True}}))
        for pod in self.pods.get(name, []):
            its = pod["metadata"]
            # Grace 0: the node that would confirm the end of its pods is about to go.
            path = f"/api/v1/namespaces/{its['namespace']}/pods/{its['name']}"
            self.actions.append(Delete(path, its["uid"], grace=0))
        self._do(Delete(f"{NODES}/{name}", about.get("uid", "")), annotation(node, POOL), -1, name, why)
        self.actions.append(Delete(f"{LEASES}/{name}", ""))
        del self.items[name]

    def mark(self, node: Json, pool: PoolSpec) -> None:
        """Give a node the labels and taints of its pool, in place of those that it had of it before."""
        had = json.loads(annotation(node, MARKS))
        others = [one for one in node["spec"].get("taints") or [] if _in_full(one) not in map(_in_full, had["taints"])]
        body: Json = {
            "metadata": {
                "labels": {**dict.fromkeys(had["labels"]), **pool.node.labels},
                "annotations": {MARKS: pool.node.marks},
            },
            "spec": {"taints": [*others, *map(dict, pool.node.taints)]},
        }
        self.actions.append(Patch(f"{NODES}/{node['metadata']['name']}", body))

    def note(self, node: Json, key: str, moment: float | None, *, cordon: bool | None = None) -> None:
        """Write a moment on a node, or take it off (None); `cordon` it, or not, with the same change."""
        body: Json = {"metadata": {"annotations": {key: None if moment is None else f"{moment:.3f}"}}}
        if cordon is not None:
            body["spec"] = {"unschedulable": cordon or None}
        self.actions.append(Patch(f"{NODES}/{node['metadata']['name']}", body))

    def _do(self, action: Create | Patch | Delete, pool: str, change: int, node: str, why: str) -> None:
        scaling = Scaling(time=self.now, pool=pool, change=change, node=node, why=why)
        self.actions.append(Recorded(action, self.setting.log, scaling))


def _in_full(taint: Json) -> tuple[str, str, str]:
    return taint["key"], taint.get("value") or "", taint["effect"]


def simulated_node(name: str, pool: PoolSpec, zone: str, *, ready_at: float = 0.0) -> SimulatedNode:
    """Return a node of a pool in a zone."""
    spec = pool.node
    return SimulatedNode(
        name,
        cpu=_cpu(spec.cores),
        memory=str(spec.memory),
        gpu=spec.gpus,
        gpu_resource=spec.gpu_resource,
        pods=spec.pods,
        architecture=spec.architecture,
        labels={
            INSTANCE_LABEL: spec.instance_type,
            **spec.labels,
            **({ZONE_LABEL: zone} if zone else {}),
        },
        annotations={
            POOL: pool.name,
            TEMPLATE: spec.digest,
            MARKS: spec.marks,
            READY_AT: f"{ready_at:.3f}",
            **({} if spec.usd_per_hour is None else {PRICE: str(spec.usd_per_hour)}),
        },
        taints=[Taint(one["key"], one["effect"], one.get("value") or "") for one in spec.taints],
        allocatable={"cpu": _cpu(spec.allocatable_cores), "memory": str(spec.allocatable_memory)},
    )


def is_booting(node: Json) -> bool:
    """Tell whether a node of a pool was asked for and has not come up."""
    return NODE_LABEL not in node["metadata"]["labels"]


def boot_what_is_due(nodes: Nodes) -> Iterator[float]:
    """Boot the nodes whose time has come; yield the seconds until that of each other."""
    for node in list(nodes.items.values()):
        if annotation(node, POOL) and is_booting(node):
            left = float(annotation(node, READY_AT)) - nodes.now
            if left <= 0:
                nodes.boot(node)
            else:
                yield left


def _cpu(cores: float) -> str:
    return f"{round(cores * 1000)}m"
