"""A cluster on Amazon Web Services (EKS)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from qhub.config.cloud import CloudCluster
from qhub.config.model import NEW_CLUSTER, Expected, Problem, Section, nested
from qhub.config.names import AddressRange, Text
from qhub.config.nearest import nearest
from qhub.config.networks import ranges_are_apart
from qhub.config.quantities import parse_size
from qhub.config.regions import region_problems, zone_problems, zones_of

#: Letters of availability zones. us-east-1 has the most, six; local and wavelength zones cannot hold a control plane.
ZONE_LETTERS = "abcdef"
#: Widest and narrowest range of a VPC that we make. /16 is what AWS allows; in a /23 the public subnets would be /28,
#: and a load balancer wants /27 at least (docs.aws.amazon.com/elasticloadbalancing, "Subnets for your load balancer").
WIDEST_VPC, NARROWEST_VPC = 16, 22
#: Where EKS lets Services be, and how many (EKS API, KubernetesNetworkConfigRequest.serviceIpv4Cidr).
SERVICE_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
WIDEST_SERVICES, NARROWEST_SERVICES = 12, 24
#: Size of the snapshot that the Amazon Linux 2023 images of EKS start from.
SMALLEST_DISK = 20 * 1024**3
#: EKS quota "Public endpoint access CIDR ranges per cluster".
MOST_API_RANGES = 40
#: EKS quota "Nodes per managed node group", as it is unless AWS has raised it.
MOST_NODES = 450
#: Add-ons of EKS that a cluster gets (`qhub/clouds/aws/addons.py`); the last one with storage.kind managed.
ADD_ONS = (
    "vpc-cni",
    "kube-proxy",
    "coredns",
    "eks-pod-identity-agent",
    "aws-ebs-csi-driver",
    "aws-efs-csi-driver",
)
#: Labels whose key starts so are refused by EKS for node groups.
RESERVED_LABELS = ("kubernetes.io", "k8s.io", "eks.amazonaws.com")
#: Periods that CloudWatch Logs knows, in days (API PutRetentionPolicy), up to two years.
Retention = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731]

_NETWORK = ("cluster", "network")
_ADMIN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/[\w+=,.@/-]+")
_TAG = re.compile(r"[\w .:/+@-]*")

SubnetId = Annotated[
    str, Field(pattern=r"^subnet-[0-9a-f]+$"), Expected("the id of a subnet, for example subnet-0a1b2c3d4e5f67890")
]
RepositoryName = Annotated[
    str,
    Field(pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*$"),
    Expected("a name of a-z and 0-9, with single . _ - between, for example jupyterlab"),
]
VpcId = Annotated[
    str, Field(pattern=r"^vpc-[0-9a-f]+$"), Expected("the id of a VPC, for example vpc-0a1b2c3d4e5f67890")
]


class AwsNetwork(Section):
    """The VPC: a public and a private subnet in each zone, or subnets that are there already."""

    cidr: Annotated[AddressRange, NEW_CLUSTER] = Field(
        default="10.0.0.0/16",
        description="Address range of the VPC, /16 to /22. Pods take addresses from it too: an eighth of it is one "
        "zone's share, 8,187 nodes and pods in a /16.",
    )
    services_cidr: Annotated[AddressRange, NEW_CLUSTER] = Field(
        default="172.20.0.0/16", description="Address range of Services; it cannot be changed later."
    )
    zones: tuple[Text, ...] | None = Field(
        default=None,
        description="Availability zones, two or more; null: the first two of the region. The first one has the single "
        "NAT gateway. Adding one moves no subnet.",
    )
    nat: Literal["single", "per-zone", "regional"] = Field(
        default="single",
        description="NAT gateways: one for all zones (cheap), one per zone (no zone needs another), or a regional one.",
    )
    vpc_id: Annotated[VpcId | None, NEW_CLUSTER] = Field(
        default=None, description="A VPC that is there already; null makes one."
    )
    private_subnets: dict[Text, SubnetId] = Field(
        default={}, description="With vpc_id: zone -> its subnet for nodes, with a way out to the internet."
    )
    public_subnets: dict[Text, SubnetId] = Field(
        default={},
        description="With vpc_id: zone -> its subnet for the load balancer; without any, that is reached from inside.",
    )


class AwsCluster(CloudCluster):
    """An EKS cluster with its network."""

    #: 2 cores and 8 GiB for the platform's own pods; 4 cores and 16 GiB for two to four people or workers.
    DEFAULT_POOLS: ClassVar[Any] = {
        "general": {"instance_type": "m6i.large", "min": 1, "max": 3},
        "user": {"instance_type": "m6i.xlarge", "min": 0, "max": 10},
        "worker": {"instance_type": "m6i.xlarge", "min": 0, "max": 20},
    }

    provider: Annotated[Literal["aws"], NEW_CLUSTER] = Field(default="aws", description="Amazon Web Services.")
    region: Annotated[
        str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$"), Expected("a region, for example eu-west-1"), NEW_CLUSTER
    ] = Field(description="AWS region, for example eu-west-1.")
    network: AwsNetwork = nested("The VPC.")
    admins: tuple[Text, ...] = Field(
        default=(), description="ARNs of IAM roles or users that administer the cluster besides the one who makes it."
    )
    support: Literal["standard", "extended"] = Field(
        default="standard",
        description="At the end of a Kubernetes version's support: standard upgrades, extended pays to stay.",
    )
    logs: tuple[Literal["api", "audit", "authenticator", "controllerManager", "scheduler"], ...] = Field(
        default=("audit", "authenticator"), description="Logs of the control plane that CloudWatch keeps."
    )
    log_retention: Retention = Field(default=30, description="Days that CloudWatch keeps them.")
    add_on_versions: dict[Text, Text] = Field(
        default={},
        description="EKS add-on -> version, for example coredns: v1.12.1-eksbuild.2; those not named get EKS's default "
        f"when they are made, and keep it. Add-ons: {', '.join(ADD_ONS)}.",
    )
    repositories: tuple[RepositoryName, ...] = Field(
        default=("jupyterlab", "dask-worker"),
        description="With `registry`: names of its repositories; ECR has none before they are made.",
    )

    @property
    def zones(self) -> tuple[str, ...]:
        """Availability zones of the subnets."""
        chosen = self.network.zones or tuple(self.network.private_subnets) or zones_of("aws", self.region)[:2]
        # A region that is not known has its own problem; it needs no second one here.
        return chosen or (f"{self.region}a", f"{self.region}b")

    def problems(self) -> Iterator[Problem]:
        """Yield what EKS would not accept."""
        yield from super().problems()
        yield from self._zone_problems()
        yield from self._range_problems()
        yield from self._given_network_problems()
        yield from self._access_problems()
        yield from self._tag_problems()
        yield from self._add_on_problems()
        for name in self.node_pools:
            yield from self._node_group_problems(name)

    def _zone_problems(self) -> Iterator[Problem]:
        network, path = self.network, (*_NETWORK, "zones")
        written = network.zones or tuple(network.private_subnets)
        yield from region_problems(("cluster", "region"), "aws", self.region, zones=written)
        yield from zone_problems(path, "aws", self.region, network.zones or ())
        for place, zone in enumerate(network.zones or ()):
            if zone[:-1] == self.region and zone[-1] not in ZONE_LETTERS:
                yield Problem((*path, place), f"there is room for zones {ZONE_LETTERS[0]} to {ZONE_LETTERS[-1]}")
        if len(set(self.zones)) < 2:
            key = "private_subnets" if network.vpc_id and network.zones is None else "zones"
            yield Problem(
                (*_NETWORK, key),
                f"EKS wants subnets in at least two zones, here is {len(set(self.zones))}: name two, or leave it out",
            )

    def _range_problems(self) -> Iterator[Problem]:
        cidr, services = ip_network(self.network.cidr), ip_network(self.network.services_cidr)
        own = self.network.vpc_id is None
        if cidr.version != 4 or (own and not WIDEST_VPC <= cidr.prefixlen <= NARROWEST_VPC):
            yield Problem(
                (*_NETWORK, "cidr"),
                f"{cidr} cannot be divided among the zones: an IPv4 range of /{WIDEST_VPC} to /{NARROWEST_VPC}, "
                "for example 10.0.0.0/16",
            )
        private = services.version == 4 and any(services.subnet_of(ip_network(one)) for one in SERVICE_RANGES)  # ty: ignore[invalid-argument-type]
        if not private or not WIDEST_SERVICES <= services.prefixlen <= NARROWEST_SERVICES:
            yield Problem(
                (*_NETWORK, "services_cidr"),
                f"EKS wants a range of /{WIDEST_SERVICES} to /{NARROWEST_SERVICES} in {', '.join(SERVICE_RANGES)}",
            )
        if own or "cidr" in self.network.model_fields_set:
            yield from ranges_are_apart(
                {
                    (*_NETWORK, "cidr"): self.network.cidr,
                    (*_NETWORK, "services_cidr"): self.network.services_cidr,
                }
            )

    def _given_network_problems(self) -> Iterator[Problem]:
        network = self.network
        if network.vpc_id is None:
            for key in ("private_subnets", "public_subnets"):
                if getattr(network, key):
                    yield Problem((*_NETWORK, key), "needs vpc_id: add `vpc_id: vpc-...`, or leave the subnets out")
            return
        if not network.private_subnets:
            yield Problem((*_NETWORK, "private_subnets"), "is required with vpc_id: zone -> subnet for nodes")
        if "nat" in network.model_fields_set:
            yield Problem((*_NETWORK, "nat"), "has no effect with vpc_id: the way out is that VPC's. Leave it out")
        yield from self._given_subnet_problems("private_subnets", network.private_subnets)
        yield from self._given_subnet_problems("public_subnets", network.public_subnets)
        used = Counter([*network.private_subnets.values(), *network.public_subnets.values()])
        if twice := [one for one, times in used.items() if times > 1]:
            names = ", ".join(sorted(twice))
            yield Problem((*_NETWORK, "private_subnets"), f"{names} is given twice: each place wants its own subnet")

    def _given_subnet_problems(self, key: str, given: dict[str, str]) -> Iterator[Problem]:
        if given and set(given) != set(self.zones):
            zones = ", ".join(sorted(self.zones))
            yield Problem((*_NETWORK, key), f"one subnet for each zone is wanted, and no other: {zones}")
        for zone in given:
            if not re.fullmatch(f"{self.region}[{ZONE_LETTERS}]", zone):
                yield Problem((*_NETWORK, key, zone), f"{zone} is no zone of {self.region}")

    def _access_problems(self) -> Iterator[Problem]:
        for place, arn in enumerate(self.admins):
            path = ("cluster", "admins", place)
            if not _ADMIN.fullmatch(arn):
                yield Problem(
                    path,
                    "is not the ARN of an IAM role or user: arn:aws:iam::123456789012:role/NAME (for a session of a "
                    "role, the role's own ARN)",
                )
            if arn in self.admins[:place]:
                yield Problem(path, "is there twice: EKS takes one entry for each")
        if len(self.api_access) > MOST_API_RANGES:
            yield Problem(("cluster", "api_access"), f"EKS takes at most {MOST_API_RANGES} ranges")
        for place, text in enumerate(self.api_access):
            if ip_network(text).version != 4:
                yield Problem(("cluster", "api_access", place), "EKS takes IPv4 ranges here")

    def _tag_problems(self) -> Iterator[Problem]:
        # 50 are allowed on a resource; ours and the cluster's, the node group's and the autoscaler's need room too.
        if len(self.tags) > 30:
            yield Problem(("cluster", "tags"), f"{len(self.tags)} are more than there is room for beside our own: 30")
        for key, value in self.tags.items():
            path = ("cluster", "tags", key)
            if key.lower().startswith("aws:") or len(key) > 128 or len(value) > 256:
                yield Problem(path, "AWS wants at most 128 characters for key, 256 for value, and none to start aws:")
            elif not _TAG.fullmatch(key) or not _TAG.fullmatch(value):
                # "=" is fine for AWS, but drivers take tags as key=value.
                yield Problem(path, "a tag is made of letters, digits, spaces and _ . : / + @ -")

    def _add_on_problems(self) -> Iterator[Problem]:
        for name in self.add_on_versions:
            if name not in ADD_ONS:
                message = f"is no add-on that QHub installs, so nothing has this version (known: {', '.join(ADD_ONS)})"
                yield Problem(("cluster", "add_on_versions", name), message, nearest(name, ADD_ONS))

    def _node_group_problems(self, name: str) -> Iterator[Problem]:
        pool, path = self.node_pools[name], ("cluster", "node_pools", name)
        if pool.max > MOST_NODES:
            yield Problem((*path, "max"), f"EKS has at most {MOST_NODES} nodes in a group: share them out among pools")
        if parse_size(pool.disk_size) < SMALLEST_DISK:
            yield Problem((*path, "disk_size"), f"{pool.disk_size} cannot hold the system image: at least 20Gi")
        if pool.gpu is not None and pool.gpu.type is not None:
            yield Problem((*path, "gpu", "type"), "on AWS the instance type says which GPU: leave this key out")
        if pool.zones is not None and not pool.zones:
            yield Problem((*path, "zones"), "names no zone: leave it out for all of the cluster's")
        for key in pool.labels:
            owner = key.rpartition("/")[0]
            if any(owner == one or owner.endswith(f".{one}") for one in RESERVED_LABELS):
                yield Problem((*path, "labels", key), f"EKS refuses labels of {owner}: take a domain of your own")
