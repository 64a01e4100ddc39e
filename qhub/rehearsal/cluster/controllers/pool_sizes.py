"""Keeps every pool as it is defined: its nodes as its `NodeSpec` says, and their number between `min` and `max`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from qhub.rehearsal.cluster.controllers.fitting import Slot
from qhub.rehearsal.cluster.controllers.packing import zones_by_need
from qhub.rehearsal.cluster.controllers.pool_nodes import Nodes, is_booting
from qhub.rehearsal.cluster.controllers.pools import MARKS, POOL, TEMPLATE, PoolSpec, annotation
from qhub.rehearsal.cluster.nodes import is_ready

Json = dict[str, Any]


def keep_pools(nodes: Nodes, pools: Mapping[str, PoolSpec]) -> None:
    """Do what the definitions of the pools ask for, whatever pods there are."""
    for node in list(nodes.items.values()):
        pool = annotation(node, POOL)
        if pool and pool not in pools:
            nodes.drop(node, "its pool was removed")
    for pool in pools.values():
        for node in nodes.of(pool.name):
            if _is_fresh(node, pool) and annotation(node, MARKS) != pool.node.marks:
                nodes.mark(node, pool)
        _replace(nodes, pool)
        _shrink(nodes, pool)
        fill(nodes, pool)


def kept(nodes: Nodes, pools: Mapping[str, PoolSpec], desired: Mapping[str, int]) -> dict[str, PoolSpec]:
    """Return the pools with the bounds that the cloud keeps by itself.

    In a pool with a `group` these are the nodes that it was last asked for, no more and no fewer; while it replaces
    them it may have more.

    Args:
        nodes: all nodes.
        pools: by name.
        desired: what was asked for, by pool; a pool that is not in it stays as it is.
    """
    found = dict(pools)
    for pool in pools.values():
        if pool.group:
            own = nodes.of(pool.name)
            size = desired.get(pool.name, len(own))
            changing = not all(_is_fresh(node, pool) for node in own)
            found[pool.name] = replace(pool, min=size, max=max(size, pool.max) if changing else size)
    return found


def _replace(nodes: Nodes, pool: PoolSpec) -> None:
    """Take away one node of what the pool was before, when the others can do without it.

    As long as `max` leaves room, the new nodes come first; where it leaves none, one old node goes for one new.
    """
    own = nodes.of(pool.name)
    fresh = [node for node in own if _is_fresh(node, pool)]
    old = [node for node in own if not _is_fresh(node, pool)]
    if not old:
        return
    enough = len(fresh) >= pool.min
    settled = not any(is_booting(node) or not is_ready(node) for node in fresh)
    no_room = len(own) >= pool.max
    if settled and (enough or no_room):
        nodes.drop(old[0], "its pool changed: it is replaced")


def _shrink(nodes: Nodes, pool: PoolSpec) -> None:
    """Take away what is over `max`: nodes that nobody uses, then the youngest."""
    youngest_first = nodes.of(pool.name)[::-1]
    # One that is cordoned was let go just before, and may only not be known to be gone.
    by_use = sorted(
        youngest_first,
        key=lambda node: (
            not node["spec"].get("unschedulable"), _is_fresh(node, pool), len(nodes.pods.get(_name(node), [])),
        ),
    )  # fmt: skip
    for node in by_use[: max(0, len(by_use) - pool.max)]:
        nodes.drop(node, f"{'it keeps' if pool.group else 'max is'} {pool.max}")


def fill(nodes: Nodes, pool: PoolSpec) -> None:
    """Ask for nodes until there are `min` of them, with those of what the pool was before as long as there is room."""
    while True:
        own = nodes.of(pool.name)
        fresh = sum(_is_fresh(node, pool) for node in own)
        if fresh >= pool.min or len(own) >= pool.max:
            return
        zone = zones_by_need(pool, [_bare(node) for node in own])[0]
        if not nodes.add(pool, zone, f"min is {pool.min}"):
            return


def _is_fresh(node: Json, pool: PoolSpec) -> bool:
    return annotation(node, TEMPLATE) == pool.node.digest


def _bare(node: Json) -> Slot:
    return Slot(name=_name(node), labels=node["metadata"]["labels"], taints=[], free={}, pool=annotation(node, POOL))


def _name(node: Json) -> str:
    return node["metadata"]["name"]
