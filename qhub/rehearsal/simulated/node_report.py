"""A node of a simulated cluster, for reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qhub.rehearsal.cluster.controllers.pools import INSTANCE_LABEL, POOL, PRICE, ZONE_LABEL, annotation, created
from qhub.rehearsal.cluster.nodes import is_ready


@dataclass(frozen=True, kw_only=True)
class NodeReport:
    """One node, for reports.

    Attributes:
        name: its name.
        pool: its pool.
        instance_type: the cloud's name for the machine.
        zone: its zone; empty on a cloud without zones.
        ready: whether it takes pods.
        created: when it was asked for, in seconds since 1970.
        usd_per_hour: its price; None where it is not known.
    """

    name: str
    pool: str
    instance_type: str
    zone: str
    ready: bool
    created: float
    usd_per_hour: float | None


def node_report(node: dict[str, Any]) -> NodeReport:
    """Return what there is to tell of a Node object."""
    about = node["metadata"]
    price = annotation(node, PRICE)
    return NodeReport(
        name=about["name"],
        pool=annotation(node, POOL),
        instance_type=about["labels"].get(INSTANCE_LABEL, ""),
        zone=about["labels"].get(ZONE_LABEL, ""),
        ready=is_ready(node),
        created=created(node),
        usd_per_hour=float(price) if price else None,
    )
