"""Which operations decided how long it took."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import TopologicalSorter

from qhub.rehearsal.report.recording import Operation


def critical_path(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    """Return the chain of dependencies that takes longest, first operation first.

    With endless hands the whole would still take as long as this chain: only making one of its members faster, or
    cutting one of its dependencies, makes the whole faster.

    Raises:
        graphlib.CycleError: the operations depend on each other in a circle, which the engine never lets happen.
    """
    by_urn = {one.urn: one for one in operations}
    before = {urn: [known for known in one.depends_on if known in by_urn] for urn, one in by_urn.items()}
    length: dict[str, float] = {}
    for urn in TopologicalSorter(before).static_order():
        length[urn] = by_urn[urn].seconds + max((length[known] for known in before[urn]), default=0.0)
    if not length:
        return ()
    chain = [max(length, key=length.__getitem__)]
    while before[chain[-1]]:
        chain.append(max(before[chain[-1]], key=length.__getitem__))
    return tuple(by_urn[urn] for urn in reversed(chain))
