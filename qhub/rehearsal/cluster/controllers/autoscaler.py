"""The autoscaler of a simulated cloud: nodes for pods that have none, and an end for nodes that have no pods.

Where the cloud scales pools itself, it does so; a pool with a `group` (EKS) is scaled by the cluster-autoscaler that
runs in the cluster, with its arguments, and by nobody where none runs.

It does what cluster-autoscaler does (its FAQ, "How does scale-up work?" and "How does scale-down work?"): new nodes of
the pool that wastes the least, from zero as well; events `TriggeredScaleUp` and `NotTriggerScaleUp` on the pods; nodes
on which only DaemonSets' pods are go after a while. To empty a node that is hardly used it moves pods that give way to
any other, and only those (`moving`). And it does what the cloud itself does: keeps `min` nodes (with a `group`: as many
as it was asked for), replaces those of a changed pool, takes those of a removed one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from qhub.rehearsal.cluster.controllers.actions import Action, Again, Delete, Patch, Warn, World
from qhub.rehearsal.cluster.controllers.deployed import BadArguments, Deployed, deployed
from qhub.rehearsal.cluster.controllers.fitting import Slot, misplaced
from qhub.rehearsal.cluster.controllers.moving import homes
from qhub.rehearsal.cluster.controllers.packing import NewNode, Plan, make_plan
from qhub.rehearsal.cluster.controllers.pods import (
    Pod,
    daemon_pod,
    gives_way,
    has_ended,
    holds_its_node,
    is_unschedulable,
    read_pod,
)
from qhub.rehearsal.cluster.controllers.pool_nodes import (
    EMPTY_SINCE,
    LEAVING_SINCE,
    Nodes,
    Setting,
    boot_what_is_due,
    is_booting,
    simulated_node,
)
from qhub.rehearsal.cluster.controllers.pool_sizes import fill, keep_pools, kept
from qhub.rehearsal.cluster.controllers.pools import (
    CONFIG_MAPS,
    DESIRED,
    POOL,
    UNWANTED,
    PoolSpec,
    annotation,
    config_map_name,
    desired_of,
    pools_of,
)
from qhub.rehearsal.cluster.controllers.storage import quantity
from qhub.rehearsal.cluster.controllers.storage_names import CLAIMS, VOLUMES
from qhub.rehearsal.cluster.controllers.volume_zones import pinned
from qhub.rehearsal.cluster.nodes import MAX_NODES, NODES, is_ready, node_object
from qhub.rehearsal.cluster.pki import Identity

Json = dict[str, Any]

PODS = "/api/v1/pods"
DAEMON_SETS = "/apis/apps/v1/daemonsets"
COLLECTIONS = (NODES, PODS, DAEMON_SETS, CONFIG_MAPS, CLAIMS, VOLUMES)

NAME = "cluster-autoscaler"
#: Its user. A cluster without its certificate has no pools, and no autoscaler.
IDENTITY_NAME = "node-pools"
IDENTITY = Identity("rehearsal:node-pools")

#: Real seconds to wait after a change: a Deployment's pods come one by one and are to be seen together.
SETTLE = 0.1
#: Real seconds between the cordon of an empty node and its end: a pod that the scheduler put there just before is seen.
LEAVING = 0.5

#: Taints of a node that is not Ready yet, or not well: they come and go, and say nothing about where a pod belongs.
_PASSING = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")


def reconcile(world: World, *, setting: Setting) -> list[Action]:
    """Return what is to be done now, by the clock on the wall."""
    return decide(world, setting=setting, now=time.time())


def decide(world: World, *, setting: Setting, now: float) -> list[Action]:
    """Return what is to be done, from all nodes, pods, DaemonSets and pools, at `now` (seconds since 1970)."""
    pools = pools_of(world[CONFIG_MAPS])
    on: dict[str, list[Json]] = {}
    for item in world[PODS]:
        if name := item["spec"].get("nodeName"):
            on.setdefault(name, []).append(item)
    items = {node["metadata"]["name"]: node for node in world[NODES]}
    nodes = Nodes(setting=setting, now=now, items=items, pods=on)
    waits = list(boot_what_is_due(nodes))
    keep_pools(nodes, kept(nodes, pools, desired_of(world[CONFIG_MAPS])))
    for name in pools_of(world[CONFIG_MAPS], state=UNWANTED):
        if not any(annotation(node, POOL) == name for node in world[NODES]):
            nodes.actions.append(Delete(f"{CONFIG_MAPS}/{config_map_name(name)}", ""))
    waits += _scale(nodes, pools, world)
    return [*nodes.actions, *(Again(max(0.0, seconds)) for seconds in waits)]


def _scale(nodes: Nodes, pools: Mapping[str, PoolSpec], world: World) -> list[float]:
    """Do the work of an autoscaler, the cloud's or the one in the cluster; return the seconds until the next look."""
    running = _running(nodes, world)
    scaled = {name: pool for name, pool in pools.items() if not pool.group}
    if running is not None:
        scaled |= running.scaled(pools)
    before = {name: len(nodes.of(name)) for name, pool in scaled.items() if pool.group}
    so_far = len(nodes.actions)
    if running is not None and running.keeps_min:
        for pool in running.scaled(pools).values():
            fill(nodes, pool)
    if pools and not scaled:
        return []  # there is nobody who could tell a pod anything
    daemons = [daemon_pod(item) for item in world[DAEMON_SETS]]
    open_nodes = {name: node for name, node in nodes.items.items() if not node["spec"].get("unschedulable")}
    slots = [slot_of(node, nodes.pods.get(name, []), daemons) for name, node in open_nodes.items()]
    plan = _grow(nodes, scaled, world, slots, daemons)
    waits = list(_let_idle_nodes_go(nodes, scaled, _needed(nodes, scaled, plan.used, slots, world)))
    asked = desired_of(world[CONFIG_MAPS])
    more = {name: len(nodes.of(name)) - count for name, count in before.items()}
    # Asked for before it is done: what a kill leaves undone is then the cloud's to do.
    nodes.actions[so_far:so_far] = [
        _ask_for(name, asked.get(name, before[name]) + change) for name, change in more.items() if change
    ]
    return waits


def _ask_for(pool: str, size: int) -> Patch:
    """Ask the cloud to keep so many nodes in a pool with a `group` from now on."""
    path = f"{CONFIG_MAPS}/{config_map_name(pool)}"
    return Patch(path, {"metadata": {"annotations": {DESIRED: str(max(0, size))}}})


def _running(nodes: Nodes, world: World) -> Deployed | None:
    """Return the autoscaler in the cluster. One that would end at once runs as little as none; people are told."""
    try:
        return deployed(world[PODS])
    except BadArguments as error:
        nodes.actions.append(Warn("Pod", error.pod, "BackOff", str(error)))
        return None


def _grow(
    nodes: Nodes, pools: Mapping[str, PoolSpec], world: World, slots: Sequence[Slot], daemons: Sequence[Pod]
) -> Plan:
    """Ask for the nodes that the waiting pods need, and tell the pods; those that find room are put on `slots`."""
    counts = {name: len(nodes.of(name)) for name in pools}

    made: dict[tuple[str, str], Slot] = {}

    def template(pool: PoolSpec, zone: str) -> Slot:
        if (pool.name, zone) not in made:
            node = node_object(simulated_node("new", pool, zone), index=1, port=0, version="")
            made[pool.name, zone] = slot_of(node, [], daemons)
        return made[pool.name, zone].copy()

    waiting = pinned((read_pod(item) for item in world[PODS] if is_unschedulable(item)), world)
    plan = make_plan(waiting, slots, pools, counts, template)
    added = [new for new in plan.nodes if nodes.add(pools[new.pool], new.zone, _purpose(new))]
    for new in added:
        more = sum(other.pool == new.pool for other in added)
        size = f"{new.pool} {counts[new.pool]}->{counts[new.pool] + more} (max: {pools[new.pool].max})"
        nodes.actions += [_tell(pod, "TriggeredScaleUp", f"pod triggered scale-up: [{{{size}}}]") for pod in new.pods]
    for new in plan.nodes[len(added) :]:
        why = f"pod didn't trigger scale-up: a simulated cluster holds at most {MAX_NODES} nodes"
        nodes.actions += [_tell(pod, "NotTriggerScaleUp", why) for pod in new.pods]
    for pod, reasons in plan.hopeless:
        told = "; ".join(f"{pool}: {why}" for pool, why in reasons.items()) or "the cluster has no node pools"
        nodes.actions.append(_tell(pod, "NotTriggerScaleUp", f"pod didn't trigger scale-up: {told}"))
    return plan


def _purpose(new: NewNode) -> str:
    """Return whom a new node is for, for the log."""
    names = ", ".join(f"{pod.namespace}/{pod.name}" for pod in new.pods[:3])
    return f"for {names}" + (f" and {len(new.pods) - 3} more" if len(new.pods) > 3 else "")


def _tell(pod: Pod, reason: str, message: str) -> Warn:
    return Warn("Pod", pod.item, reason, message, normal=True)


def slot_of(node: Json, pods: Iterable[Json], daemons: Sequence[Pod]) -> Slot:
    """Return what is left of a node: what is on it is gone, and what DaemonSets will put there."""
    about = node["metadata"]
    slot = Slot(
        name=about["name"],
        labels=about["labels"],
        taints=[taint for taint in node["spec"].get("taints") or [] if not taint["key"].startswith(_PASSING)],
        free={key: quantity(value) for key, value in node["status"].get("allocatable", {}).items()},
        pool=annotation(node, POOL),
    )
    for item in pods:
        if not has_ended(item):
            slot.put(read_pod(item))
    present = {pod.owner for pod in slot.pods}
    for daemon in daemons:
        if daemon.owner not in present and not misplaced(daemon, slot):
            slot.put(daemon)
    return slot


def _needed(
    nodes: Nodes, pools: Mapping[str, PoolSpec], used: set[str], slots: Sequence[Slot], world: World
) -> set[str]:
    """Return the nodes that somebody needs: a waiting pod that will go there, or a pod that is there and stays."""
    daemon_sets = {item["metadata"]["uid"] for item in world[DAEMON_SETS]}
    holding = {
        name: [item for item in items if holds_its_node(item, daemon_sets=daemon_sets)]
        for name, items in nodes.pods.items()
    }
    needed = {*used, *(name for name, items in holding.items() if items)}
    for node in (node for pool in pools.values() for node in nodes.of(pool.name)):
        name = node["metadata"]["name"]
        if name not in needed or name in used or not all(map(gives_way, holding[name])):
            continue
        # Not to a node that could go itself.
        others = [slot for slot in slots if slot.name in needed and slot.name != name]
        found = homes([read_pod(item) for item in holding[name]], node, others)
        if found is not None:
            needed.discard(name)
            used = {*used, *(slot.name for slot in found)}
    return needed


def _let_idle_nodes_go(nodes: Nodes, pools: Mapping[str, PoolSpec], needed: set[str]) -> Iterator[float]:
    """Let nodes go that nobody needed for long enough, never below `min`; yield the seconds until the next look."""
    patience = nodes.setting.idle_seconds / nodes.setting.speed
    for pool in pools.values():
        own = nodes.of(pool.name)
        spare = sum(not is_booting(node) for node in own) - pool.min  # a node that boots does nobody's work yet
        for node in own:
            name = node["metadata"]["name"]
            if name in needed or not (is_ready(node) or annotation(node, LEAVING_SINCE)):
                _stay(nodes, node)
                continue
            since, leaving = annotation(node, EMPTY_SINCE), annotation(node, LEAVING_SINCE)
            if not since:
                nodes.note(node, EMPTY_SINCE, nodes.now)
                yield patience
            elif spare <= 0:
                _uncordon(nodes, node)
            elif leaving:
                spare -= 1
                left = float(leaving) + LEAVING - nodes.now
                if left <= 0:
                    nodes.drop(node, f"empty for {nodes.setting.idle_seconds:.0f} s")
                else:
                    yield left
            elif (left := float(since) + patience - nodes.now) <= 0:
                spare -= 1
                nodes.note(node, LEAVING_SINCE, nodes.now, cordon=True)
                yield LEAVING
            else:
                yield left


def _stay(nodes: Nodes, node: Json) -> None:
    if annotation(node, EMPTY_SINCE):
        nodes.note(node, EMPTY_SINCE, None)
    _uncordon(nodes, node)


def _uncordon(nodes: Nodes, node: Json) -> None:
    if annotation(node, LEAVING_SINCE):
        nodes.note(node, LEAVING_SINCE, None, cordon=False)
