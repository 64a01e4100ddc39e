"""Virtual networks, subnets, NAT gateways, public addresses."""

from __future__ import annotations

from typing import Any

from qhub.rehearsal.clouds.azure.tokens import (
    ADDRESS,
    CLUSTER,
    NAT,
    NETWORK,
    POOL,
    SUBNET,
    id_in_group,
    in_group,
    location,
    name,
    tags,
)
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.clouds.rules import (
    Problems,
    address_range,
    between,
    no_overlap,
    not_used_by,
    one_of,
    parse_range,
    refers_to,
)
from qhub.rehearsal.clouds.subject import Subject
from qhub.rehearsal.clouds.world import Record

_NAME = r"[A-Za-z0-9]([\w.-]{0,78}\w)?"
_EXPECTED = "1 to 80 of letters, digits, _ . -, a letter or digit first, no . or - last"


def network_of(subject: Subject) -> Record | None:
    """Return the virtual network that a subnet names."""
    group, wanted = subject.get("resourceGroupName"), subject.get("virtualNetworkName")
    return subject.one(NETWORK, resourceGroupName=group, name=wanted)


def _is_in_its_network(subject: Subject) -> Problems:
    network = network_of(subject)
    if network is None:
        yield "virtualNetworkName", f"there is no virtual network {subject.get('virtualNetworkName')!r} in the group"
        return
    homes = network.each("addressSpace.addressPrefixes[*]")
    for path in ("addressPrefix", "addressPrefixes[*]"):
        for place, text in subject.each(path):
            inner = parse_range(text)
            ranges = [home for one in homes if (home := parse_range(one)) is not None]
            if inner is not None and not any(inner.subnet_of(home) for home in ranges):
                yield place, f"{text} is not inside {', '.join(map(str, homes))} of {network.get('name')}"


def _stays_while_in_use(subject: Subject) -> Problems:
    users = [*subject.all(POOL, vnetSubnetID=subject.id), *_clusters_on(subject)]
    if subject.changed("addressPrefix") and users:
        yield "addressPrefix", f'cannot be changed while "{users[0].name}" uses the subnet (InUsePrefixCannotBeDeleted)'


def _clusters_on(subject: Subject) -> list[Record]:
    return [one for one in subject.all(CLUSTER) if subject.id in one.each("agentPoolProfiles[*].vnetSubnetID")]


def _gateway_is_here(subject: Subject) -> Problems:
    gateway, network = subject.find(NAT, subject.get("natGateway.id")), network_of(subject)
    if gateway is not None and network is not None and gateway.get("location") != network.get("location"):
        yield "natGateway.id", f"is in {gateway.get('location')}, the network in {network.get('location')}"


def _has_addresses(subject: Subject) -> Problems:
    if not subject.given("addressPrefix") and not subject.given("addressPrefixes"):
        yield "addressPrefix", "is required, or addressPrefixes"


def _standard_is_static(subject: Subject) -> Problems:
    if subject.get("sku.name") == "Standard" and subject.get("publicIPAllocationMethod", "Dynamic") != "Static":
        yield "publicIPAllocationMethod", "an address of the Standard SKU must be Static"


def _addresses_fit(subject: Subject) -> Problems:
    for place, wanted in subject.each("publicIpAddresses[*].id"):
        address = subject.find(ADDRESS, wanted)
        if address is None:
            yield place, f"there is no public address {wanted!r} in the simulated cloud"
            continue
        if address.get("sku.name") != "Standard":
            yield place, "a NAT gateway takes addresses of the Standard SKU"
        for other in subject.all(NAT):
            if wanted in other.each("publicIpAddresses[*].id"):
                yield place, f"{other.get('name')} uses the address already"


def _named(path: str, kind: str) -> Any:
    """Return the function for outputs of a type whose name is the input at `path`."""
    return lambda subject: {
        "name": subject.inputs[path],
        "type": f"Microsoft.Network/{kind}",
        "provisioningState": "Succeeded",
        "etag": f'W/"{subject.uuid("etag")}"',
    }


def _address_outputs(subject: Subject) -> dict[str, Any]:
    # 20.0.0.0/8 is one of the ranges that Azure hands addresses out of; nothing here ever dials one.
    parts = [int(subject.hex(2, f"byte {place}"), 16) for place in range(3)]
    made = f"20.{'.'.join(str(part % 254 + 1) for part in parts)}"
    return {**_named("publicIpAddressName", "publicIPAddresses")(subject), "ipAddress": made}


NETWORK_TYPE = ResourceType(
    token=NETWORK,
    create_seconds=5,
    delete_seconds=12,
    autoname=AutoName(property="virtualNetworkName", separator="", digits=8),
    replaced_by=("virtualNetworkName", "resourceGroupName", "location"),
    id=lambda subject: id_in_group(subject, "Microsoft.Network/virtualNetworks", subject.inputs["virtualNetworkName"]),
    outputs=_named("virtualNetworkName", "virtualNetworks"),
    checks=(
        name("virtualNetworkName", r"[A-Za-z0-9][\w.-]{0,62}\w", "2 to 64 of letters, digits, _ . -"),
        location(),
        tags(),
        address_range("addressSpace.addressPrefixes[*]", largest=8, smallest=29),
    ),
    conditions=(in_group,),
    before_delete=(not_used_by(SUBNET, "virtualNetworkName", by="name"),),
)

SUBNET_TYPE = ResourceType(
    token=SUBNET,
    create_seconds=5,
    update_seconds=5,
    delete_seconds=11,
    autoname=AutoName(property="subnetName", separator="", digits=8),
    replaced_by=("subnetName", "virtualNetworkName", "resourceGroupName"),
    id=lambda subject: id_in_group(
        subject,
        "Microsoft.Network/virtualNetworks",
        subject.inputs["virtualNetworkName"],
        "subnets",
        subject.inputs["subnetName"],
    ),
    outputs=_named("subnetName", "virtualNetworks/subnets"),
    checks=(
        name("subnetName", _NAME, _EXPECTED),
        address_range("addressPrefix", largest=8, smallest=29),
        address_range("addressPrefixes[*]", largest=8, smallest=29),
        _has_addresses,
    ),
    conditions=(
        in_group,
        _is_in_its_network,
        no_overlap("addressPrefix", SUBNET, same=("resourceGroupName", "virtualNetworkName")),
        refers_to("natGateway.id", NAT),
        _gateway_is_here,
        _stays_while_in_use,
    ),
    before_delete=(
        not_used_by(CLUSTER, "agentPoolProfiles[*].vnetSubnetID"),
        not_used_by(POOL, "vnetSubnetID"),
    ),
)

NAT_TYPE = ResourceType(
    token=NAT,
    create_seconds=12,
    delete_seconds=12,
    autoname=AutoName(property="natGatewayName", separator="", digits=8),
    replaced_by=("natGatewayName", "resourceGroupName", "location", "zones", "sku.name"),
    id=lambda subject: id_in_group(subject, "Microsoft.Network/natGateways", subject.inputs["natGatewayName"]),
    outputs=_named("natGatewayName", "natGateways"),
    checks=(
        name("natGatewayName", _NAME, _EXPECTED),
        location(),
        tags(),
        one_of("sku.name", ("Standard", "StandardV2"), "a SKU of NAT gateways"),
        between("idleTimeoutInMinutes", 4, 120),
    ),
    conditions=(in_group, _addresses_fit),
    before_delete=(not_used_by(SUBNET, "natGateway.id"),),
)

ADDRESS_TYPE = ResourceType(
    token=ADDRESS,
    create_seconds=4,
    delete_seconds=11,
    autoname=AutoName(property="publicIpAddressName", separator="", digits=8),
    replaced_by=("publicIpAddressName", "resourceGroupName", "location", "zones", "sku.name"),
    defaults={"publicIPAddressVersion": "IPv4"},
    id=lambda subject: id_in_group(
        subject, "Microsoft.Network/publicIPAddresses", subject.inputs["publicIpAddressName"]
    ),
    outputs=_address_outputs,
    checks=(
        name("publicIpAddressName", _NAME, _EXPECTED),
        location(),
        tags(),
        one_of("sku.name", ("Basic", "Standard", "StandardV2"), "a SKU of public addresses"),
        one_of("publicIPAllocationMethod", ("Static", "Dynamic"), "an allocation method"),
        _standard_is_static,
    ),
    conditions=(in_group,),
    before_delete=(not_used_by(NAT, "publicIpAddresses[*].id"),),
)
