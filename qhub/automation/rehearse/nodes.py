"""Nodes for the rehearsal of a stack on a cluster that is there already: as many kinds as its settings tell of."""

from __future__ import annotations

from collections.abc import Mapping

from qhub.config.node_pools import NodePool
from qhub.rehearsal.cluster import SimulatedNode, Taint

#: Says which pool of the settings a node stands for.
POOL_LABEL = "rehearsal.qhub.dev/pool"

#: Size of a node where the settings do not tell: a common general-purpose machine.
CPU, MEMORY = "8", "32Gi"
#: Two of each kind, so that what must not share a node need not.
NODES_PER_POOL = 2


def nodes_for(pools: Mapping[str, NodePool]) -> tuple[SimulatedNode, ...]:
    """Return the nodes of a cluster that has the pools: what is selected is there, what is tolerated is tainted.

    Pools that may share nodes do: one that selects nothing, and one that selects the same as another.
    """
    kinds: dict[tuple[object, ...], list[str]] = {}
    for name, pool in pools.items():
        kinds.setdefault(_kind(pool), []).append(name)
    return tuple(
        _node(names, pools[names[0]], number) for names in kinds.values() for number in range(1, NODES_PER_POOL + 1)
    )


def _kind(pool: NodePool) -> tuple[object, ...]:
    gpu = None if pool.gpu is None else (pool.gpu.resource, pool.gpu.count)
    return (tuple(sorted(pool.node_selector.items())), pool.tolerations, gpu, pool.architecture, pool.cpu, pool.memory)


def _node(names: list[str], pool: NodePool, number: int) -> SimulatedNode:
    word = names[0] if len(names) == 1 else "shared"
    taints = [
        Taint(one.key, one.effect, one.value or "")
        for one in pool.tolerations
        # A toleration of everything, or of any value, tells of no taint in particular.
        if one.key is not None and one.operator == "Equal" and one.effect is not None
    ]
    return SimulatedNode(
        f"{word}-{number}",
        cpu=CPU if pool.cpu is None else f"{pool.cpu:g}",
        memory=MEMORY if pool.memory is None else pool.memory,
        # As allocatable, since the resource has the name that the settings give it.
        allocatable={} if pool.gpu is None else {pool.gpu.resource: str(pool.gpu.count)},
        architecture=pool.architecture,
        labels={**pool.node_selector, POOL_LABEL: word},
        taints=taints,
    )
