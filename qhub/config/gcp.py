"""A cluster on Google Cloud (GKE)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from qhub.config import gcp_machines as machines
from qhub.config.cloud import GPU_TAINT, CloudCluster, CloudNodePool, Taint
from qhub.config.model import MOVED_NODES, NEW_CLUSTER, NEW_STORAGE, Expected, Problem, Section, nested
from qhub.config.names import AddressRange, ObjectName, Text
from qhub.config.networks import Path, range_has_room, ranges_are_apart
from qhub.config.quantities import parse_size
from qhub.config.regions import region_problems, zone_problems, zones_of

#: Names of clusters and node pools (container.googleapis.com v1, `Cluster.name`, `NodePool.name`).
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
#: cloud.google.com/compute/docs/labeling-resources: at most 64, of which some are ours and some are GKE's own.
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
MOST_LABELS = 48
#: GKE gives a node with room for 110 pods a /24 (cloud.google.com/kubernetes-engine/docs/how-to/flexible-pod-cidr).
ADDRESSES_PER_NODE = 256
#: Google Cloud keeps four addresses of a subnetwork's range, and the API server has one in it.
SPARE_ADDRESSES = 5
#: cloud.google.com/kubernetes-engine/quotas: authorized networks of a cluster.
MOST_API_RANGES = 100
#: Least and most GiB of a Filestore instance (pulumi-gcp 10.2, `fileShares.capacityGb`). REGIONAL takes 100 in some
#: regions only; 1024 is good everywhere.
FILESTORE_SIZES = {
    "BASIC_HDD": (1024, 65433),
    "BASIC_SSD": (2560, 65433),
    "ZONAL": (100, 102400),
    "REGIONAL": (1024, 102400),
}
#: Where ZONAL and REGIONAL begin to grow in steps (same place).
LARGE_FILESTORE, LARGE_FILESTORE_STEP = 10240, 2560

ProjectId = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$"),
    Expected("the id of a project (not its name or number), for example my-team-1234"),
]
FilestoreTier = Literal["BASIC_HDD", "BASIC_SSD", "ZONAL", "REGIONAL"]
_NETWORK = ("cluster", "network")
_GIB = 1024**3


class GcpNetwork(Section):
    """The VPC network and its subnetwork, or ones that are there already."""

    # Google widens a range in place; any other one is another subnetwork, and another cluster in it.
    cidr: Annotated[AddressRange, MOVED_NODES] = Field(default="10.0.0.0/20", description="Address range of the nodes.")
    pods_cidr: Annotated[AddressRange, NEW_CLUSTER] = Field(
        default="10.4.0.0/14", description="Address range of pods: 256 for each node."
    )
    services_cidr: Annotated[AddressRange, NEW_CLUSTER] = Field(
        default="10.8.0.0/20", description="Address range of Services."
    )
    zones: tuple[Text, ...] | None = Field(
        default=None,
        min_length=1,
        description="Zones of the nodes; null: the first zone of the region's list alone. The control plane is in "
        "several zones in any case.",
    )
    network: Annotated[Text | None, NEW_CLUSTER] = Field(
        default=None,
        description="A network that is there already, with a way out to the internet; null makes one. Its name, or "
        "projects/PROJECT/global/networks/NAME where another project shares it.",
    )
    subnetwork: Annotated[Text | None, NEW_CLUSTER] = Field(
        default=None, description="With network: its subnetwork, in the cluster's region."
    )
    pods_range: Annotated[Text | None, NEW_CLUSTER] = Field(
        default=None, description="With subnetwork: its secondary range for pods."
    )
    services_range: Annotated[Text | None, NEW_CLUSTER] = Field(
        default=None, description="With subnetwork: its secondary range for Services."
    )


class GcpCluster(CloudCluster):
    """A GKE cluster with its network."""

    #: 2 cores and 8 GiB for the platform's own pods; 4 cores and 16 GiB for two to four people or workers.
    DEFAULT_POOLS: ClassVar[Any] = {
        "general": {"instance_type": "e2-standard-2", "min": 1, "max": 3},
        "user": {"instance_type": "e2-standard-4", "min": 0, "max": 10},
        "worker": {"instance_type": "e2-standard-4", "min": 0, "max": 20},
    }

    provider: Annotated[Literal["gcp"], NEW_CLUSTER] = Field(default="gcp", description="Google Cloud.")
    project: Annotated[ProjectId, NEW_CLUSTER] = Field(
        description="Id of the Google Cloud project, for example my-team-1234."
    )
    region: Annotated[
        str, Field(pattern=r"^[a-z]+-[a-z]+\d+$"), Expected("a region, for example europe-west1"), NEW_CLUSTER
    ] = Field(description="Region, for example europe-west1.")
    network: GcpNetwork = nested("The VPC network.")
    endpoint: Literal["dns", "ip"] = Field(
        default="dns",
        description="How `pulumi` and `kubectl` reach the API server. dns: by a name that Google guards with IAM, from "
        "anywhere; api_access then holds for its address alone. ip: by its address, from api_access and nowhere else.",
    )
    release_channel: Literal["RAPID", "REGULAR", "STABLE", "EXTENDED"] = Field(
        default="REGULAR", description="How soon GKE upgrades the cluster to a new version."
    )
    maintenance_start: Annotated[
        str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$"), Expected('a time of day in quotes, for example "02:00"')
    ] = Field(default="02:00", description='Start of the daily four hours for upgrades, UTC, in quotes: "02:00".')
    storage_class: ObjectName = Field(
        default="standard-rwo",
        description="StorageClass for disks: standard-rwo (balanced), premium-rwo (SSD), or one of your own.",
    )
    filestore_tier: Annotated[FilestoreTier, NEW_STORAGE] = Field(
        default="ZONAL",
        description="With storage.kind managed: ZONAL from 100Gi, REGIONAL (survives the loss of a zone) and BASIC_HDD "
        "from 1Ti, BASIC_SSD from 2560Gi. It cannot be changed later.",
    )

    @property
    def zones(self) -> tuple[str, ...]:
        """Zones of the nodes."""
        return self.network.zones or zones_of("gcp", self.region)[:1]

    def pool_taints(self, name: str) -> tuple[Taint, ...]:
        """Return the taints that we put on the nodes of a pool; not those that GKE puts there itself."""
        added = self.added_taints(self.node_pools[name])
        return tuple(taint for taint in super().pool_taints(name) if taint not in added)

    def added_taints(self, pool: CloudNodePool) -> tuple[Taint, ...]:
        """Return the taints by which GKE keeps pods off nodes with GPUs or Arm that did not ask for them.

        Facts: cloud.google.com/kubernetes-engine/docs, how-to/gpus and how-to/prepare-arm-workloads-for-deployment.
        """
        gpu = () if pool.gpu is None else (Taint(key=GPU_TAINT, value="present"),)
        arm = (Taint(key="kubernetes.io/arch", value="arm64"),) if machines.architecture(pool) == "arm64" else ()
        return (*gpu, *arm)

    def problems(self) -> Iterator[Problem]:
        """Yield what Google Cloud would not accept."""
        yield from super().problems()
        yield from self._places_are_known()
        yield from self._names_fit()
        yield from self._labels_are_labels()
        yield from self._given_network_is_whole()
        yield from self._ranges_fit()
        yield from self._access_is_by_address()
        for name, pool in self.node_pools.items():
            path = ("cluster", "node_pools", name)
            yield from machines.gpu_problems(path, pool)
            if name == "general":
                yield from machines.disk_problems(path, pool, storage_class=self.storage_class)

    def file_system_problems(self, size: str) -> Iterator[Problem]:
        """Yield what keeps Google Cloud from making a managed file system.

        Args:
            size: `storage.size`.
        """
        gib, tier = -(-parse_size(size) // _GIB), self.filestore_tier
        least, most = FILESTORE_SIZES[tier]
        if gib < least:
            other = "" if tier == "ZONAL" else ", or take `cluster.filestore_tier: ZONAL`, from 100Gi"
            yield Problem(
                ("storage", "size"),
                f"{size} is less than the smallest Filestore of tier {tier}: at least {least}Gi{other}",
            )
        elif gib > most:
            yield Problem(("storage", "size"), f"{size} is more than the largest Filestore of tier {tier}: {most}Gi")
        elif tier in ("ZONAL", "REGIONAL") and gib >= LARGE_FILESTORE and gib % LARGE_FILESTORE_STEP:
            up = -(-gib // LARGE_FILESTORE_STEP) * LARGE_FILESTORE_STEP
            yield Problem(
                ("storage", "size"),
                f"from {LARGE_FILESTORE}Gi, Filestore of tier {tier} comes in steps of {LARGE_FILESTORE_STEP}Gi: "
                f"write {min(up, most)}Gi",
            )

    def _places_are_known(self) -> Iterator[Problem]:
        zones = self.network.zones or ()
        yield from region_problems(("cluster", "region"), "gcp", self.region, zones=zones)
        yield from zone_problems((*_NETWORK, "zones"), "gcp", self.region, zones)

    def _names_fit(self) -> Iterator[Problem]:
        for path, name in (
            (("cluster", "name"), self.name),
            *((("cluster", "node_pools", pool), pool) for pool in self.node_pools),
        ):
            if not _NAME.fullmatch(name):
                yield Problem(
                    path, f'"{name}" is no name for GKE: a letter first, at most 40 of a-z, 0-9 and inner "-"'
                )

    def _labels_are_labels(self) -> Iterator[Problem]:
        path = ("cluster", "tags")
        if len(self.tags) > MOST_LABELS:
            yield Problem(path, f"{len(self.tags)} labels are too many beside GKE's own: at most {MOST_LABELS}")
        for key, value in self.tags.items():
            if not _LABEL_KEY.fullmatch(key):
                yield Problem(
                    (*path, key),
                    f'"{key}" is no label of Google Cloud: a-z first, then a-z, 0-9, "_" and "-", at most 63',
                )
            if not _LABEL_VALUE.fullmatch(value):
                yield Problem(
                    (*path, key), f'"{value}" is no value of a label: a-z, 0-9, "_" and "-", at most 63 characters'
                )

    def _given_network_is_whole(self) -> Iterator[Problem]:
        network = self.network
        parts = ("subnetwork", "pods_range", "services_range")
        if network.network is None:
            for key in parts:
                if getattr(network, key) is not None:
                    yield Problem((*_NETWORK, key), "needs `network`: add the network's name, or leave this key out")
            return
        for key in parts:
            if getattr(network, key) is None:
                yield Problem((*_NETWORK, key), "is required with `network`: GKE has to be told its name")
        for key in ("cidr", "pods_cidr", "services_cidr"):
            if key in network.model_fields_set:
                yield Problem((*_NETWORK, key), "has no effect with `network`: its ranges are there. Leave it out")

    def _ranges_fit(self) -> Iterator[Problem]:
        if self.network.network is not None:
            return
        ranges: dict[Path, str] = {
            (*_NETWORK, key): getattr(self.network, key) for key in ("cidr", "pods_cidr", "services_cidr")
        }
        other = [path for path, text in ranges.items() if ip_network(text).version != 4]
        for path in other:
            yield Problem(path, f"{ranges[path]} is not IPv4, which nodes, pods and Services have here")
        if other:
            return
        yield from ranges_are_apart(ranges)
        # An upgrade adds one node to a pool before it takes one away.
        nodes = sum(pool.max + 1 for pool in self.node_pools.values())
        of = f"{nodes} nodes (all pools at their max, and one each while they are upgraded)"
        path: Path = (*_NETWORK, "cidr")
        yield from range_has_room(path, ranges[path], nodes + SPARE_ADDRESSES, for_what=of)
        path = (*_NETWORK, "pods_cidr")
        yield from range_has_room(path, ranges[path], nodes * ADDRESSES_PER_NODE, for_what=of)

    def _access_is_by_address(self) -> Iterator[Problem]:
        if len(self.api_access) > MOST_API_RANGES:
            yield Problem(("cluster", "api_access"), f"GKE takes at most {MOST_API_RANGES} ranges")
        for place, text in enumerate(self.api_access):
            if ip_network(text).version != 4:
                yield Problem(("cluster", "api_access", place), f"{text} is not IPv4, which is what GKE takes here")
