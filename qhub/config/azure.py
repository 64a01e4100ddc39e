"""A cluster on Azure (AKS)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from qhub.config import instances
from qhub.config.cloud import CloudCluster, CloudNodePool, Taint
from qhub.config.model import NEW_CLUSTER, NEW_STORAGE, Expected, Problem, Section, nested
from qhub.config.names import AddressRange, Text
from qhub.config.nearest import nearest
from qhub.config.networks import Path, range_has_room, range_lies_in, ranges_are_apart
from qhub.config.quantities import parse_size
from qhub.config.regions import region_problems, regions, zone_problems, zones_of

#: Ranges that AKS keeps to itself: neither nodes nor pods nor Services may be in them
#: (learn.microsoft.com/azure/aks/concepts-network-ip-address-planning).
RESERVED = ("169.254.0.0/16", "172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24")
#: Azure's own addresses in each subnet (learn.microsoft.com/azure/virtual-network/virtual-networks-faq).
ADDRESSES_OF_AZURE = 5
#: The overlay hands each node a /24 for its pods (learn.microsoft.com/azure/aks/azure-cni-overlay).
PODS_PER_NODE_RANGE = 256
#: Widest and narrowest range of Services: AKS wants less than a /12; in a /27 the tenth address is still one for DNS.
WIDEST_SERVICES, NARROWEST_SERVICES = 13, 27
#: Most nodes of the pool that AKS keeps for its own pods.
SYSTEM_NODES = 3
#: GiB that a node's disk may have: the image of the nodes needs the one, managed disks for systems end at the other.
SMALLEST_DISK, LARGEST_DISK = 30, 2048
#: GiB that a share on premium storage may have (learn.microsoft.com/azure/storage/files/understanding-billing).
SMALLEST_SHARE, LARGEST_SHARE = 100, 102_400
#: learn.microsoft.com/azure/aks/api-server-authorized-ip-ranges; one of them is for the nodes' own way out.
MOST_API_RANGES = 199
#: Azure takes 50 tags on a resource; two are ours, and AKS puts some on what it makes itself.
MOST_TAGS = 40
#: Owners of label keys that AKS or the kubelet refuses on nodes (learn.microsoft.com/azure/aks/use-labels).
RESERVED_LABELS = ("kubernetes.azure.com", "kubernetes.io", "k8s.io")

_NETWORK = ("cluster", "network")
_GIB = 1024**3
_GUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_TAG_KEY = re.compile(r"[^<>%&\\?/\x00-\x1f]{1,128}")

Guid = Annotated[str, Field(pattern=f"^{_GUID}$"), Expected("an id, for example 00000000-0000-0000-0000-000000000000")]
SubnetId = Annotated[
    str,
    Field(
        pattern=rf"^/subscriptions/{_GUID}/resource[gG]roups/[^/]+/providers/Microsoft\.[nN]etwork/virtualNetworks/"
        r"[^/]+/subnets/[^/]+$"
    ),
    Expected(
        "the id of a subnet: /subscriptions/ID/resourceGroups/NAME/providers/Microsoft.Network/virtualNetworks/NAME"
        "/subnets/NAME"
    ),
]
#: learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
GroupName = Annotated[
    str,
    Field(pattern=r"^[\w().-]{0,89}[\w()-]$"),
    Expected("the name of a resource group: letters, digits, _ - . ( ), no dot at the end, at most 90"),
]


class AzureNetwork(Section):
    """The virtual network with a subnet for nodes and a NAT gateway, or a subnet that is there already."""

    cidr: AddressRange = Field(default="10.0.0.0/16", description="Address range of the virtual network.")
    nodes_cidr: Annotated[AddressRange, NEW_CLUSTER] = Field(
        default="10.0.0.0/20",
        description="Address range of the nodes' subnet, in cidr. Pods do not count: see pods_cidr.",
    )
    pods_cidr: Annotated[AddressRange, NEW_CLUSTER] = Field(
        default="10.244.0.0/16", description="Address range of pods, of which a node takes a /24; it cannot be changed."
    )
    services_cidr: Annotated[AddressRange, NEW_CLUSTER] = Field(
        default="10.2.0.0/16", description="Address range of Services; it cannot be changed."
    )
    zones: tuple[Literal["1", "2", "3"], ...] = Field(
        default=(),
        description='Availability zones of the nodes: "1", "2", "3"; none: wherever there is room. With other zones a '
        "pool is made anew; keep general in those that its disks are in.",
    )
    outbound: Literal["nat-gateway", "load-balancer", "user-defined-routing"] | None = Field(
        default=None,
        description="How nodes get out: a NAT gateway of ours (with subnet_id: the subnet's), AKS' load balancer, or "
        "the route table of subnet_id. null: nat-gateway, with subnet_id load-balancer.",
    )
    subnet_id: Annotated[SubnetId | None, NEW_CLUSTER] = Field(
        default=None,
        description="A subnet that is there already; null makes a network. For a managed file system it needs the "
        "service endpoint Microsoft.Storage.",
    )

    @property
    def way_out(self) -> str:
        """How nodes get out, also where `outbound` does not say."""
        return self.outbound or ("nat-gateway" if self.subnet_id is None else "load-balancer")


class AzureMaintenance(Section):
    """When AKS may put in a new patch of Kubernetes and new images of nodes."""

    day: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = Field(
        default="sunday", description="Day of the week."
    )
    start_time: Annotated[
        str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$"), Expected('a time of day in quotes, for example "04:00"')
    ] = Field(default="04:00", description='Start, UTC, in quotes: "04:00".')
    hours: Annotated[int, Field(ge=4, le=24), Expected("a whole number of hours, 4 to 24")] = Field(
        default=4, description="Hours in which upgrades may start, at least 4."
    )


class AzureCluster(CloudCluster):
    """An AKS cluster with its network, in a resource group."""

    #: 2 cores and 8 GiB for the platform's own pods; 4 cores and 16 GiB for two to four people or workers.
    DEFAULT_POOLS: ClassVar[Any] = {
        "general": {"instance_type": "Standard_D2s_v5", "min": 1, "max": 3},
        "user": {"instance_type": "Standard_D4s_v5", "min": 0, "max": 10},
        "worker": {"instance_type": "Standard_D4s_v5", "min": 0, "max": 20},
    }

    provider: Annotated[Literal["azure"], NEW_CLUSTER] = Field(default="azure", description="Azure.")
    region: Annotated[str, Field(pattern=r"^[a-z0-9]+$"), Expected("a region, for example westeurope"), NEW_CLUSTER] = (
        Field(description="Location, for example westeurope.")
    )
    subscription_id: Guid | None = Field(
        default=None,
        description="Subscription that everything is made in, so that a stack cannot land in another; null: the one of "
        "the environment (ARM_SUBSCRIPTION_ID, or `az account show`).",
    )
    resource_group: Annotated[GroupName | None, NEW_CLUSTER] = Field(
        default=None, description="A resource group that is there; null makes one with the name of the cluster."
    )
    network: AzureNetwork = nested("The virtual network.")
    admin_groups: tuple[Guid, ...] = Field(
        default=(),
        description="Object ids of Entra groups whose members administer the cluster; who runs `pulumi` has to be in "
        "one, with `kubelogin` installed, and there are no local accounts. Without any: a certificate of the cluster.",
    )
    maintenance: AzureMaintenance = nested("When AKS may put in a new patch.")
    auto_upgrade: Literal["patch", "none"] = Field(
        default="patch",
        description="patch: new patches of `version` come by themselves. Another minor version never does.",
    )
    system_instance_type: Annotated[Text, NEW_CLUSTER] = Field(
        default="Standard_D2s_v5",
        description="Machines of the pool that AKS keeps for its own pods, two cores and 4 GiB or more. It is set when "
        "the cluster is made.",
    )
    registry_tier: Literal["basic", "standard", "premium"] = Field(
        default="standard", description="With registry: its tier, which sets its size and what it costs."
    )
    files_redundancy: Annotated[Literal["local", "zone"], NEW_STORAGE] = Field(
        default="local",
        description="With storage.kind managed: three copies in one datacenter, or one in each of three zones. It "
        "cannot be changed.",
    )

    @property
    def zones(self) -> tuple[str, ...]:
        """Availability zones of the nodes."""
        return self.network.zones

    def added_taints(self, pool: CloudNodePool) -> tuple[Taint, ...]:
        """AKS taints spot nodes by itself."""
        return (Taint(key="kubernetes.azure.com/scalesetpriority", value="spot"),) if pool.spot else ()

    def problems(self) -> Iterator[Problem]:
        """Yield what Azure would not accept."""
        yield from super().problems()
        yield from region_problems(("cluster", "region"), "azure", self.region)
        yield from self._zone_problems()
        yield from self._network_problems()
        yield from self._access_problems()
        yield from self._tag_problems()
        yield from self._system_pool_problems()
        for name, pool in self.node_pools.items():
            yield from _pool_problems(("cluster", "node_pools", name), pool)

    def file_system_problems(self, size: str) -> Iterator[Problem]:
        """Yield what keeps Azure from making a managed file system.

        Args:
            size: `storage.size`.
        """
        if not SMALLEST_SHARE * _GIB <= parse_size(size) <= LARGEST_SHARE * _GIB:
            yield Problem(("storage", "size"), f"{size} is no size for an NFS share on Azure Files: 100Gi to 100Ti")
        if self.files_redundancy == "zone" and self.region in regions("azure") and not zones_of("azure", self.region):
            yield Problem(("cluster", "files_redundancy"), f"{self.region} has no availability zones: write local")

    def _zone_problems(self) -> Iterator[Problem]:
        path = (*_NETWORK, "zones")
        if self.zones and self.region in regions("azure") and not zones_of("azure", self.region):
            yield Problem(path, f"{self.region} has no availability zones: leave this key out, or take another region")
        else:
            yield from zone_problems(path, "azure", self.region, self.zones)

    def _network_problems(self) -> Iterator[Problem]:
        network = self.network
        own = network.subnet_id is None
        if own and network.outbound == "user-defined-routing":
            yield Problem(
                (*_NETWORK, "outbound"), "a network of ours has no route table: add subnet_id, or leave this key out"
            )
        for key in ("cidr", "nodes_cidr") if not own else ():
            if key in network.model_fields_set:
                yield Problem((*_NETWORK, key), "the subnet of subnet_id has its range already: leave one of them out")
        keys = ("cidr", "nodes_cidr", "pods_cidr", "services_cidr") if own else ("pods_cidr", "services_cidr")
        ranges: dict[str, str] = {key: getattr(network, key) for key in keys}
        strange = [key for key, text in ranges.items() if ip_network(text).version != 4]
        for key in strange:
            yield Problem((*_NETWORK, key), f"{ranges[key]} is not IPv4, which is all that QHub uses on AKS")
        if not strange:
            yield from self._range_problems({(*_NETWORK, key): text for key, text in ranges.items()})

    def _range_problems(self, ranges: dict[Path, str]) -> Iterator[Problem]:
        nodes = SYSTEM_NODES + sum(pool.max for pool in self.node_pools.values())
        for path, text in ranges.items():
            for taken in RESERVED:
                if ip_network(text).overlaps(ip_network(taken)):
                    yield Problem(path, f"{text} overlaps {taken}, which AKS keeps to itself: choose another")
            if path[-1] == "nodes_cidr":
                yield from range_lies_in(path, text, self.network.cidr, of="cluster.network.cidr")
                # A pool that is upgraded, or made anew beside the old one, has a third more nodes for a while.
                room = ADDRESSES_OF_AZURE + nodes + -(-nodes // 3)
                yield from range_has_room(path, text, room, for_what=f"an upgrade of {nodes} nodes")
            if path[-1] == "pods_cidr":
                yield from range_has_room(path, text, nodes * PODS_PER_NODE_RANGE, for_what=f"pods on {nodes} nodes")
            prefix = ip_network(text).prefixlen
            if path[-1] == "services_cidr" and not WIDEST_SERVICES <= prefix <= NARROWEST_SERVICES:
                yield Problem(path, f"{text} is no size for Services: /{WIDEST_SERVICES} to /{NARROWEST_SERVICES}")
        yield from ranges_are_apart({path: text for path, text in ranges.items() if path[-1] != "nodes_cidr"})

    def _access_problems(self) -> Iterator[Problem]:
        if len(self.api_access) > MOST_API_RANGES:
            yield Problem(("cluster", "api_access"), f"AKS takes at most {MOST_API_RANGES} ranges")
        for place, text in enumerate(self.api_access):
            if ip_network(text).version != 4:
                yield Problem(("cluster", "api_access", place), "AKS takes IPv4 ranges here")

    def _tag_problems(self) -> Iterator[Problem]:
        if len(self.tags) > MOST_TAGS:
            yield Problem(("cluster", "tags"), f"{len(self.tags)} are more than there is room for: {MOST_TAGS}")
        seen: set[str] = set()
        for key, value in self.tags.items():
            path = ("cluster", "tags", key)
            if not _TAG_KEY.fullmatch(key) or len(value) > 256:
                yield Problem(
                    path, "Azure wants at most 128 characters for key, 256 for value, and none of <>%&\\?/ in keys"
                )
            if key.lower() in seen:
                yield Problem(path, "is there twice: to Azure, capital and small letters of keys are the same")
            seen.add(key.lower())

    def _system_pool_problems(self) -> Iterator[Problem]:
        path, name = ("cluster", "system_instance_type"), self.system_instance_type
        found = instances.find("azure", name)
        if found is None and (meant := nearest(name, instances.names("azure"))) is not None:
            yield Problem(path, f"{name} is not in the catalogue of azure", meant)
        if found is not None and (found.cores < 2 or found.memory < 4 * _GIB or found.gpus):
            yield Problem(
                path, f"AKS wants two cores and 4 GiB or more for its own pods, and {name} is no such machine"
            )


def _pool_problems(path: Path, pool: CloudNodePool) -> Iterator[Problem]:
    gib = -(-parse_size(pool.disk_size) // _GIB)
    if not SMALLEST_DISK <= gib <= LARGEST_DISK:
        yield Problem((*path, "disk_size"), f"{pool.disk_size} is no size for a node's disk: 30Gi to 2Ti")
    if pool.gpu is not None and pool.gpu.type is not None:
        yield Problem((*path, "gpu", "type"), "on Azure the instance type says which GPU: leave this key out")
    if pool.zones is not None and not pool.zones:
        yield Problem((*path, "zones"), "names no zone: leave it out for all of the cluster's")
    for key in pool.labels:
        owner = key.rpartition("/")[0]
        if any(owner == one or owner.endswith(f".{one}") for one in RESERVED_LABELS):
            yield Problem((*path, "labels", key), f"AKS refuses labels of {owner}: take a domain of your own")
