"""Keeps every pool as it is defined: its nodes as its `NodeSpec` says, and their number between `min` and `max`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qhub.rehearsal.cluster.controllers.fitting import Slot
from qhub.rehearsal.cluster.controllers.packing import zones_by_need
from qhub.rehearsal.cluster.controllers.pool_nodes import Nodes, is_booting
from qhub.rehearsal.cluster.controllers.pools import POOL, TEMPLATE, PoolSpec, annotation
from qhub.rehearsal.cluster.nodes import is_ready

Json = dict[str, Any]


def keep_pools(nodes: Nodes, pools: Mapping[str, PoolSpec]) -> None:
    """Do what the definitions of the pools ask for, whatever pods there are."""
    for node in list(nodes.items.values()):
        pool = annotation(node, POOL)
        if pool and pool not in pools:
            nodes.drop(node, "its pool was removed")
    for pool in pools.values():
        _replace(nodes, pool)
        _shrink(nodes, pool)
        _fill(nodes, pool)


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
    by_use = sorted(youngest_first, key=lambda node: (_is_fresh(node, pool), len(nodes.pods.get(_name(node), []))))
    for node in by_use[: max(0, len(by_use) - pool.max)]:
        nodes.drop(node, f"max is {pool.max}")


def _fill(nodes: Nodes, pool: PoolSpec) -> None:
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
