"""A cluster on Amazon Web Services (EKS)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from qhub.config.cloud import CloudCluster
from qhub.config.model import Expected, Section, nested
from qhub.config.names import AddressRange, Text


class AwsNetwork(Section):
    """The VPC: a public and a private subnet in each zone, or subnets that are there already."""

    cidr: AddressRange = Field(default="10.0.0.0/16", description="Address range of the VPC.")
    zones: tuple[Text, ...] | None = Field(
        default=None, description="Availability zones, two or three; null: the first two of the region, a and b."
    )
    nat: Literal["single", "per-zone", "regional"] = Field(
        default="single",
        description="NAT gateways: one for all zones (cheap), one per zone (no zone needs another), or a regional one.",
    )
    vpc_id: Text | None = Field(default=None, description="A VPC that is there already; null makes one.")
    private_subnet_ids: tuple[Text, ...] = Field(default=(), description="With vpc_id: its subnets for nodes.")
    public_subnet_ids: tuple[Text, ...] = Field(default=(), description="With vpc_id: its subnets for load balancers.")


class AwsCluster(CloudCluster):
    """An EKS cluster with its network."""

    #: 2 cores and 8 GiB for the platform's own pods; 4 cores and 16 GiB for two to four people or workers.
    DEFAULT_POOLS: ClassVar[Any] = {
        "general": {"instance_type": "m6i.large", "min": 1, "max": 3},
        "user": {"instance_type": "m6i.xlarge", "min": 0, "max": 10},
        "worker": {"instance_type": "m6i.xlarge", "min": 0, "max": 20},
    }

    provider: Literal["aws"] = Field(default="aws", description="Amazon Web Services.")
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$"), Expected("a region, for example eu-west-1")] = (
        Field(description="AWS region, for example eu-west-1.")
    )
    network: AwsNetwork = nested("The VPC.")
    admins: tuple[Text, ...] = Field(
        default=(), description="ARNs of IAM roles or users that administer the cluster besides the one who makes it."
    )

    @property
    def zones(self) -> tuple[str, ...]:
        """Availability zones of the subnets."""
        return self.network.zones or (f"{self.region}a", f"{self.region}b")
