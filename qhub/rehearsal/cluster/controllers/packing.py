"""How many new nodes of which pools the waiting pods need: the choice that cluster-autoscaler makes, as pure functions.

Pods go where there is room, nodes that are still booting included. For those left over, each pool is asked how many of
its nodes would take how many of them; the pool that would waste the least takes them (`--expander=least-waste`), and so
on until none is left or no pool can grow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from qhub.rehearsal.cluster.controllers.fitting import Slot, misfit
from qhub.rehearsal.cluster.controllers.pods import Pod
from qhub.rehearsal.cluster.controllers.pools import ZONE_LABEL, PoolSpec

#: What is said of a pool that could take a pod, but for its size; cluster-autoscaler's words.
AT_MAX = "max node group size reached"

#: Makes a slot for one new node of a pool in a zone, with what DaemonSets take of it gone.
Template = Callable[[PoolSpec, str], Slot]


@dataclass(frozen=True, kw_only=True)
class NewNode:
    """A node to ask for, and the pods it is for."""

    pool: str
    zone: str
    pods: tuple[Pod, ...]


@dataclass(kw_only=True)
class Plan:
    """What is to be done for the waiting pods.

    Attributes:
        nodes: nodes to ask for.
        hopeless: pods that no pool can take, and why, by pool.
        used: names of nodes that are there and that waiting pods will go to.
    """

    nodes: list[NewNode] = field(default_factory=list)
    hopeless: list[tuple[Pod, Mapping[str, str]]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)


@dataclass(kw_only=True)
class _Option:
    pool: PoolSpec
    slots: list[tuple[str, Slot, list[Pod]]]

    @property
    def pods(self) -> list[Pod]:
        return [pod for _, _, pods in self.slots for pod in pods]

    @property
    def waste(self) -> Decimal:
        """Share of CPU plus share of memory that nobody would use."""
        node, count, wasted = self.pool.node, len(self.slots), Decimal(0)
        for key, has in (("cpu", node.allocatable_cores), ("memory", node.allocatable_memory)):
            asked = sum((pod.requests.get(key, Decimal(0)) for pod in self.pods), Decimal(0))
            wasted += 1 - asked / (Decimal(str(has)) * count)
        return wasted


def make_plan(
    waiting: Sequence[Pod],
    slots: Sequence[Slot],
    pools: Mapping[str, PoolSpec],
    counts: Mapping[str, int],
    template: Template,
) -> Plan:
    """Return what is to be done.

    Args:
        waiting: pods without a node.
        slots: the nodes with room, and what is on them. Waiting pods are put on them.
        pools: the pools by name.
        counts: nodes that each pool has; `max` is never passed.
        template: makes the slot of a new node.
    """
    plan, world = Plan(), list(slots)
    left = []
    for pod in sorted(waiting, key=_order):
        slot = next((slot for slot in world if not misfit(pod, slot, world)), None)
        if slot is None:
            left.append(pod)
        else:
            slot.put(pod)
            plan.used.add(slot.name)
    while left:
        room = {name: pool.max - counts.get(name, 0) for name, pool in pools.items()}
        for new in plan.nodes:
            room[new.pool] -= 1
        left, progress = _grow_once(left, world, pools=pools, room=room, template=template, plan=plan)
        if not progress:
            break
    plan.hopeless = [(pod, _reasons(pod, world, pools, template)) for pod in left]
    return plan


def _grow_once(
    left: list[Pod],
    world: list[Slot],
    *,
    pools: Mapping[str, PoolSpec],
    room: Mapping[str, int],
    template: Template,
    plan: Plan,
) -> tuple[list[Pod], bool]:
    """Let every pool grow for what it takes, the best first; return the pods left over, and whether any pool grew.

    A pool whose pods another one took is not asked again here, but in the next round: with many pools of their own
    pods, as each profile has one, a round is all there is.
    """
    found = (_option(left, world, pool, room=room[pool.name], template=template) for pool in pools.values())
    taken: set[str] = set()
    for option in sorted((one for one in found if one.slots), key=_preference):
        if taken.isdisjoint(pod.uid for pod in option.pods):
            for zone, slot, pods in option.slots:
                plan.nodes.append(NewNode(pool=option.pool.name, zone=zone, pods=tuple(pods)))
                world.append(slot)
                taken.update(pod.uid for pod in pods)
    return [pod for pod in left if pod.uid not in taken], bool(taken)


def _order(pod: Pod) -> tuple[object, ...]:
    """Important pods first, then large ones: they are the hardest to place."""
    asked = [-pod.requests.get(key, Decimal(0)) for key in ("nvidia.com/gpu", "cpu", "memory")]
    return (-pod.priority, *asked, pod.namespace, pod.name)


def _preference(option: _Option) -> tuple[Decimal, float, str]:
    price = option.pool.node.usd_per_hour or 0.0
    return option.waste, price * len(option.slots), option.pool.name


def _option(pods: Sequence[Pod], world: Sequence[Slot], pool: PoolSpec, *, room: int, template: Template) -> _Option:
    """Return how many of these pods how many new nodes of a pool would take."""
    option = _Option(pool=pool, slots=[])
    around = list(world)
    for pod in pods:
        home = next((entry for entry in option.slots if not misfit(pod, entry[1], around)), None)
        if home is None and len(option.slots) < room:
            home = _grown(pod, around, pool, template)
            if home is not None:
                option.slots.append(home)
                around.append(home[1])
        if home is not None:
            home[1].put(pod)
            home[2].append(pod)
    return option


def _grown(pod: Pod, around: Sequence[Slot], pool: PoolSpec, template: Template) -> tuple[str, Slot, list[Pod]] | None:
    """Return a new node of a pool that takes a pod, in the zone that has the fewest of the pool's; None for no such."""
    for zone in zones_by_need(pool, around):
        slot = template(pool, zone)
        if not misfit(pod, slot, around):
            return zone, slot, []
    return None


def zones_by_need(pool: PoolSpec, around: Sequence[Slot]) -> list[str]:
    """Return the zones of a pool, that with the fewest nodes of the pool first; [""] for a pool without zones."""
    zones = pool.node.zones or ("",)
    own = [slot.labels.get(ZONE_LABEL, "") for slot in around if slot.pool == pool.name]
    return sorted(zones, key=lambda zone: (own.count(zone), zones.index(zone)))


def _reasons(pod: Pod, world: Sequence[Slot], pools: Mapping[str, PoolSpec], template: Template) -> dict[str, str]:
    """Return why each pool cannot take a pod. What fits a new node of a pool is left over only where there is none."""
    found = {}
    for pool in pools.values():
        why = [misfit(pod, template(pool, zone), world) for zone in zones_by_need(pool, world)]
        found[pool.name] = why[0] if all(why) else f"{AT_MAX} ({pool.max})"
    return found
