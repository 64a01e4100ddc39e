"""What the nodes cost per month, idle and at peak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from qhub.rehearsal.report.recording import Picture, Rehearsal

#: Hours in a month, as the clouds' own calculators count: 365 * 24 / 12.
HOURS = 730

#: What the sum does not hold; said wherever the sum is shown.
LEFT_OUT = "on-demand prices of the nodes alone, 730 h: no control plane, disks, file system, load balancer or traffic"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one moment would cost if it lasted a month.

    Attributes:
        moment: as in `Picture`.
        usd: US dollars per month; None where no node has a price.
        by_pool: the same per node pool.
        nodes: number of nodes per node pool.
        unpriced: nodes without a price, which the sum does not hold.
    """

    moment: str
    usd: float | None
    by_pool: Mapping[str, float]
    nodes: Mapping[str, int]
    unpriced: int


def monthly_costs(rehearsal: Rehearsal) -> tuple[Cost, ...]:
    """Return the costs at `idle` and at `peak`, as far as the rehearsal got there."""
    return tuple(monthly_cost(one) for one in rehearsal.pictures if one.moment in ("idle", "peak"))


def monthly_cost(picture: Picture) -> Cost:
    """Return what the nodes of a picture would cost in a month."""
    by_pool: dict[str, float] = {}
    for node in picture.nodes:
        if node.usd_per_hour is not None:
            by_pool[node.pool] = by_pool.get(node.pool, 0.0) + node.usd_per_hour * HOURS
    return Cost(
        moment=picture.moment,
        usd=sum(by_pool.values()) if by_pool else None,
        by_pool=by_pool,
        nodes=Counter(node.pool for node in picture.nodes),
        unpriced=sum(node.usd_per_hour is None for node in picture.nodes),
    )
