"""The VPC network of a cluster on Google Cloud: where nodes, pods and Services are, and the way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_gcp as gcp

from qhub.clouds.gcp.services import switch_on

if TYPE_CHECKING:
    from qhub.config import gcp as config

PODS_RANGE = "pods"
SERVICES_RANGE = "services"


@dataclass(frozen=True, kw_only=True)
class GcpNetworkArgs:
    """What the network is made from.

    Attributes:
        section: the `cluster` section.
        keep: something in the network outlives the stack: then so must the network.
    """

    section: config.GcpCluster
    keep: bool


class GcpNetwork(pulumi.ComponentResource):
    """A network with one subnetwork, or nothing where one is given. The subnetwork spans all zones of the region.

    Creates:
        Service (compute), Network, Subnetwork with secondary ranges for pods and Services, Router, RouterNat: nodes
        have no public addresses, so this is how images and packages get to them.

    Attributes:
        network, subnetwork: their names.
        pods_range, services_range: names of the subnetwork's secondary ranges.
        ready: what has to be there before a node can reach the internet.
    """

    network: pulumi.Input[str]
    subnetwork: pulumi.Input[str]
    pods_range: str
    services_range: str
    ready: tuple[pulumi.Resource, ...] = ()

    def __init__(self, name: str, args: GcpNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:gcp:Network", name, None, opts)
        given = args.section.network
        if given.network is not None:
            self.network, self.subnetwork = given.network, given.subnetwork or ""
            self.pods_range, self.services_range = given.pods_range or "", given.services_range or ""
        else:
            self._make(name, args)
        self.register_outputs({"network": self.network, "subnetwork": self.subnetwork})

    def _make(self, name: str, args: GcpNetworkArgs) -> None:
        network = gcp.compute.Network(
            f"{name}-vpc",
            name=args.section.name,
            # Else Google makes a subnetwork in each of its regions, and their ranges would meet ours.
            auto_create_subnetworks=False,
            routing_mode="REGIONAL",
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=switch_on(name, "compute", parent=self),
                protect=args.keep,
                retain_on_delete=args.keep,
            ),
        )
        subnetwork = self._subnetwork(name, args.section, network)
        self.network, self.subnetwork = network.name, subnetwork.name
        self.pods_range, self.services_range = PODS_RANGE, SERVICES_RANGE
        self.ready = (self._way_out(name, args.section, network),)

    def _subnetwork(
        self, name: str, section: config.GcpCluster, network: gcp.compute.Network
    ) -> gcp.compute.Subnetwork:
        return gcp.compute.Subnetwork(
            f"{name}-nodes",
            name=section.name,
            region=section.region,
            network=network.id,
            ip_cidr_range=section.network.cidr,
            secondary_ip_ranges=[
                {"range_name": PODS_RANGE, "ip_cidr_range": section.network.pods_cidr},
                {"range_name": SERVICES_RANGE, "ip_cidr_range": section.network.services_cidr},
            ],
            # Images of Artifact Registry and files of Cloud Storage come past the NAT, which charges for what it moves.
            private_ip_google_access=True,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _way_out(self, name: str, section: config.GcpCluster, network: gcp.compute.Network) -> gcp.compute.RouterNat:
        """Make the NAT. It has no machine of its own that could fail, and serves every zone."""
        router = gcp.compute.Router(
            f"{name}-router",
            name=section.name,
            region=section.region,
            network=network.id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return gcp.compute.RouterNat(
            f"{name}-nat",
            name=section.name,
            region=section.region,
            router=router.name,
            nat_ip_allocate_option="AUTO_ONLY",
            source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
            # A node has 64 ports otherwise, so 64 connections to one server at a time: too few for Dask workers that
            # read one data set together. Google wants endpoint independence off for it.
            enable_dynamic_port_allocation=True,
            enable_endpoint_independent_mapping=False,
            log_config={"enable": True, "filter": "ERRORS_ONLY"},
            opts=pulumi.ResourceOptions(parent=self),
        )
