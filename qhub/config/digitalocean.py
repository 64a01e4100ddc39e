"""A cluster on DigitalOcean (DOKS)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_network
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from qhub.config.cloud import GPU_TAINT, CloudCluster, CloudNodePool, Taint
from qhub.config.model import NEW_CLUSTER, Expected, Fixed, Problem, Section, nested
from qhub.config.names import AddressRange, Text
from qhub.config.networks import PRIVATE_ADDRESSES, Path, is_within, range_has_room, ranges_are_apart
from qhub.config.quantities import parse_size
from qhub.config.regions import region_problems

#: The pool that DOKS makes with the cluster. QHub keeps it for the cluster's own pods.
SYSTEM_POOL = "system"

#: Ranges that no VPC may overlap: DigitalOcean's own, and pods and Services of clusters whose ranges it chose
#: (docs.digitalocean.com/products/networking/vpc/concepts/plan-your-network; 10.229.0.0/16 since March 2025).
RESERVED = ("10.244.0.0/16", "10.245.0.0/16", "10.246.0.0/24", "10.229.0.0/16")
#: The same in one region only.
RESERVED_IN = {"nyc1": ("10.10.0.0/16",)}

#: Longest and shortest prefix of a VPC (`ip_range` in pulumi-digitalocean 4.84).
VPC_PREFIXES = range(16, 25)
#: DOKS hands each node a /25 for its 110 pods.
ADDRESSES_PER_NODE = 128
#: Addresses of the VPC that are not for nodes that stay: up to ten of a surge upgrade, and DigitalOcean's own.
SPARE_ADDRESSES = 16

#: Smallest NFS share (`size` in pulumi-digitalocean 4.84).
SMALLEST_SHARE = 50 * 1024**3

#: A node is named after its pool with six characters more, and its name is a host name: 63 at most.
LONGEST_POOL_NAME = 57

#: What DigitalOcean takes as a tag (terraform-provider-digitalocean, `digitalocean/tag/tags.go`).
_TAG = re.compile(r"[A-Za-z0-9:_-]{1,255}")
_SLUG = re.compile(r"1\.\d{2}\.\d+-do\.\d+")

#: What DigitalOcean chooses where it is not written.
_CHOSEN = replace(NEW_CLUSTER, null_is_any=True)
_HA = Fixed(text="several control planes cannot be switched off again", order=(False, True))
_NFS_TIER = Fixed(text="a share of tier high cannot go back", order=("standard", "high"))

DoksVersion = Annotated[
    str,
    Field(pattern=r"^1\.\d{2}(\.\d+-do\.\d+)?$"),
    Expected('a minor version in quotes, for example "1.35", or one of `doctl kubernetes options versions`'),
]


class DigitalOceanNetwork(Section):
    """The VPC, or one that is there already.

    No two VPCs of an account may overlap, nor the pods' ranges of two clusters. Left to DigitalOcean, they do not.
    """

    cidr: Annotated[AddressRange | None, _CHOSEN] = Field(
        default=None, description="Address range of the VPC, /16 to /24; null: a free /20, chosen by DigitalOcean."
    )
    pods_cidr: Annotated[AddressRange | None, _CHOSEN] = Field(
        default=None,
        description="Address range of pods, routed in the VPC; null: DOKS' own overlay. Only together with the next.",
    )
    services_cidr: Annotated[AddressRange | None, _CHOSEN] = Field(
        default=None, description="Address range of Services; null: DOKS' own. Only together with the one before."
    )
    vpc_uuid: Annotated[Text | None, NEW_CLUSTER] = Field(
        default=None, description="A VPC that is there already; null makes one."
    )


class DigitalOceanMaintenance(Section):
    """When DigitalOcean may upgrade the control plane and the nodes to a new patch."""

    day: Literal["any", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = Field(
        default="sunday", description="Day of the week, or any."
    )
    start_time: Annotated[
        str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$"), Expected('a time of day in quotes, for example "04:00"')
    ] = Field(default="04:00", description='Start of the four hours, UTC, in quotes: "04:00".')


class DigitalOceanCluster(CloudCluster):
    """A DOKS cluster with its network."""

    #: 2 cores and 8 GiB for the platform's own pods; 4 cores and 16 GiB for two to four people or workers.
    DEFAULT_POOLS: ClassVar[Any] = {
        "general": {"instance_type": "g-2vcpu-8gb", "min": 1, "max": 3},
        "user": {"instance_type": "g-4vcpu-16gb", "min": 0, "max": 10},
        "worker": {"instance_type": "g-4vcpu-16gb", "min": 0, "max": 20},
    }

    provider: Annotated[Literal["digitalocean"], NEW_CLUSTER] = Field(
        default="digitalocean", description="DigitalOcean."
    )
    region: Annotated[str, Field(pattern=r"^[a-z]{3}\d$"), Expected("a region, for example fra1"), NEW_CLUSTER] = Field(
        description="Region, for example fra1."
    )
    version: DoksVersion = Field(
        default="1.35",
        description='Minor version, "1.35": its newest patch, and DigitalOcean keeps it patched. In full, '
        '"1.35.1-do.0": that one; this is how a cluster gets to another minor version.',
    )
    network: DigitalOceanNetwork = nested("The VPC.")
    ha: Annotated[bool, _HA] = Field(default=False, description="Several control planes; cannot be switched off again.")
    maintenance: DigitalOceanMaintenance = nested("When DigitalOcean may put in a new patch.")
    registry: bool = Field(
        default=False,
        description="Make the account's container registry, and let nodes pull from it. An account has one: no other "
        "stack may make it.",
    )
    registry_name: (
        Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$"), Expected("3 to 63 of a-z, 0-9 and inner -")]
        | None
    ) = Field(
        default=None,
        description="With registry: name of the registry, unique among all of DigitalOcean; null: the cluster's. "
        "Without: the registry that the account has already; null: none.",
    )
    registry_tier: Literal["starter", "basic", "professional"] = Field(
        default="basic", description="With registry: its subscription, which sets its size and what it costs."
    )
    nfs_tier: Annotated[Literal["standard", "high"], _NFS_TIER] = Field(
        default="standard", description="With storage.kind managed: performance of the share; high cannot go back."
    )

    @property
    def pinned(self) -> bool:
        """Whether `version` names one patch and not a minor version."""
        return _SLUG.fullmatch(self.version) is not None

    def pool_taints(self, name: str) -> tuple[Taint, ...]:
        """Return the taints that we put on the nodes of a pool; not that of GPUs, which DOKS puts there itself."""
        return tuple(taint for taint in super().pool_taints(name) if taint != Taint(key=GPU_TAINT, value="present"))

    def added_taints(self, pool: CloudNodePool) -> tuple[Taint, ...]:
        """DOKS taints nodes with NVIDIA GPUs by itself, with an empty value."""
        return () if pool.gpu is None else (Taint(key=GPU_TAINT),)

    def problems(self) -> Iterator[Problem]:
        """Yield what DigitalOcean would not accept."""
        yield from super().problems()
        yield from region_problems(("cluster", "region"), "digitalocean", self.region)
        for name, pool in self.node_pools.items():
            yield from _pool_fits(("cluster", "node_pools", name), pool)
        yield from self._tags_are_tags()
        yield from self._ranges_fit()

    def file_system_problems(self, size: str) -> Iterator[Problem]:
        """Yield what keeps DigitalOcean from making a managed file system.

        Args:
            size: `storage.size`.
        """
        if parse_size(size) < SMALLEST_SHARE:
            yield Problem(("storage", "size"), f"{size} is less than DigitalOcean's smallest NFS share: at least 50Gi")
        if not self.name[0].isalpha():
            yield Problem(("cluster", "name"), f"{self.name} names the NFS share too, which starts with a letter")

    def _tags_are_tags(self) -> Iterator[Problem]:
        for key, value in self.tags.items():
            tag = tag_of(key, value)
            if not _TAG.fullmatch(tag):
                message = f'"{tag}" is no tag of DigitalOcean: letters, digits, "-", "_" and ":", at most 255'
                yield Problem(("cluster", "tags", key), message)

    def _ranges_fit(self) -> Iterator[Problem]:
        network, at = self.network, ("cluster", "network")
        if network.vpc_uuid is not None and network.cidr is not None:
            yield Problem((*at, "cidr"), "the VPC of vpc_uuid has its range already: leave one of the two out")
        if (network.pods_cidr is None) != (network.services_cidr is None):
            lacking = "pods_cidr" if network.pods_cidr is None else "services_cidr"
            yield Problem((*at, lacking), "pods_cidr and services_cidr go together: give both, or neither")
        written: dict[Path, str] = {
            (*at, key): text for key in ("cidr", "pods_cidr", "services_cidr") if (text := getattr(network, key))
        }
        ipv4: dict[Path, str] = {path: text for path, text in written.items() if ip_network(text).version == 4}
        for path, text in written.items():
            if path not in ipv4:
                yield Problem(path, f"{text} is not IPv4, which is all that DOKS has")
        for path, text in ipv4.items():
            yield from _range_is_free(path, text, self.region)
        yield from ranges_are_apart(ipv4)
        yield from self._ranges_have_room(ipv4)

    def _ranges_have_room(self, ranges: Mapping[Path, str]) -> Iterator[Problem]:
        nodes = 1 + sum(pool.max for pool in self.node_pools.values())
        for path, text in ranges.items():
            if path[-1] == "cidr":
                if ip_network(text).prefixlen not in VPC_PREFIXES:
                    yield Problem(path, f"{text} is no size for a VPC: from /16 to /24")
                else:
                    yield from range_has_room(path, text, nodes + SPARE_ADDRESSES, for_what=f"{nodes} nodes")
            if path[-1] == "pods_cidr":
                yield from range_has_room(path, text, nodes * ADDRESSES_PER_NODE, for_what=f"pods on {nodes} nodes")


def tag_of(key: str, value: str) -> str:
    """Return a tag as DigitalOcean has them: one text, with no value."""
    return f"{key}:{value}" if value else key


def pool_name(name: str, instance_type: str) -> str:
    """Return what DOKS calls a pool: with its size, so that a pool of another size has another name."""
    return f"{name}-{instance_type}"


def _pool_fits(path: Path, pool: CloudNodePool) -> Iterator[Problem]:
    name = pool_name(str(path[-1]), pool.instance_type)
    if len(name) > LONGEST_POOL_NAME:
        yield Problem(path, f"{name} would be too long a name for nodes: shorten it by {len(name) - LONGEST_POOL_NAME}")
    if path[-1] == SYSTEM_POOL:
        yield Problem(path, "is the name of the cluster's own pool: choose another")
    if pool.spot:
        yield Problem((*path, "spot"), "DigitalOcean has no spot nodes: leave this key out")
    if "disk_size" in pool.model_fields_set:
        yield Problem((*path, "disk_size"), f"the disk comes with {pool.instance_type}: leave this key out")
    if pool.gpu is not None and pool.gpu.type is not None:
        yield Problem((*path, "gpu", "type"), f"the GPU comes with {pool.instance_type}: leave this key out")


def _range_is_free(path: Path, text: str, region: str) -> Iterator[Problem]:
    wanted = ip_network(text)
    if not any(is_within(text, private) for private in PRIVATE_ADDRESSES):  # a VPC takes nothing else
        yield Problem(path, f"{text} is not private: take it from {', '.join(PRIVATE_ADDRESSES)}")
    for taken in (*RESERVED, *RESERVED_IN.get(region, ())):
        if wanted.overlaps(ip_network(taken)):
            where = "" if taken in RESERVED else f" in {region}"
            yield Problem(path, f"{text} overlaps {taken}, which DigitalOcean keeps to itself{where}: choose another")
