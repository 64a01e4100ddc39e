"""A cluster on Google Cloud (GKE)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from qhub.config.cloud import CloudCluster
from qhub.config.model import Expected, Section, nested
from qhub.config.names import AddressRange, Text


class GcpNetwork(Section):
    """The VPC network and its subnetwork, or ones that are there already."""

    cidr: AddressRange = Field(default="10.0.0.0/20", description="Address range of the nodes.")
    pods_cidr: AddressRange = Field(default="10.4.0.0/14", description="Address range of pods: 256 for each node.")
    services_cidr: AddressRange = Field(default="10.8.0.0/20", description="Address range of Services.")
    zones: tuple[Text, ...] | None = Field(
        default=None, description="Zones of the nodes; null: the first zone of the region's list alone."
    )
    network: Text | None = Field(default=None, description="Name of a network that is there already; null makes one.")
    subnetwork: Text | None = Field(default=None, description="With network: its subnetwork.")
    pods_range: Text | None = Field(default=None, description="With subnetwork: its secondary range for pods.")
    services_range: Text | None = Field(default=None, description="With subnetwork: its secondary range for Services.")


class GcpCluster(CloudCluster):
    """A GKE cluster with its network."""

    DEFAULT_POOLS: ClassVar[Any] = {
        "general": {"instance_type": "e2-standard-2", "min": 1, "max": 3},
        "user": {"instance_type": "e2-standard-4", "min": 0, "max": 10},
        "worker": {"instance_type": "e2-standard-4", "min": 0, "max": 20},
    }

    provider: Literal["gcp"] = Field(default="gcp", description="Google Cloud.")
    project: Text = Field(description="Id of the Google Cloud project, for example my-team-1234.")
    region: Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+\d+$"), Expected("a region, for example europe-west1")] = (
        Field(description="Region, for example europe-west1.")
    )
    network: GcpNetwork = nested("The VPC network.")
