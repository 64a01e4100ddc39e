"""Dask Gateway: clusters of workers that people start from their notebooks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from qhub.config.model import Problem, Section, nested
from qhub.config.names import GroupName, KubernetesName, UserName
from qhub.config.profiles import (
    Choice,
    Demand,
    choices_are_for_known_groups,
    demand_fits_pool,
    image_runs,
    repeated_names,
)
from qhub.config.quantities import Cores, Count, SecondsOrNever, SpawnerMemory
from qhub.config.resources import Image, UserGpu
from qhub.config.users import unknown_groups


class WorkerProfile(Choice):
    """A size of Dask worker that people choose when they start a cluster. The first one is chosen beforehand."""

    cores: Cores = Field(default=1.0, description="CPU cores of a worker.")
    memory: SpawnerMemory = Field(default="2G", description="Memory of a worker (K, M, G, T).")
    threads: Count = Field(
        default_factory=lambda given: max(1, math.ceil(given.get("cores", 1))),
        description="Threads of a worker. Where it is not given: its cores, rounded up.",
    )
    gpu: UserGpu | None = Field(default=None, description="GPUs of a worker; null for none.")
    node_pool: KubernetesName = Field(default="worker", description="Pool of cluster.node_pools that workers run on.")


#: One and two cores with the memory per core that the clouds' general-purpose instances have.
DEFAULT_PROFILES: Any = (
    {"name": "small", "display_name": "Small", "description": "1 CPU, 2 GB of memory", "cores": 1, "memory": "2G"},
    {"name": "medium", "display_name": "Medium", "description": "2 CPUs, 4 GB of memory", "cores": 2, "memory": "4G"},
)


class DaskLimit(Section):
    """Larger or smaller clusters for some. Who is named in several gets the largest of them."""

    users: tuple[UserName, ...] = Field(default=(), description="Users it holds for.")
    groups: tuple[GroupName, ...] = Field(default=(), description="Groups whose members it holds for.")
    max_workers_per_cluster: Count | None = Field(
        default=None, description="Most workers of one cluster; null for what everyone has."
    )
    max_cores_per_cluster: Cores | None = Field(
        default=None, description="Most CPU cores of one cluster; null for what everyone has."
    )


class Dask(Section):
    """Dask Gateway."""

    enabled: bool = Field(default=True, description="Install Dask Gateway.")
    image: Image = nested(
        "Image of schedulers and workers; dask, distributed and Python must match the notebook's.",
        name="ghcr.io/dask/dask-gateway",
        tag="2026.3.0",
        architectures=["amd64", "arm64"],
    )
    profiles: tuple[WorkerProfile, ...] = Field(
        default=DEFAULT_PROFILES,
        validate_default=True,
        min_length=1,
        description="Sizes of worker that people choose from.",
    )
    idle_timeout: SecondsOrNever = Field(
        default=1800, description="Seconds without work after which a cluster is stopped; 0 for never."
    )
    max_workers_per_cluster: Count = Field(default=20, description="Most workers of one cluster.")
    max_cores_per_cluster: Cores = Field(
        default=40.0, description="Most CPU cores of one cluster, all workers together."
    )
    limits: tuple[DaskLimit, ...] = Field(
        default=(), description="Other limits for some users and groups, in place of the two above."
    )


def worker_profile_names_differ(dask: Dask) -> Iterator[Problem]:
    """The name is how a notebook chooses."""
    yield from repeated_names(("dask", "profiles"), [profile.name for profile in dask.profiles])


def workers_fit_their_cluster(dask: Dask) -> Iterator[Problem]:
    """A worker with more cores than a whole cluster may have is never started."""
    most = max(dask.max_cores_per_cluster, *(limit.max_cores_per_cluster or 0 for limit in dask.limits), 0)
    for place, profile in enumerate(dask.profiles):
        if profile.cores > most:
            message = (
                f"{profile.cores:g} cores are more than max_cores_per_cluster ({most:g}): such a worker never starts"
            )
            yield Problem(("dask", "profiles", place, "cores"), message)


def limits_are_for_somebody(dask: Dask, groups: Mapping[str, Any]) -> Iterator[Problem]:
    """A limit says for whom and what, and for groups that there are."""
    for place, limit in enumerate(dask.limits):
        path = ("dask", "limits", place)
        if not limit.users and not limit.groups:
            yield Problem(path, "holds for nobody: name some in users or groups")
        if limit.max_workers_per_cluster is None and limit.max_cores_per_cluster is None:
            yield Problem(path, "limits nothing: add max_workers_per_cluster or max_cores_per_cluster")
        yield from unknown_groups(path, limit.groups, groups)


def workers_fit_their_pool(dask: Dask, cluster: Any) -> Iterator[Problem]:
    """A worker that fits on no node stays Pending for ever."""
    pools = cluster.pools  # made anew each time it is asked for
    for place, profile in enumerate(dask.profiles):
        path = ("dask", "profiles", place)
        demand = Demand(
            path=path,
            profile=path,
            pool=profile.node_pool,
            gpu=profile.gpu,
            cores=(("cores",), profile.cores),
            memory=(("memory",), profile.memory),
            most_memory=(("memory",), profile.memory),
        )
        yield from demand_fits_pool(demand, pools)
        if profile.node_pool in pools:
            yield from image_runs((*path, "node_pool"), dask.image, profile.node_pool, pools[profile.node_pool])


def worker_profiles_are_for_known_groups(dask: Dask, groups: Mapping[str, Any]) -> Iterator[Problem]:
    """A profile for a group that does not exist would never be seen."""
    yield from choices_are_for_known_groups(("dask", "profiles"), dask.profiles, groups)
