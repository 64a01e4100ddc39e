"""The hub: notebook servers, who gets which size, and when idle ones stop."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from qhub.config.model import GROWS, Expected, Path, Problem, Section, nested
from qhub.config.names import KubernetesName
from qhub.config.options import ImageOption, OtherImage, SizeOption, default_of, options_differ
from qhub.config.profiles import (
    Choice,
    Demand,
    choices_are_for_known_groups,
    demand_fits_pool,
    image_runs,
    repeated_names,
)
from qhub.config.quantities import MemoryQuantity, Seconds, SecondsOrNever, VolumeSize
from qhub.config.resources import Image, Resources, UserGpu
from qhub.config.sizes import Size, on_pool, said_elsewhere, said_once, servers_per_node, share_can_be_had
from qhub.config.theme import Theme


class Cull(Section):
    """Stopping servers that nobody uses."""

    enabled: bool = Field(default=True, description="Stop idle servers.")
    timeout: Seconds = Field(
        default=1800,
        description="Seconds without activity after which a server is stopped. An open tab is activity, and so is a "
        "kernel that computes, also one that never ends: only max_age stops that. A terminal is while it prints.",
    )
    every: Seconds = Field(
        default_factory=lambda given: min(600, given.get("timeout", 600)),
        description="Seconds between two looks for idle servers. Where it is not given: 600, at most the timeout.",
    )
    max_age: SecondsOrNever = Field(
        default=0, description="Seconds after which a server is stopped even in use; 0 for never."
    )
    users: bool = Field(default=False, description="Also remove users whose servers were stopped from the hub's list.")
    admins: bool = Field(
        default=True,
        description="With users: administrators too. Servers are stopped whosever they are: the culler knows no "
        "exception for some people's.",
    )


class Profile(Size, Choice):
    """A kind of notebook server that people choose when they start one."""

    default: bool = Field(
        default=False, description="Chosen beforehand. One profile has it; with one profile only, not needed."
    )
    gpu: UserGpu | None = Field(default=None, description="GPUs of a server; null for none.")
    image: Image | None = Field(default=None, description="Image for this profile; null takes jupyterhub.image.")
    node_pool: KubernetesName = Field(default="user", description="Pool of cluster.node_pools that its servers run on.")
    sizes: tuple[SizeOption, ...] = Field(
        default=(),
        description="Sizes that people choose from when they start a server of this profile, instead of its own cpu "
        "and memory.",
    )
    images: tuple[ImageOption, ...] = Field(
        default=(),
        description="Images that people choose from when they start a server of this profile, instead of its own "
        "image.",
    )
    other_image: OtherImage | None = Field(
        default=None, description="Lets people type an image that is in no list; null lets nobody."
    )

    @property
    def default_size(self) -> Size:
        """The size that is chosen beforehand, which is its own where there is nothing to choose."""
        return default_of(self.sizes) if self.sizes else self

    def default_image(self, standard: Image) -> Image:
        """Return the image that is chosen beforehand.

        Args:
            standard: the image of profiles without one.
        """
        return default_of(self.images).image if self.images else self.image or standard

    def every_size(self) -> Iterator[tuple[Path, Size]]:
        """Yield every size that a server of it may have, with its key below the profile."""
        if not self.sizes:
            yield (), self
        for place, size in enumerate(self.sizes):
            yield ("sizes", place), size

    def every_image(self, standard: Image) -> Iterator[tuple[Path, Image]]:
        """Yield every image that a server of it may run, with the key below the profile that decides on it.

        Args:
            standard: the image of profiles without one.
        """
        if not self.images:
            yield (("image",), self.image) if self.image is not None else (("node_pool",), standard)
        for place, option in enumerate(self.images):
            yield ("images", place, "image"), option.image


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
        "CPU and memory of the hub. What is written here replaces the default as a whole.",
        requests={"cpu": "200m", "memory": "512Mi"},
        limits={"memory": "2Gi"},
    )
    db_storage: Annotated[VolumeSize, GROWS] = Field(
        default="1Gi", description="Size of the disk with the hub's database."
    )


Seats = Annotated[int, Field(ge=0, le=1000), Expected("a whole number from 0 to 1000")]


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
    placeholders: Seats = Field(
        default=0,
        description="Seats that are kept free: pods as large as a server of the default profile, which give way as "
        "soon as somebody starts one, and for which the autoscaler then adds a node. Their nodes are paid for.",
    )
    theme: Theme = nested("How the hub's pages look.")

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


def sizes_and_images_make_sense(jupyterhub: JupyterHub) -> Iterator[Problem]:
    """Each size is said once and in one way, and each choice can be told from the others."""
    for place, profile in enumerate(jupyterhub.profiles):
        path: Path = ("jupyterhub", "profiles", place)
        for key, size in profile.every_size():
            yield from said_once((*path, *key), size)
        if profile.sizes:
            yield from said_elsewhere(path, profile)
        if profile.images and profile.image is not None:
            yield Problem((*path, "image"), "`images` of this profile say it: leave image out, or make it one of them")
        yield from options_differ((*path, "sizes"), profile.sizes)
        yield from options_differ((*path, "images"), profile.images)


def profiles_fit_their_pool(jupyterhub: JupyterHub, cluster: Any) -> Iterator[Problem]:
    """A server that fits on no node stays Pending until its start times out, whichever size or image it has."""
    pools = cluster.pools  # made anew each time it is asked for
    for place, profile in enumerate(jupyterhub.profiles):
        path, name = ("jupyterhub", "profiles", place), profile.node_pool
        for number, (key, size) in enumerate(profile.every_size()):
            # What holds for the profile as a whole is told once.
            yield from demand_fits_pool(_demand((*path, *key), path, profile, size, first=number == 0), pools)
            # Of an instance type that the catalogue lacks, `cluster` says so.
            if name in pools and (cluster.provider == "existing" or on_pool(size, pools[name])):
                yield from share_can_be_had((*path, *key), size, name, pools[name])
        for key, image in profile.every_image(jupyterhub.image):
            if name in pools:
                yield from image_runs((*path, *key), image, name, pools[name])


def placeholders_have_room(jupyterhub: JupyterHub, cluster: Any) -> Iterator[Problem]:
    """Seats that no node of the pool can hold would wait for ever, and the autoscaler with them."""
    profile, wanted = jupyterhub.default_profile, jupyterhub.placeholders
    pool, limits = cluster.pools.get(profile.node_pool), cluster.node_pools.get(profile.node_pool)
    if not wanted or pool is None or (most := getattr(limits, "max", None)) is None:
        return
    reserved = on_pool(profile.default_size, pool)
    seats = servers_per_node(reserved, pool) if reserved is not None else None
    if seats and math.ceil(wanted / seats) > most:
        yield Problem(
            ("jupyterhub", "placeholders"),
            f"{wanted} seats of profile {profile.name} fill {math.ceil(wanted / seats)} nodes of pool "
            f"{profile.node_pool}, which has at most {most}: lower it, or raise cluster.node_pools.{profile.node_pool}"
            ".max",
        )


def _demand(at: Path, path: Path, profile: Profile, size: Size, *, first: bool) -> Demand:
    """Return what a server of a size takes of a node.

    What is not guaranteed is reserved all the same: Kubernetes takes the limit where a pod asks for nothing. A share of
    a node always fits on it.
    """
    cpu, memory, written = size.cpu, size.memory, not size.is_share
    return Demand(
        path=at,
        profile=path,
        pool=profile.node_pool,
        first=first,
        gpu=profile.gpu,
        cores=((("cpu", "limit"), cpu.limit) if cpu.guarantee is None else (("cpu", "guarantee"), cpu.guarantee))
        if written
        else None,
        memory=(
            (("memory", "limit"), memory.limit)
            if memory.guarantee is None
            else (("memory", "guarantee"), memory.guarantee)
        )
        if written
        else None,
        most_memory=(("memory", "limit"), memory.limit) if written else None,
    )


def profiles_are_for_known_groups(jupyterhub: JupyterHub, groups: Mapping[str, Any]) -> Iterator[Problem]:
    """A profile for a group that does not exist would never be seen."""
    yield from choices_are_for_known_groups(("jupyterhub", "profiles"), jupyterhub.profiles, groups)
