"""Where the nodes of each kind (`qhub.rehearsal.node_kinds`) come from."""

from __future__ import annotations

from qhub.rehearsal.cluster.nodes import SimulatedNodes
from qhub.rehearsal.cluster.provider import NodeProvider


def providers_of(kind: str) -> tuple[NodeProvider, ...]:
    """Return where the nodes of a kind come from."""
    if kind == "simulated":
        return (SimulatedNodes(),)
    # Here, not above: most clusters have none, and the node's package is built on this one.
    from qhub.rehearsal.node.provider import RealNode

    return (RealNode(),) if kind == "real" else (RealNode(), SimulatedNodes(beside_real=True))
