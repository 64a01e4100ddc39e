"""The VPC of a cluster: where nodes are, how load balancers are reached, and the way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from qhub.clouds.aws.subnets import ZoneRanges, subnet_ranges

if TYPE_CHECKING:
    from qhub.config.aws import AwsNetwork as NetworkSettings

ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, kw_only=True)
class AwsNetworkArgs:
    """What the network is made from.

    Attributes:
        settings: the section `cluster.network`.
        cluster_name: name of the cluster; it becomes the `Name` tag's first part.
        region: AWS region.
        zones: availability zones in full, two or more; the first one has the single NAT gateway.
    """

    settings: NetworkSettings
    cluster_name: str
    region: str
    zones: Sequence[str]


class AwsNetwork(pulumi.ComponentResource):
    """A VPC with a public and a private subnet in each zone; or nothing, where subnets are given.

    Creates:
        Vpc, InternetGateway, VpcEndpoint (S3, free of charge: images' layers come from there past the NAT gateway);
        per zone: two Subnets, RouteTable for the private one with Route and associations (subnet, S3);
        for all zones: RouteTable with Route for the public ones;
        NAT gateways: one, one per zone, or a regional one; with Eips, but for the regional, which brings its own.

    Attributes:
        vpc_id: the VPC.
        private_subnets: zone -> subnet for nodes.
        public_subnets: zone -> subnet for load balancers; empty where none was given.
        ready: what has to be there before a node can reach the internet.
    """

    vpc_id: pulumi.Input[str]
    private_subnets: Mapping[str, pulumi.Input[str]]
    public_subnets: Mapping[str, pulumi.Input[str]]
    ready: tuple[pulumi.Resource, ...] = ()

    def __init__(self, name: str, args: AwsNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:aws:Network", name, None, opts)
        self._name, self._args = name, args
        if args.settings.vpc_id is not None:
            self.vpc_id = args.settings.vpc_id
            self.private_subnets, self.public_subnets = args.settings.private_subnets, args.settings.public_subnets
        else:
            self._make()
        self.register_outputs({"vpc_id": self.vpc_id})

    def _make(self) -> None:
        settings = self._args.settings
        vpc = aws.ec2.Vpc(
            f"{self._name}-vpc",
            cidr_block=settings.cidr,
            # The API server's private address and the file system's are names that the VPC's own DNS knows.
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=self._named("vpc"),
            opts=self._opts(),
        )
        gateway = aws.ec2.InternetGateway(
            f"{self._name}-gateway", vpc_id=vpc.id, tags=self._named("gateway"), opts=self._opts()
        )
        ranges = subnet_ranges(settings.cidr, self._args.zones)
        public = {zone: self._public_subnet(vpc, zone, ranges[zone]) for zone in ranges}
        private = {zone: self._private_subnet(vpc, zone, ranges[zone]) for zone in ranges}
        public_routes = self._public_routes(vpc, gateway, public)
        nats = self._nat_gateways(vpc, gateway, public)
        tables = {zone: self._private_table(vpc, zone) for zone in private}
        private_routes = [self._way_out(zone, tables[zone], private[zone], nats[zone]) for zone in private]
        self._way_to_s3(vpc, tables)
        self.vpc_id = vpc.id
        self.private_subnets = {zone: subnet.id for zone, subnet in private.items()}
        self.public_subnets = {zone: subnet.id for zone, subnet in public.items()}
        self.ready = (*public_routes, *(resource for pair in private_routes for resource in pair))

    def _public_subnet(self, vpc: aws.ec2.Vpc, zone: str, ranges: ZoneRanges) -> aws.ec2.Subnet:
        """Make a zone's subnet for load balancers and NAT gateways; no instance gets a public address by itself."""
        return aws.ec2.Subnet(
            f"{self._name}-public-{zone}",
            vpc_id=vpc.id,
            availability_zone=zone,
            cidr_block=ranges.public,
            map_public_ip_on_launch=False,
            # By this tag the controller for load balancers finds its subnets.
            tags={**self._named(f"public-{zone}"), "kubernetes.io/role/elb": "1"},
            opts=self._opts(),
        )

    def _private_subnet(self, vpc: aws.ec2.Vpc, zone: str, ranges: ZoneRanges) -> aws.ec2.Subnet:
        return aws.ec2.Subnet(
            f"{self._name}-private-{zone}",
            vpc_id=vpc.id,
            availability_zone=zone,
            cidr_block=ranges.private,
            tags={**self._named(f"private-{zone}"), "kubernetes.io/role/internal-elb": "1"},
            opts=self._opts(),
        )

    def _public_routes(
        self, vpc: aws.ec2.Vpc, gateway: aws.ec2.InternetGateway, subnets: Mapping[str, aws.ec2.Subnet]
    ) -> list[pulumi.Resource]:
        table = aws.ec2.RouteTable(f"{self._name}-public", vpc_id=vpc.id, tags=self._named("public"), opts=self._opts())
        route = aws.ec2.Route(
            f"{self._name}-public",
            route_table_id=table.id,
            destination_cidr_block=ANYWHERE,
            gateway_id=gateway.id,
            opts=self._opts(),
        )
        return [route, *(self._association(f"public-{zone}", table, subnet) for zone, subnet in subnets.items())]

    def _private_table(self, vpc: aws.ec2.Vpc, zone: str) -> aws.ec2.RouteTable:
        """Make a zone's own route table, also where all share one gateway: another kind of NAT changes routes alone."""
        return aws.ec2.RouteTable(
            f"{self._name}-private-{zone}", vpc_id=vpc.id, tags=self._named(f"private-{zone}"), opts=self._opts()
        )

    def _way_out(
        self, zone: str, table: aws.ec2.RouteTable, subnet: aws.ec2.Subnet, nat: aws.ec2.NatGateway
    ) -> tuple[pulumi.Resource, pulumi.Resource]:
        route = aws.ec2.Route(
            f"{self._name}-private-{zone}",
            route_table_id=table.id,
            destination_cidr_block=ANYWHERE,
            nat_gateway_id=nat.id,
            opts=self._opts(),
        )
        return route, self._association(f"private-{zone}", table, subnet)

    def _way_to_s3(self, vpc: aws.ec2.Vpc, tables: Mapping[str, aws.ec2.RouteTable]) -> None:
        endpoint = aws.ec2.VpcEndpoint(
            f"{self._name}-s3",
            vpc_id=vpc.id,
            service_name=f"com.amazonaws.{self._args.region}.s3",
            vpc_endpoint_type="Gateway",
            tags=self._named("s3"),
            opts=self._opts(),
        )
        for zone, table in tables.items():
            aws.ec2.VpcEndpointRouteTableAssociation(
                f"{self._name}-s3-{zone}", vpc_endpoint_id=endpoint.id, route_table_id=table.id, opts=self._opts()
            )

    def _association(
        self, what: str, table: aws.ec2.RouteTable, subnet: aws.ec2.Subnet
    ) -> aws.ec2.RouteTableAssociation:
        return aws.ec2.RouteTableAssociation(
            f"{self._name}-{what}", subnet_id=subnet.id, route_table_id=table.id, opts=self._opts()
        )

    def _nat_gateways(
        self, vpc: aws.ec2.Vpc, gateway: aws.ec2.InternetGateway, public: Mapping[str, aws.ec2.Subnet]
    ) -> Mapping[str, aws.ec2.NatGateway]:
        """Make the NAT gateways; return zone -> the one that its private subnet uses."""
        # AWS refuses a public NAT gateway in a VPC without an internet gateway, and to take that away before.
        opts = self._opts(depends_on=[gateway])
        kind = self._args.settings.nat
        if kind == "regional":
            nat = aws.ec2.NatGateway(
                f"{self._name}-nat-regional",
                availability_mode="regional",
                vpc_id=vpc.id,
                tags=self._named("nat"),
                opts=opts,
            )
            return dict.fromkeys(public, nat)
        zones = list(public) if kind == "per-zone" else list(public)[:1]
        made = {zone: self._nat_gateway(zone, public[zone], opts) for zone in zones}
        return {zone: made.get(zone, made[zones[0]]) for zone in public}

    def _nat_gateway(self, zone: str, subnet: aws.ec2.Subnet, opts: pulumi.ResourceOptions) -> aws.ec2.NatGateway:
        address = aws.ec2.Eip(f"{self._name}-nat-{zone}", domain="vpc", tags=self._named(f"nat-{zone}"), opts=opts)
        return aws.ec2.NatGateway(
            f"{self._name}-nat-{zone}",
            allocation_id=address.id,
            subnet_id=subnet.id,
            tags=self._named(f"nat-{zone}"),
            opts=opts,
        )

    def _named(self, what: str) -> dict[str, str]:
        """Return the tag that AWS's own pages show as the name."""
        return {"Name": f"{self._args.cluster_name}-{what}"}

    def _opts(self, *, depends_on: Sequence[pulumi.Resource] = ()) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(depends_on))
