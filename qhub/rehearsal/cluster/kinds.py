"""The kinds of nodes that a cluster can be started with by a word."""

from __future__ import annotations

from typing import Literal, get_args

from qhub.rehearsal.cluster.nodes import SimulatedNodes
from qhub.rehearsal.cluster.provider import NodeProvider

#: simulated: no container runs. real: one node of this machine on which they do. both: the two side by side.
NodeKind = Literal["simulated", "real", "both"]
KINDS: tuple[str, ...] = get_args(NodeKind)


def kind_named(word: str) -> NodeKind | None:
    """Return the kind of this name; None for any other word."""
    return next((kind for kind in get_args(NodeKind) if kind == word), None)


def providers_of(kind: str) -> tuple[NodeProvider, ...]:
    """Return where the nodes of a kind come from."""
    if kind == "simulated":
        return (SimulatedNodes(),)
    # Here, not above: most clusters have none, and the node's package is built on this one.
    from qhub.rehearsal.node.provider import RealNode

    return (RealNode(),) if kind == "real" else (RealNode(), SimulatedNodes(beside_real=True))
