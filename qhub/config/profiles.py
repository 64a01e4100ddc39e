"""What sizes of notebook server and of Dask worker have in common: who may choose one, and which nodes it needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from qhub.config.model import Problem, Section
from qhub.config.names import GroupName, KubernetesName, Text, UserName
from qhub.config.nearest import nearest
from qhub.config.quantities import parse_size, parse_spawner_memory, spelled
from qhub.config.resources import Image, UserGpu
from qhub.config.users import unknown_groups

Path = tuple[str | int, ...]

#: What to do about a demand that does not fit.
_SMALLER = "lower it, or choose a pool of larger nodes"


class Choice(Section):
    """Something that people choose from a list, and that not everybody may be offered."""

    name: KubernetesName = Field(description="Short name; keep it: notebooks, links and saved choices use it.")
    display_name: Text | None = Field(default=None, description="What people read; null shows the name.")
    description: str = Field(default="", description="One line under it: whom and what it is for.")
    users: tuple[UserName, ...] | None = Field(
        default=None, description="Users who may choose it, besides the groups; null with groups null: everyone."
    )
    groups: tuple[GroupName, ...] | None = Field(
        default=None, description="Groups whose members may choose it; null with users null: everyone."
    )

    @property
    def title(self) -> str:
        """What people read."""
        return self.display_name or self.name


def repeated_names(path: tuple[str | int, ...], names: list[str]) -> Iterator[Problem]:
    """Yield a problem for each name that an earlier item of the list has."""
    seen = Counter[str]()
    for place, name in enumerate(names):
        if seen[name]:
            yield Problem((*path, place, "name"), f'"{name}" is the name of an earlier profile: each needs its own')
        seen[name] += 1


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a pod of a profile takes of its node, and under which keys the settings say so.

    Attributes:
        path: place in the settings of what says CPU and memory.
        profile: the profile's place.
        pool: name of its node pool.
        first: whether it is the profile's first size; what holds for the whole profile is told for that one.
        gpu: its GPUs; None for none.
        cores: key below `path`, and CPU cores that are reserved; None where they follow from the node.
        memory: key below `path`, and memory that is reserved, as spawners write it; None likewise.
        most_memory: key below `path`, and memory that it may use at most; None likewise.
    """

    path: Path
    profile: Path
    pool: str
    first: bool = True
    gpu: UserGpu | None
    cores: tuple[Path, float] | None
    memory: tuple[Path, str] | None
    most_memory: tuple[Path, str] | None


def demand_fits_pool(demand: Demand, pools: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what keeps a pod Pending for ever: no such pool, or nodes with too few GPUs, cores or too little memory."""
    name, pool = demand.pool, pools.get(demand.pool)
    if pool is None:
        if demand.first:
            message = f'there is no pool "{name}" in cluster.node_pools (known: {", ".join(pools)})'
            yield Problem((*demand.profile, "node_pool"), message, nearest(name, pools))
        return
    if demand.first:
        yield from _gpu_fits(demand, pool, pools)
    yield from _cores_fit(demand, pool)
    yield from _memory_fits(demand, pool)


def _cores_fit(demand: Demand, pool: Any) -> Iterator[Problem]:
    if demand.cores is None or pool.cpu is None:
        return
    key, cores = demand.cores
    if cores > pool.cpu:
        message = (
            f"{cores:g} cores do not fit on a node of pool {demand.pool}, which has {pool.cpu:g}{_why(key)}: {_SMALLER}"
        )
        yield Problem((*demand.path, *key), message)


def _memory_fits(demand: Demand, pool: Any) -> Iterator[Problem]:
    if demand.memory is None or demand.most_memory is None or pool.memory is None:
        return
    (key, memory), (most_key, most) = demand.memory, demand.most_memory
    room = f"on a node of pool {demand.pool}, which has {spelled(pool.memory)}"
    if parse_spawner_memory(memory) > parse_size(pool.memory):
        yield Problem((*demand.path, *key), f"{memory} do not fit {room}{_why(key)}: {_SMALLER}")
    elif parse_spawner_memory(most) > parse_size(pool.memory):
        yield Problem(
            (*demand.path, *most_key),
            f"{most} are never to be had {room}: whoever used more would take the node down with them; lower it",
        )


def _why(key: Path) -> str:
    return " (without a guarantee, the limit is what is reserved)" if key[-1] == "limit" else ""


def image_runs(path: Path, image: Image, name: str, pool: Any) -> Iterator[Problem]:
    """Yield a problem at `path` where an image is not built for the nodes of pool `name`."""
    if image.architectures and pool.architecture not in image.architectures:
        built = ", ".join(image.architectures)
        yield Problem(
            path,
            f"nodes of pool {name} are {pool.architecture}, and {image.reference} is built for {built}: choose "
            "another pool, or an image for both",
        )


def _gpu_fits(demand: Demand, pool: Any, pools: Mapping[str, Any]) -> Iterator[Problem]:
    path, name, gpu = demand.profile, demand.pool, demand.gpu
    if gpu is None:
        return
    if pool.gpu is None:
        with_gpu = [known for known, candidate in pools.items() if candidate.gpu is not None]
        hint = (
            f"choose {' or '.join(with_gpu)}"
            if with_gpu
            else f"add `gpu: {{count: {gpu.count}}}` to a pool that has some"
        )
        yield Problem((*path, "gpu"), f"nodes of pool {name} have no GPU: {hint}")
    elif gpu.count > pool.gpu.count:
        message = f"{gpu.count} GPUs do not fit on a node of pool {name}: {pool.gpu.count}"
        yield Problem((*path, "gpu", "count"), message)


def choices_are_for_known_groups(path: Path, choices: Sequence[Choice], groups: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a problem for each group that is not declared: a choice for a group nobody is in would never be seen."""
    for place, choice in enumerate(choices):
        yield from unknown_groups((*path, place), choice.groups or (), groups)
