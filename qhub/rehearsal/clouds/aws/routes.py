"""Ways out of a VPC: addresses, NAT gateways, route tables, endpoints."""

from __future__ import annotations

from typing import Any

from qhub.rehearsal.clouds.aws.tokens import (
    ACCOUNT,
    EIP,
    INTERNET_GATEWAY,
    NAT_GATEWAY,
    ROUTE,
    ROUTE_TABLE,
    ROUTE_TABLE_ASSOCIATION,
    SUBNET,
    VPC,
    VPC_ENDPOINT,
    VPC_ENDPOINT_ASSOCIATION,
    arn,
    id_of,
    region_of,
    tags_check,
)
from qhub.rehearsal.clouds.resource import ResourceType
from qhub.rehearsal.clouds.rules import (
    Problems,
    address_range,
    exactly_one_of,
    not_used_by,
    one_of,
    parse_range,
    refers_to,
)
from qhub.rehearsal.clouds.subject import Subject

ANYWHERE = "0.0.0.0/0"
#: In a region of a new account ("Elastic IP addresses", quotas).
MOST_ADDRESSES = 5
_TARGETS = ("gatewayId", "natGatewayId", "vpcEndpointId", "transitGatewayId", "networkInterfaceId")


def has_way_out(subject: Subject, subnet_id: str) -> bool:
    """Say whether a subnet reaches the internet: its route table has a route out. One that was given is believed."""
    subnet = subject.find(SUBNET, subnet_id)
    if subnet is not None and subnet.given:
        return True
    tables = {one.get("routeTableId") for one in subject.all(ROUTE_TABLE_ASSOCIATION, subnetId=subnet_id)}
    out = [one for one in subject.all(ROUTE, destinationCidrBlock=ANYWHERE) if one.get("routeTableId") in tables]
    return any(one.ready and (one.get("natGatewayId") or one.get("gatewayId")) for one in out)


def _address_quota(subject: Subject) -> Problems:
    if subject.old_inputs is None and len(subject.all(EIP)) >= MOST_ADDRESSES:
        yield "", f"AddressLimitExceeded: a region has {MOST_ADDRESSES} Elastic IPs, unless AWS raises the quota"


def _nat_has_what_its_kind_needs(subject: Subject) -> Problems:
    if subject.get("availabilityMode") == "regional":
        for path in ("subnetId", "allocationId"):
            if subject.given(path):
                yield path, "a regional NAT gateway takes none: it is in every zone of its VPC"
        if not subject.given("vpcId"):
            yield "vpcId", "is required for a regional NAT gateway"
        return
    needs = ["subnetId"] if subject.get("connectivityType") == "private" else ["subnetId", "allocationId"]
    for path in needs:
        if not subject.given(path):
            yield path, "is required for a NAT gateway in a zone"


def _vpc_reaches_the_internet(subject: Subject) -> Problems:
    subnet = subject.find(SUBNET, subject.get("subnetId"))
    vpc = subject.get("vpcId") or (subnet.get("vpcId") if subnet else None)
    if not subject.all(INTERNET_GATEWAY, vpcId=vpc):
        yield "", f"Network {vpc} has no Internet gateway attached: it must be there first"


def _address_is_free(subject: Subject) -> Problems:
    wanted = subject.get("allocationId")
    for other in subject.all(NAT_GATEWAY, allocationId=wanted) if wanted else ():
        yield "allocationId", f'the address is that of NAT gateway "{other.name}"'


def _route_is_new(subject: Subject) -> Problems:
    table, to = subject.get("routeTableId"), subject.get("destinationCidrBlock")
    for other in subject.all(ROUTE, routeTableId=table, destinationCidrBlock=to):
        yield "destinationCidrBlock", f'RouteAlreadyExists: "{other.name}" is a route to {to}'


def _subnet_has_one_table(subject: Subject) -> Problems:
    for other in subject.all(ROUTE_TABLE_ASSOCIATION, subnetId=subject.get("subnetId")):
        yield "subnetId", f'Resource.AlreadyAssociated: the subnet has a route table by "{other.name}"'


def _same_vpc(subject: Subject) -> Problems:
    subnet = subject.find(SUBNET, subject.get("subnetId"))
    table = subject.find(ROUTE_TABLE, subject.get("routeTableId"))
    if subnet and table and subnet.get("vpcId") != table.get("vpcId"):
        yield "routeTableId", f'route table "{table.name}" and subnet "{subnet.name}" are in different VPCs'


def _service_is_of_the_region(subject: Subject) -> Problems:
    name, region = subject.get("serviceName"), region_of(subject)
    if name is not None and f".{region}." not in str(name):
        yield "serviceName", f"InvalidServiceName: {name} is not a service in {region}"


def _address_outputs(subject: Subject) -> dict[str, Any]:
    # Of a range for documentation (RFC 5737): nothing answers there.
    address = f"203.0.113.{int(subject.hex(4, 'address'), 16) % 254 + 1}"
    return {"allocationId": subject.id, "publicIp": address, "arn": arn(subject, "ec2", f"elastic-ip/{subject.id}")}


def _nat_outputs(subject: Subject) -> dict[str, Any]:
    address = subject.find(EIP, subject.get("allocationId"))
    subnet = subject.find(SUBNET, subject.get("subnetId"))
    home = parse_range(subnet.get("cidrBlock")) if subnet else None
    return {
        **({"publicIp": address.get("publicIp")} if address else {}),
        **({"privateIp": str(home[10])} if home else {}),
        "networkInterfaceId": f"eni-{subject.hex(17, 'interface')}",
    }


ROUTE_TYPES = (
    ResourceType(
        token=EIP,
        create_seconds=2,
        delete_seconds=2,
        id=id_of("eipalloc"),
        replaced_by=("domain", "address", "networkBorderGroup", "publicIpv4Pool"),
        outputs=_address_outputs,
        checks=(one_of("domain", ("vpc", "standard"), "a domain of addresses"), tags_check()),
        conditions=(_address_quota,),
        before_delete=(not_used_by(NAT_GATEWAY, "allocationId"),),
    ),
    ResourceType(
        token=NAT_GATEWAY,
        # One and a half to two minutes, and one to be gone.
        create_seconds=110,
        delete_seconds=60,
        id=id_of("nat"),
        replaced_by=("subnetId", "allocationId", "connectivityType", "availabilityMode", "privateIp", "vpcId"),
        defaults={"connectivityType": "public", "availabilityMode": "zonal"},
        outputs=_nat_outputs,
        checks=(
            one_of("availabilityMode", ("zonal", "regional"), "a mode"),
            one_of("connectivityType", ("public", "private"), "a kind of connection"),
            _nat_has_what_its_kind_needs,
            tags_check(),
        ),
        conditions=(
            refers_to("subnetId", SUBNET),
            refers_to("allocationId", EIP),
            refers_to("vpcId", VPC),
            _vpc_reaches_the_internet,
            _address_is_free,
        ),
    ),
    ResourceType(
        token=ROUTE_TABLE,
        create_seconds=2,
        delete_seconds=2,
        id=id_of("rtb"),
        replaced_by=("vpcId",),
        outputs=lambda subject: {"arn": arn(subject, "ec2", f"route-table/{subject.id}"), "ownerId": ACCOUNT},
        checks=(tags_check(),),
        conditions=(refers_to("vpcId", VPC),),
        before_delete=(not_used_by(ROUTE_TABLE_ASSOCIATION, "routeTableId"),),
    ),
    ResourceType(
        token=ROUTE,
        create_seconds=2,
        delete_seconds=2,
        id=lambda subject: f"r-{subject.inputs['routeTableId']}{subject.digits(10)}",
        replaced_by=("routeTableId", "destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"),
        outputs=lambda subject: {"state": "active", "origin": "CreateRoute"},
        checks=(address_range("destinationCidrBlock", largest=0, smallest=32), exactly_one_of(*_TARGETS)),
        conditions=(
            refers_to("routeTableId", ROUTE_TABLE),
            refers_to("natGatewayId", NAT_GATEWAY),
            refers_to("gatewayId", INTERNET_GATEWAY),
            _route_is_new,
        ),
    ),
    ResourceType(
        token=ROUTE_TABLE_ASSOCIATION,
        create_seconds=2,
        delete_seconds=2,
        id=id_of("rtbassoc"),
        replaced_by=("subnetId", "gatewayId"),
        checks=(exactly_one_of("subnetId", "gatewayId"),),
        conditions=(
            refers_to("subnetId", SUBNET),
            refers_to("routeTableId", ROUTE_TABLE),
            _subnet_has_one_table,
            _same_vpc,
        ),
    ),
    ResourceType(
        token=VPC_ENDPOINT,
        create_seconds=10,
        delete_seconds=10,
        id=id_of("vpce"),
        replaced_by=("vpcId", "serviceName", "vpcEndpointType"),
        defaults={"vpcEndpointType": "Gateway"},
        outputs=lambda subject: {
            "arn": arn(subject, "ec2", f"vpc-endpoint/{subject.id}"),
            "ownerId": ACCOUNT,
            "state": "available",
            "prefixListId": f"pl-{subject.hex(8, 'prefix list')}",
        },
        checks=(
            one_of("vpcEndpointType", ("Gateway", "Interface", "GatewayLoadBalancer"), "a type of endpoint"),
            _service_is_of_the_region,
            tags_check(),
        ),
        conditions=(refers_to("vpcId", VPC), refers_to("routeTableIds[*]", ROUTE_TABLE)),
    ),
    ResourceType(
        token=VPC_ENDPOINT_ASSOCIATION,
        create_seconds=2,
        delete_seconds=2,
        id=lambda subject: f"a-{subject.hex(12)}",
        replaced_by=("vpcEndpointId", "routeTableId"),
        unique=("vpcEndpointId", "routeTableId"),
        conditions=(refers_to("vpcEndpointId", VPC_ENDPOINT), refers_to("routeTableId", ROUTE_TABLE)),
    ),
)
