"""The hub: notebook servers, who gets which size, and when idle ones stop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from qhub.config.model import GROWS, Problem, Section, nested
from qhub.config.names import KubernetesName
from qhub.config.profiles import Choice, Demand, choices_are_for_known_groups, demand_fits_pool, repeated_names
from qhub.config.quantities import MemoryQuantity, Seconds, SecondsOrNever, VolumeSize, parse_spawner_memory
from qhub.config.resources import Image, Resources, UserCpu, UserGpu, UserMemory


class Cull(Section):
    """Stopping servers that nobody uses."""

    enabled: bool = Field(default=True, description="Stop idle servers.")
    timeout: Seconds = Field(default=1800, description="Seconds without activity after which a server is stopped.")
    every: Seconds = Field(
        default_factory=lambda given: min(600, given.get("timeout", 600)),
        description="Seconds between two looks for idle servers. Where it is not given: 600, at most the timeout.",
    )
    max_age: SecondsOrNever = Field(
        default=0, description="Seconds after which a server is stopped even in use; 0 for never."
    )
    users: bool = Field(default=False, description="Also remove users whose servers were stopped from the hub's list.")


class Profile(Choice):
    """A size of notebook server that people choose when they start one."""

    default: bool = Field(
        default=False, description="Chosen beforehand. One profile has it; with one profile only, not needed."
    )
    cpu: UserCpu = nested("CPU cores of a server.")
    memory: UserMemory = nested("Memory of a server.")
    gpu: UserGpu | None = Field(default=None, description="GPUs of a server; null for none.")
    image: Image | None = Field(default=None, description="Image for this profile; null takes jupyterhub.image.")
    node_pool: KubernetesName = Field(default="user", description="Pool of cluster.node_pools that its servers run on.")


#: QHub's two sizes of old, halved so that they fit the smallest nodes of every cloud (2 cores, 4 GB).
DEFAULT_PROFILES: Any = (
    {
        "name": "small",
        "display_name": "Small",
        "description": "1 CPU, 2 GB of memory",
        "default": True,
        "cpu": {"limit": 1, "guarantee": 0.5},
        "memory": {"limit": "2G", "guarantee": "1G"},
    },
    {
        "name": "medium",
        "display_name": "Medium",
        "description": "2 CPUs, 4 GB of memory",
        "cpu": {"limit": 2, "guarantee": 1},
        "memory": {"limit": "4G", "guarantee": "2G"},
    },
)


class Hub(Section):
    """The hub's own process and its database."""

    resources: Resources = nested(
        "CPU and memory of the hub.", requests={"cpu": "200m", "memory": "512Mi"}, limits={"memory": "2Gi"}
    )
    db_storage: Annotated[VolumeSize, GROWS] = Field(
        default="1Gi", description="Size of the disk with the hub's database."
    )


class JupyterHub(Section):
    """Notebook servers."""

    image: Image = nested(
        "Image of notebook servers; it must have jupyterhub (same major version as the hub) and jupyterlab.",
        name="quay.io/jupyter/scipy-notebook",
        tag="2026-05-26",
        architectures=["amd64", "arm64"],
    )
    cull: Cull = nested("When idle servers are stopped.")
    start_timeout: Seconds = Field(
        default=600, description="Seconds that a server may take to start: a new node and a large image need minutes."
    )
    profiles: tuple[Profile, ...] = Field(
        default=DEFAULT_PROFILES,
        validate_default=True,
        min_length=1,
        description="Sizes of server that people choose from.",
    )
    hub: Hub = nested("The hub's own process.")
    shared_memory: MemoryQuantity = Field(
        default="1Gi", description="Size of /dev/shm in a server, which PyTorch and others use between processes."
    )

    @property
    def default_profile(self) -> Profile:
        """The profile that is chosen beforehand."""
        return next((profile for profile in self.profiles if profile.default), self.profiles[0])


def culling_makes_sense(jupyterhub: JupyterHub) -> Iterator[Problem]:
    """Looking less often than servers may idle would let them idle far longer than the timeout says."""
    cull = jupyterhub.cull
    if cull.enabled and cull.every > cull.timeout:
        yield Problem(
            ("jupyterhub", "cull", "every"),
            f"{cull.every} s between two looks is longer than the timeout of {cull.timeout} s: servers would idle up "
            f"to {cull.every + cull.timeout} s; write at most {cull.timeout}",
        )
    if cull.enabled and cull.max_age and cull.max_age < cull.timeout:
        yield Problem(
            ("jupyterhub", "cull", "max_age"),
            f"{cull.max_age} s is less than the timeout of {cull.timeout} s, which would then never count; 0 for never",
        )


def one_profile_is_the_default(jupyterhub: JupyterHub) -> Iterator[Problem]:
    """People who just press Start get the default profile."""
    marked = [place for place, profile in enumerate(jupyterhub.profiles) if profile.default]
    if not marked and len(jupyterhub.profiles) > 1:
        yield Problem(("jupyterhub", "profiles"), "no profile is the default: add `default: true` to exactly one")
    for place in marked[1:]:
        first = jupyterhub.profiles[marked[0]].name
        yield Problem(
            ("jupyterhub", "profiles", place, "default"),
            f'profile "{first}" is the default already: exactly one can be',
        )


def profile_names_differ(jupyterhub: JupyterHub) -> Iterator[Problem]:
    """The name is what a choice is stored under."""
    yield from repeated_names(("jupyterhub", "profiles"), [profile.name for profile in jupyterhub.profiles])


def guarantees_fit_limits(jupyterhub: JupyterHub) -> Iterator[Problem]:
    """Kubernetes refuses a pod that is promised more than it may use."""
    for place, profile in enumerate(jupyterhub.profiles):
        path = ("jupyterhub", "profiles", place)
        cpu, memory = profile.cpu, profile.memory
        if cpu.guarantee is not None and cpu.guarantee > cpu.limit:
            message = f"{cpu.guarantee:g} cores are more than the limit of {cpu.limit:g}: lower it, or raise cpu.limit"
            yield Problem((*path, "cpu", "guarantee"), message)
        if memory.guarantee is None:
            continue
        if parse_spawner_memory(memory.guarantee) > parse_spawner_memory(memory.limit):
            message = f"{memory.guarantee} is more than the limit of {memory.limit}: lower it, or raise memory.limit"
            yield Problem((*path, "memory", "guarantee"), message)


def profiles_fit_their_pool(jupyterhub: JupyterHub, cluster: Any) -> Iterator[Problem]:
    """A server that fits on no node stays Pending until its start times out.

    What is not guaranteed is reserved all the same: Kubernetes takes the limit where a pod asks for nothing.
    """
    for place, profile in enumerate(jupyterhub.profiles):
        path, cpu, memory = ("jupyterhub", "profiles", place), profile.cpu, profile.memory
        own = profile.image is not None
        demand = Demand(
            path=path,
            pool=profile.node_pool,
            gpu=profile.gpu,
            cores=(("cpu", "limit"), cpu.limit) if cpu.guarantee is None else (("cpu", "guarantee"), cpu.guarantee),
            memory=(("memory", "limit"), memory.limit)
            if memory.guarantee is None
            else (("memory", "guarantee"), memory.guarantee),
            most_memory=(("memory", "limit"), memory.limit),
            image=((*path, "image"), profile.image) if own else ((*path, "node_pool"), jupyterhub.image),
        )
        yield from demand_fits_pool(demand, cluster.pools)


def profiles_are_for_known_groups(jupyterhub: JupyterHub, groups: Mapping[str, Any]) -> Iterator[Problem]:
    """A profile for a group that does not exist would never be seen."""
    yield from choices_are_for_known_groups(("jupyterhub", "profiles"), jupyterhub.profiles, groups)
