"""How the work of the program grows with the settings: it should be linear in node pools and in profiles.

Measured is processor time of this process from the settings as they are written to the last resource: checking them,
and recording the whole graph of resources at the wire.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.bench.measuring import Figure, figure
from tests.graph import clouds_aws
from tests.graph.configurations import program_of
from tests.graph.recorder import record

CONFIGURATION = "aws-default"
#: A cluster has three pools without being asked: general, user and worker.
OWN_POOLS = 3
POOLS = (3, 16, 30)
#: A hundred profiles cost a few hundredths of a second, which noise would hide, so it goes on to two thousand:
#: what is linear up to there is linear up to a hundred.
PROFILES = (5, 1000, 2000)
#: Of the rounds the fastest counts: other work on the machine can only add.
ROUNDS = 11
#: The most that an item at the large end may cost over one at the small end. Linear is 1, and cost that goes with the
#: square is 2.4 for these pools and 3 for these profiles; half an item on top is left to noise.
LINEAR = 1.5


def growth_figures() -> dict[str, Figure]:
    """Measure what one more node pool and one more profile cost, where there are many over where there are few."""
    pools, profiles = cheapest(_pools, POOLS), cheapest(_profiles, PROFILES)
    return {
        "growth: a node pool, 16 to 30 over 3 to 16": figure(growth(pools), LINEAR),
        "growth: a profile, 1000 to 2000 over 5 to 1000": figure(growth(profiles), LINEAR),
        "growth: the program with 30 node pools over 3": figure(pools[30] / pools[3]),
        "growth: the program with 2000 profiles over 5": figure(profiles[2000] / profiles[5]),
    }


def growth(costs: Mapping[int, float]) -> float:
    """Return what one more item costs at the large end over what it costs at the small end.

    Args:
        costs: of a small, a middle and a large number of items; in that order, in any unit.
    """
    small, middle, large = costs
    at_the_large_end = (costs[large] - costs[middle]) / (large - middle)
    return at_the_large_end / ((costs[middle] - costs[small]) / (middle - small))


def cheapest(settings: Callable[[int], dict[str, Any]], sizes: tuple[int, ...]) -> dict[int, float]:
    """Return for each size the processor seconds of the fastest round; sizes take turns."""
    _seconds(settings(sizes[0]))  # imports
    rounds = [{size: _seconds(settings(size)) for size in sizes} for _ in range(ROUNDS)]
    return {size: min(one[size] for one in rounds) for size in sizes}


def _seconds(changes: dict[str, Any]) -> float:
    # As in the program itself, which runs without; what earlier rounds have left would be paid for by a later one.
    gc.collect()
    gc.disable()
    try:
        begun = time.process_time()
        settings = clouds_aws.settings_of(CONFIGURATION, **changes)
        record(program_of(settings), outputs=clouds_aws.OUTPUTS)
        return time.process_time() - begun
    finally:
        gc.enable()


def _pools(number: int) -> dict[str, Any]:
    added = range(number - OWN_POOLS)
    return {"cluster": {"node_pools": {f"pool-{one}": {"instance_type": "m6i.large", "max": 2} for one in added}}}


def _profiles(number: int) -> dict[str, Any]:
    names = [f"profile-{one}" for one in range(number)]
    return {
        "jupyterhub": {"profiles": [{"name": name, "default": name == names[0]} for name in names]},
        "dask": {"profiles": [{"name": name} for name in names]},
    }
