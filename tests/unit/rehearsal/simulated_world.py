"""Nodes, pods and pools for tests of the autoscaler, and a world in which its actions are carried out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qhub.rehearsal.cluster.controllers import autoscaler
from qhub.rehearsal.cluster.controllers.actions import Action, Again, Create, Delete, Patch, Recorded, Warn
from qhub.rehearsal.cluster.controllers.pool_nodes import Setting
from qhub.rehearsal.cluster.controllers.pools import (
    CONFIG_MAPS,
    DESIRED,
    POOL,
    NodeSpec,
    PoolSpec,
    annotation,
    config_map,
    config_map_name,
)
from qhub.rehearsal.cluster.controllers.scaling_log import Scaling
from qhub.rehearsal.cluster.nodes import NODE_LABEL, NODES

Json = dict[str, Any]
GIB = 1024**3


def pool(
    name: str,
    *,
    min: int = 0,
    max: int = 3,
    cores: float = 4,
    gib: float = 16,
    pods: int = 110,
    gpus: int = 0,
    zones: Sequence[str] = (),
    labels: Json | None = None,
    taints: Sequence[Json] = (),
    usd: float | None = None,
    group: str = "",
    build: str = "",
    in_place: bool = False,
) -> PoolSpec:
    """A pool whose nodes leave all they have to pods."""
    node = NodeSpec(
        instance_type="test",
        cores=cores,
        memory=round(gib * GIB),
        allocatable_cores=cores,
        allocatable_memory=round(gib * GIB),
        pods=pods,
        gpus=gpus,
        labels={"pool": name} if labels is None else labels,
        taints=tuple(taints),
        zones=tuple(zones),
        usd_per_hour=usd,
        build=build,
        in_place=in_place,
    )
    return PoolSpec(name=name, node=node, min=min, max=max, seconds=60, group=group)


def pod(name: str, *, node: str = "", owner: str = "", labels: Json | None = None, **spec: Any) -> Json:
    """A pod as the API server has it: on a node, or seen and left by the scheduler."""
    requests = {key: spec.pop(key) for key in ("cpu", "memory", "nvidia.com/gpu") if key in spec}
    seen = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    return {
        "metadata": {
            "uid": f"uid-{name}",
            "namespace": "default",
            "name": name,
            "labels": labels or {},
            "ownerReferences": [{"uid": owner, "controller": True}] if owner else [],
        },
        "spec": {
            "containers": [{"name": "main", "resources": {"requests": requests}}],
            **({"nodeName": node} if node else {}),
            **spec,
        },
        "status": {"phase": "Running" if node else "Pending", "conditions": [] if node else [seen]},
    }


class World:
    """The objects, and what the API server, kwok and the scheduler would make of the autoscaler's actions.

    Time is the test's: `step` decides once at `now`, `settle` goes on until nothing more is to be done soon.
    """

    def __init__(self, *pools: PoolSpec, idle_seconds: float = 600) -> None:
        self.now = 1000.0
        numbers = itertools.count()
        self.setting = Setting(
            log=Path("unused"),
            speed=1.0,
            idle_seconds=idle_seconds,
            port=1,
            version="v1.34.0",
            suffix=lambda: f"{next(numbers):04}",
        )
        self.pools = {one.name: one for one in pools}
        #: Of pools with a group: how many nodes the cloud was asked for.
        self.desired: dict[str, int] = {}
        self.pods: dict[str, Json] = {}
        self.nodes: dict[str, Json] = {}
        self.daemon_sets: list[Json] = []
        self.more: dict[str, list[Json]] = {}
        self.log: list[Scaling] = []
        self.told: list[Warn] = []
        self.after_step: Callable[[], None] = lambda: None

    def put(self, *pods: Json) -> None:
        """Add pods."""
        self.pods.update({one["metadata"]["name"]: one for one in pods})

    def decide(self) -> list[Action]:
        """Return what the autoscaler wants now."""
        objects = {
            NODES: list(self.nodes.values()),
            autoscaler.PODS: list(self.pods.values()),
            autoscaler.DAEMON_SETS: self.daemon_sets,
            CONFIG_MAPS: [self._config_map(one) for one in self.pools.values()],
            **self.more,
        }
        return autoscaler.decide(objects, setting=self.setting, now=self.now)

    def step(self) -> list[Action]:
        """Decide, and carry it out."""
        actions = self.decide()
        for action in actions:
            match action:
                case Recorded(inner, _, scaling):
                    self._do(inner)
                    self.log.append(scaling)
                case Warn():
                    self.told.append(action)
                case Again():
                    pass
                case _:
                    self._do(action)
        self.after_step()
        return actions

    def settle(self, *, seconds: float = 0, most: int = 200) -> None:
        """Let `seconds` go by, step by step as the autoscaler asks for, until nothing is left to be done meanwhile."""
        end = self.now + seconds
        for _ in range(most):
            actions = self.step()
            waits = [action.seconds for action in actions if isinstance(action, Again)]
            if len(actions) > len(waits) + sum(isinstance(action, Warn) for action in actions):
                continue
            if not waits or self.now + min(waits) > end:
                self.now = end
                return
            self.now += min(waits)
        raise AssertionError("the autoscaler does not come to rest")

    def of(self, pool: str) -> list[Json]:
        """Return the nodes of a pool."""
        return [node for node in self.nodes.values() if annotation(node, POOL) == pool]

    def reasons(self, name: str) -> dict[str, str]:
        """Return what a pod was told."""
        return {one.reason: one.message for one in self.told if one.about["metadata"]["name"] == name}

    def _config_map(self, pool: PoolSpec) -> Json:
        made = config_map(pool)
        if pool.name in self.desired:
            made["metadata"]["annotations"] = {DESIRED: str(self.desired[pool.name])}
        return made

    def _do(self, action: Action) -> None:
        match action:
            case Patch(path, body) if path.startswith(CONFIG_MAPS):
                [name] = [one for one in self.pools if path == f"{CONFIG_MAPS}/{config_map_name(one)}"]
                self.desired[name] = int(body["metadata"]["annotations"][DESIRED])
            case Create(path, body):
                assert path == NODES
                name = body["metadata"]["name"]
                assert name not in self.nodes
                about = {**body["metadata"], "uid": f"uid-{name}", "creationTimestamp": f"{self.now:012.1f}"}
                self.nodes[name] = {**body, "metadata": about}
            case Patch(path, body):
                _, _, name = path.removesuffix("/status").rpartition("/")
                node = self.nodes[name]
                _merge(node, body)
                if NODE_LABEL in node["metadata"]["labels"]:
                    node["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
            case Delete(path, _):
                _, kind, name = path.rsplit("/", 2)
                if kind != "leases":
                    del {"nodes": self.nodes, "pods": self.pods}[kind][name]
            case _:
                raise AssertionError(action)


def _merge(target: Json, patch: Json) -> None:
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            target[key] = value
