"""A cluster on DigitalOcean (DOKS)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from qhub.config.cloud import CloudCluster
from qhub.config.model import Expected, Section, nested
from qhub.config.names import AddressRange, Text


class DigitalOceanNetwork(Section):
    """The VPC, or one that is there already."""

    cidr: AddressRange = Field(default="10.10.0.0/16", description="Address range of the VPC.")
    pods_cidr: AddressRange = Field(default="10.244.0.0/16", description="Address range of pods.")
    services_cidr: AddressRange = Field(default="10.245.0.0/16", description="Address range of Services.")
    vpc_uuid: Text | None = Field(default=None, description="A VPC that is there already; null makes one.")


class DigitalOceanCluster(CloudCluster):
    """A DOKS cluster with its network."""

    DEFAULT_POOLS: ClassVar[Any] = {
        "general": {"instance_type": "g-2vcpu-8gb", "min": 1, "max": 3},
        "user": {"instance_type": "g-4vcpu-16gb", "min": 0, "max": 10},
        "worker": {"instance_type": "g-4vcpu-16gb", "min": 0, "max": 20},
    }

    provider: Literal["digitalocean"] = Field(default="digitalocean", description="DigitalOcean.")
    region: Annotated[str, Field(pattern=r"^[a-z]{3}\d$"), Expected("a region, for example fra1")] = Field(
        description="Region, for example fra1."
    )
    network: DigitalOceanNetwork = nested("The VPC.")
    ha: bool = Field(default=False, description="Several control planes; cannot be switched off again.")
