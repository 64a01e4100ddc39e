"""Emptying a node that is hardly used: whether its pods find room elsewhere, as a pure function.

cluster-autoscaler takes a node away whose pods ask for less than half of it and fit on others ("How does scale-down
work?" in its FAQ). Here that goes for pods alone that give way to any other, such as seats that are kept free: they are
left behind, one here and one there, when people leave. Whatever does work stays where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from qhub.rehearsal.cluster.controllers.fitting import Slot, misfit
from qhub.rehearsal.cluster.controllers.pods import Pod
from qhub.rehearsal.cluster.controllers.storage import quantity

#: Part of a node above which it counts as used (`--scale-down-utilization-threshold`).
THRESHOLD = Decimal("0.5")


def homes(pods: Sequence[Pod], node: dict[str, Any], others: Sequence[Slot]) -> list[Slot] | None:
    """Return where the pods of a node would go, one for each; None where the node is to stay.

    Args:
        pods: what holds the node; all of it gives way (`pods.gives_way`).
        node: its object.
        others: nodes that stay. The pods are put on them if all find room, and else on none.
    """
    if _share(pods, node) >= THRESHOLD:
        return None
    thought = [slot.copy() for slot in others]
    found: list[int] = []
    for pod in pods:
        place = next((at for at, slot in enumerate(thought) if not misfit(pod, slot, thought)), None)
        if place is None:
            return None
        thought[place].put(pod)
        found.append(place)
    for pod, place in zip(pods, found, strict=True):
        others[place].put(pod)
    return [others[place] for place in found]


def _share(pods: Sequence[Pod], node: dict[str, Any]) -> Decimal:
    """Return which part of a node its pods ask for, of CPU or of memory, whichever is more."""
    room = {key: quantity(node["status"]["allocatable"][key]) for key in ("cpu", "memory")}
    return max(sum((pod.requests.get(key, Decimal(0)) for pod in pods), Decimal(0)) / room[key] for key in room)
