"""How much CPU and memory a notebook server has: said in numbers, or as a share of a node.

`users_per_node: 4` gives each server a quarter of what is left of a node of its pool:

    guaranteed CPU     (cpu of the node - SYSTEM_CORES) / users_per_node, rounded down to a hundredth of a core
    guaranteed memory  (memory of the node - SYSTEM_MEMORY) / users_per_node, rounded down to a MiB
    limits             the guarantee times `burst.cpu` and `burst.memory`, at most the whole node

CPU and memory of a node are what pods can use on it (`qhub/config/instances/allocatable.py`, or `cpu` and `memory` of
the pool). So four such servers fit on a node beside what runs on every node, whatever its size.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from qhub.config.model import Expected, Path, Problem, Section, nested
from qhub.config.quantities import SMALLEST_PROCESS, Count, parse_size, parse_spawner_memory
from qhub.config.resources import UserCpu, UserMemory

_MIB = 1024**2
#: What the system's own pods (network, logs, volumes, metrics) ask for on every node: 0.2 to 0.5 cores and 0.3 to
#: 0.7 GiB on the four clouds (qhub/config/instances/allocatable.py). The upper end, so that the last server fits too.
SYSTEM_CORES = 0.5
SYSTEM_MEMORY = 768 * _MIB
#: With less a server starts for minutes, and nobody works on it.
SMALLEST_CORES = 0.05

#: Keys of a size that exclude `users_per_node`, and those that belong to it.
_IN_NUMBERS = ("cpu", "memory")
_SHARED = ("users_per_node", "burst")

Times = Annotated[float, Field(ge=1, le=1024, allow_inf_nan=False), Expected("a number, at least 1, for example 1.5")]


class Burst(Section):
    """How far above its share of a node a server may go while others leave room."""

    cpu: Times = Field(default=2.0, description="CPU limit as a multiple of the share, at most the whole node.")
    memory: Times = Field(
        default=1.0,
        description="Memory limit as a multiple of the share, at most the whole node. Above 1, servers that all use "
        "what they may can fill a node, and the kernel then ends programs in one of them.",
    )


class Size(Section):
    """CPU and memory of a notebook server: in numbers, or as a share of a node."""

    cpu: UserCpu = nested("CPU cores of a server.")
    memory: UserMemory = nested("Memory of a server.")
    users_per_node: Count | None = Field(
        default=None,
        description="Servers that share one node of the pool, instead of cpu and memory: each is guaranteed (what pods "
        "can use of the node, less 0.5 cores and 768Mi for the system's own pods) / users_per_node. null: cpu and "
        "memory say it.",
    )
    burst: Burst = nested("Limits of a server with users_per_node, as multiples of its share.")

    @property
    def is_share(self) -> bool:
        """Whether it is a share of a node."""
        return self.users_per_node is not None


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """CPU and memory of a server, as KubeSpawner takes them: cores, and memory with K, M, G or T.

    Attributes:
        cpu_limit, mem_limit: used at most.
        cpu_guarantee, mem_guarantee: reserved.
    """

    cpu_limit: float
    cpu_guarantee: float
    mem_limit: str
    mem_guarantee: str

    @property
    def memory(self) -> int:
        """Bytes that are reserved."""
        return parse_spawner_memory(self.mem_guarantee)


def amounts(size: Size, *, cpu: float | None, memory: int | None) -> Amounts:
    """Return what a server of a size gets on the nodes of a pool.

    Args:
        size: what the settings say.
        cpu: cores that pods can use on a node of the pool; None where not known.
        memory: bytes that pods can use there; None where not known.

    Raises:
        ValueError: the size is a share of a node whose room is not known.
    """
    if size.users_per_node is None:
        own_cpu, own_memory = size.cpu, size.memory
        # The limit is said as the guarantee where there is none: left out, the chart's own guarantee of 1G would hold,
        # and Kubernetes refuses a server with a lower limit.
        return Amounts(
            cpu_limit=own_cpu.limit,
            cpu_guarantee=own_cpu.limit if own_cpu.guarantee is None else own_cpu.guarantee,
            mem_limit=own_memory.limit,
            mem_guarantee=own_memory.guarantee or own_memory.limit,
        )
    if cpu is None or memory is None:
        raise ValueError("a share of a node whose CPU and memory are not known")
    cores = _to_hundredths(max(0.0, cpu - SYSTEM_CORES) / size.users_per_node)
    mib = max(0, memory - SYSTEM_MEMORY) // size.users_per_node // _MIB
    return Amounts(
        cpu_limit=_to_hundredths(min(cores * size.burst.cpu, cpu)),
        cpu_guarantee=cores,
        mem_limit=f"{min(math.floor(mib * size.burst.memory), memory // _MIB)}M",
        mem_guarantee=f"{mib}M",
    )


def _to_hundredths(cores: float) -> float:
    """Round down to a hundredth of a core. A billionth is added first: in binary, a hundred times 0.57 is below 57."""
    return math.floor(cores * 100 + 1e-9) / 100


def on_pool(size: Size, pool: Any) -> Amounts | None:
    """Return what a server of a size gets in a pool of the settings; None where that cannot be known."""
    if size.is_share and (pool.cpu is None or pool.memory is None):
        return None
    return amounts(size, cpu=pool.cpu, memory=None if pool.memory is None else parse_size(pool.memory))


def servers_per_node(reserved: Amounts, pool: Any) -> int | None:
    """Return how many servers fit on a node of a pool beside the system's own pods; None where that is not known."""
    if pool.cpu is None or pool.memory is None:
        return None
    # A billionth: thousandths of a core do not add up to a whole in binary.
    by_cores = math.floor((pool.cpu - SYSTEM_CORES) / reserved.cpu_guarantee + 1e-9)
    return max(0, min(by_cores, (parse_size(pool.memory) - SYSTEM_MEMORY) // reserved.memory))


def said_once(path: Path, size: Size) -> Iterator[Problem]:
    """Yield what of a size contradicts itself: a share and numbers, a factor without a share, a guarantee too large."""
    given = size.model_fields_set
    if size.is_share:
        for key in _IN_NUMBERS:
            if key in given:
                yield Problem((*path, key), f"users_per_node says it already: leave {key} or users_per_node out")
        return
    if "burst" in given:
        yield Problem((*path, "burst"), "belongs to users_per_node, which is not there: limits stand in cpu and memory")
    yield from _guarantees_fit(path, size)


def said_elsewhere(path: Path, size: Size) -> Iterator[Problem]:
    """Yield a problem for each key of a profile's own size where its `sizes` say it."""
    for key in (*_IN_NUMBERS, *_SHARED):
        if key in size.model_fields_set and getattr(size, key) is not None:
            yield Problem((*path, key), f"`sizes` of this profile say it: leave {key} out, or make it one of them")


def share_can_be_had(path: Path, size: Size, name: str, pool: Any) -> Iterator[Problem]:
    """Yield what keeps a share of a node from being computed, or makes it too small to work with."""
    if not size.is_share:
        return
    at, found = (*path, "users_per_node"), on_pool(size, pool)
    if found is None:
        missing = " and ".join(f"`{key}`" for key in _IN_NUMBERS if getattr(pool, key) is None)
        yield Problem(
            at,
            f"what pods can use on a node of pool {name} is not known: add {missing} to cluster.node_pools.{name} "
            f"(`kubectl get nodes -o yaml` shows it as allocatable), or write cpu and memory here",
        )
    elif found.cpu_guarantee < SMALLEST_CORES or found.memory < SMALLEST_PROCESS:
        yield Problem(
            at,
            f"each server would have {found.cpu_guarantee:g} cores and {found.mem_guarantee} of a node of pool {name}, "
            f"too little to start ({SMALLEST_CORES:g} and {SMALLEST_PROCESS // _MIB}M): lower it, or choose a pool of "
            "larger nodes",
        )


def _guarantees_fit(path: Path, size: Size) -> Iterator[Problem]:
    """Kubernetes refuses a pod that is promised more than it may use."""
    cpu, memory = size.cpu, size.memory
    if cpu.guarantee is not None and cpu.guarantee > cpu.limit:
        message = f"{cpu.guarantee:g} cores are more than the limit of {cpu.limit:g}: lower it, or raise cpu.limit"
        yield Problem((*path, "cpu", "guarantee"), message)
    if memory.guarantee is None:
        return
    if parse_spawner_memory(memory.guarantee) > parse_spawner_memory(memory.limit):
        message = f"{memory.guarantee} is more than the limit of {memory.limit}: lower it, or raise memory.limit"
        yield Problem((*path, "memory", "guarantee"), message)
