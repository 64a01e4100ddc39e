"""A cluster on Azure (AKS)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from qhub.config.cloud import CloudCluster, CloudNodePool, Taint
from qhub.config.model import Expected, Section, nested
from qhub.config.names import AddressRange, Text


class AzureNetwork(Section):
    """The virtual network and the nodes' subnet, or ones that are there already."""

    cidr: AddressRange = Field(default="10.0.0.0/16", description="Address range of the virtual network.")
    nodes_cidr: AddressRange = Field(default="10.0.0.0/20", description="Address range of the nodes' subnet, in cidr.")
    pods_cidr: AddressRange = Field(default="10.244.0.0/16", description="Address range of pods (overlay).")
    services_cidr: AddressRange = Field(default="10.2.0.0/16", description="Address range of Services.")
    zones: tuple[Literal["1", "2", "3"], ...] = Field(default=(), description='Availability zones: "1", "2", "3".')
    subnet_id: Text | None = Field(default=None, description="A subnet that is there already; null makes a network.")


class AzureCluster(CloudCluster):
    """An AKS cluster with its network, in a resource group."""

    DEFAULT_POOLS: ClassVar[Any] = {
        "general": {"instance_type": "Standard_D2s_v5", "min": 1, "max": 3},
        "user": {"instance_type": "Standard_D4s_v5", "min": 0, "max": 10},
        "worker": {"instance_type": "Standard_D4s_v5", "min": 0, "max": 20},
    }

    provider: Literal["azure"] = Field(default="azure", description="Azure.")
    region: Annotated[str, Field(pattern=r"^[a-z0-9]+$"), Expected("a region, for example westeurope")] = Field(
        description="Location, for example westeurope."
    )
    resource_group: Text | None = Field(default=None, description="A resource group that is there; null makes one.")
    network: AzureNetwork = nested("The virtual network.")
    admin_groups: tuple[Text, ...] = Field(
        default=(), description="Object ids of Entra groups whose members administer the cluster."
    )

    @property
    def zones(self) -> tuple[str, ...]:
        """Availability zones of the nodes."""
        return self.network.zones

    def added_taints(self, pool: CloudNodePool) -> tuple[Taint, ...]:
        """AKS taints spot nodes by itself."""
        return (Taint(key="kubernetes.azure.com/scalesetpriority", value="spot"),) if pool.spot else ()
