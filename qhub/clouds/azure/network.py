"""The network of a cluster on Azure: a subnet for nodes, and a NAT gateway as their way out.

Pods are in an overlay: they take no addresses of the network. The subnet is a resource of its own, not a part of the
network's: both would be written at each update, and one would delete the other's.

The gateway and its address name no zone, so that more zones for nodes touch nothing here, the address least of all: it
may stand on lists of others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_azure_native as azure

if TYPE_CHECKING:
    from qhub.config.azure import AzureNetwork as Section

#: How nodes get out -> the word of AKS for it.
OUTBOUND_TYPES = {
    "nat-gateway": azure.containerservice.OutboundType.USER_ASSIGNED_NAT_GATEWAY,
    "load-balancer": azure.containerservice.OutboundType.LOAD_BALANCER,
    "user-defined-routing": azure.containerservice.OutboundType.USER_DEFINED_ROUTING,
}


@dataclass(frozen=True, kw_only=True)
class AzureNetworkArgs:
    """What the network is made from.

    Attributes:
        settings: the section `cluster.network`.
        name: name of the network.
        location: region.
        resource_group: name of the resource group.
        tags: tags.
    """

    settings: Section
    name: str
    location: str
    resource_group: pulumi.Input[str]
    tags: Mapping[str, str]


class AzureNetwork(pulumi.ComponentResource):
    """The network.

    Creates:
        VirtualNetwork, Subnet; with a NAT gateway as the way out, PublicIPAddress and NatGateway. Nothing where a
        subnet is given.

    Attributes:
        subnet_id: subnet of the nodes. It can reach storage accounts that let it in (service endpoint).
        egress_address: output: the address that nodes are seen with outside; None where that is not ours.
    """

    subnet_id: pulumi.Input[str]
    egress_address: pulumi.Output[str] | None = None

    def __init__(self, name: str, args: AzureNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:azure:Network", name, None, opts)
        self._name, self._args = name, args
        self.subnet_id = args.settings.subnet_id or self._subnet().id
        self.register_outputs({"subnet_id": self.subnet_id})

    def _subnet(self) -> azure.network.Subnet:
        args = self._args
        network = azure.network.VirtualNetwork(
            f"{self._name}-network",
            virtual_network_name=args.name,
            resource_group_name=args.resource_group,
            location=args.location,
            address_space={"address_prefixes": [args.settings.cidr]},
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["subnets"]),
        )
        gateway = self._gateway() if args.settings.way_out == "nat-gateway" else None
        return azure.network.Subnet(
            f"{self._name}-nodes",
            subnet_name="nodes",
            resource_group_name=args.resource_group,
            virtual_network_name=network.name,
            address_prefix=args.settings.nodes_cidr,
            nat_gateway=None if gateway is None else {"id": gateway.id},
            # There with no file system too: else the first one would change the subnet under running nodes.
            service_endpoints=[{"service": "Microsoft.Storage"}],
            # The way out is the gateway. Azure's own, which nobody asked for, ends for new networks anyway.
            default_outbound_access=False,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _gateway(self) -> azure.network.NatGateway:
        args = self._args
        address = azure.network.PublicIPAddress(
            f"{self._name}-egress",
            public_ip_address_name=f"{args.name}-egress",
            resource_group_name=args.resource_group,
            location=args.location,
            # The only kind that a NAT gateway takes.
            sku={"name": azure.network.PublicIPAddressSkuName.STANDARD},
            public_ip_allocation_method=azure.network.IPAllocationMethod.STATIC,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.egress_address = address.ip_address.apply(lambda found: found or "")
        return azure.network.NatGateway(
            f"{self._name}-nat",
            nat_gateway_name=f"{args.name}-nat",
            resource_group_name=args.resource_group,
            location=args.location,
            sku={"name": azure.network.NatGatewaySkuName.STANDARD},
            public_ip_addresses=[{"id": address.id}],
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
