"""Waiting on the simulated clock: what has begun is noted on the object itself, so that a killed controller goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from qhub.rehearsal.cluster.controllers.actions import Action, Again, Json, Patch
from qhub.rehearsal.cluster.controllers.durations import Durations
from qhub.rehearsal.cluster.controllers.pools import annotation


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast time goes in the cluster of a simulated cloud.

    Attributes:
        speed: simulated seconds per real second.
        durations: the cloud's.
        now: the clock on the wall, seconds since 1970.
    """

    speed: float
    durations: Durations
    now: Callable[[], float] = time.time

    def after(self, seconds: float) -> float:
        """Return the moment in so many simulated seconds, in seconds since 1970."""
        return self.now() + seconds / self.speed

    def wait(self, path: str, item: Json, key: str, seconds: float) -> list[Action]:
        """Return what to do as long as the time of an object has not come; empty once it has.

        Args:
            path: of the object.
            item: the object.
            key: annotation that says when its time comes; written at the first look.
            seconds: simulated seconds from the first look.
        """
        moment = annotation(item, key)
        if not moment:
            return [Patch(path, {"metadata": {"annotations": {key: f"{self.after(seconds):.3f}"}}})]
        left = float(moment) - self.now()
        return [Again(left)] if left > 0 else []
