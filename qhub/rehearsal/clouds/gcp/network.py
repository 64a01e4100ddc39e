"""VPC networks, subnetworks, and the way out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qhub.rehearsal.clouds.gcp.tokens import (
    CLUSTER,
    CREATED,
    FILESTORE,
    NAT,
    NETWORK,
    ROUTER,
    SUBNETWORK,
    compute_name,
    project,
    region,
    region_of,
    service_is_on,
)
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.clouds.rules import (
    Problems,
    address_range,
    between,
    matches,
    no_overlap,
    not_used_by,
    one_of,
    parse_range,
    refers_to,
)
from qhub.rehearsal.clouds.subject import Subject

_SECONDARY = "secondaryIpRanges[*].ipCidrRange"
_RANGES = ("ipCidrRange", _SECONDARY)
_PREFIX = "https://www.googleapis.com/compute/v1/"


def _regional(kind: str, subject: Subject) -> str:
    return f"projects/{project(subject)}/regions/{region_of(subject)}/{kind}/{subject.inputs['name']}"


def _network_id(subject: Subject) -> str:
    return f"projects/{project(subject)}/global/networks/{subject.inputs['name']}"


def _network_outputs(subject: Subject) -> dict[str, Any]:
    number = subject.digits(19)
    return {
        "project": project(subject),
        "selfLink": f"{_PREFIX}{subject.id}",
        "numericId": number,
        "networkId": number,
        "gatewayIpv4": "",
    }


def _subnetwork_outputs(subject: Subject) -> dict[str, Any]:
    own = parse_range(subject.inputs["ipCidrRange"])
    return {
        "project": project(subject),
        "region": region_of(subject),
        "selfLink": f"{_PREFIX}{subject.id}",
        "gatewayAddress": str(own.network_address + 1) if own else "",
        "creationTimestamp": CREATED,
        "fingerprint": subject.hex(12, "fingerprint"),
    }


def _own_ranges_are_apart(subject: Subject) -> Problems:
    seen: list[tuple[str, Any]] = []
    for path in _RANGES:
        for place, text in subject.each(path):
            own = parse_range(text)
            for before, other in seen:
                if own is not None and own.overlaps(other):
                    yield place, f"{own} overlaps {other} of {before}"
            if own is not None:
                seen.append((place, own))
    names = [name for _, name in subject.each("secondaryIpRanges[*].rangeName")]
    for name in {name for name in names if names.count(name) > 1}:
        yield "secondaryIpRanges", f"two ranges are called {name}"


def _narrowed(subject: Subject) -> Iterator[str]:
    """The primary range can be made wider in place; anything else is another subnetwork."""
    before, after = parse_range((subject.old_inputs or {}).get("ipCidrRange")), parse_range(subject.get("ipCidrRange"))
    if before is not None and after is not None and not before.subnet_of(after):
        yield "ipCidrRange"


def _ranges_in_use_stay(subject: Subject) -> Problems:
    """A secondary range that a cluster has its pods or Services in can neither go nor change."""
    if subject.old_inputs is None:
        return
    now = {one["rangeName"]: one["ipCidrRange"] for one in subject.get("secondaryIpRanges") or ()}
    for one in subject.old_inputs.get("secondaryIpRanges") or ():
        for cluster in subject.all(CLUSTER, subnetwork=subject.inputs["name"]):
            used = cluster.each("ipAllocationPolicy.*")
            if one["rangeName"] in used and now.get(one["rangeName"]) != one["ipCidrRange"]:
                yield "secondaryIpRanges", f'{one["rangeName"]} is used by cluster "{cluster.name}" and cannot change'


def _ports_fit(subject: Subject) -> Problems:
    dynamic = subject.get("enableDynamicPortAllocation", False)
    if dynamic and subject.get("enableEndpointIndependentMapping", True):
        yield "enableEndpointIndependentMapping", "must be false with enableDynamicPortAllocation"
    if not dynamic and subject.given("maxPortsPerVm"):
        yield "maxPortsPerVm", "only has a meaning with enableDynamicPortAllocation"
    for path in ("minPortsPerVm", "maxPortsPerVm"):
        ports = subject.get(path)
        if dynamic and isinstance(ports, int) and ports & (ports - 1):
            yield path, f"{ports} must be a power of 2 with enableDynamicPortAllocation"


NETWORK_TYPE = ResourceType(
    token=NETWORK,
    create_seconds=13,
    update_seconds=10,
    delete_seconds=22,
    autoname=AutoName(),
    replaced_by=("name", "project", "autoCreateSubnetworks", "description", "enableUlaInternalIpv6"),
    defaults={"autoCreateSubnetworks": True, "routingMode": "REGIONAL"},
    id=_network_id,
    outputs=_network_outputs,
    checks=(compute_name(), one_of("routingMode", ("REGIONAL", "GLOBAL")), between("mtu", 1300, 8896)),
    conditions=(service_is_on("compute"),),
    before_delete=(
        not_used_by(SUBNETWORK, "network"),
        not_used_by(ROUTER, "network"),
        # By a peering that Filestore has with it.
        not_used_by(FILESTORE, "networks[*].network", by="name"),
    ),
)

SUBNETWORK_TYPE = ResourceType(
    token=SUBNETWORK,
    create_seconds=14,
    update_seconds=12,
    delete_seconds=14,
    autoname=AutoName(),
    replaced_by=("name", "project", "region", "network", "purpose", "description"),
    replaces=_narrowed,
    defaults={"purpose": "PRIVATE", "stackType": "IPV4_ONLY"},
    id=lambda subject: _regional("subnetworks", subject),
    outputs=_subnetwork_outputs,
    checks=(
        compute_name(),
        region(),
        address_range("ipCidrRange", largest=4, smallest=29),
        address_range(_SECONDARY, largest=4, smallest=29),
        compute_name("secondaryIpRanges[*].rangeName"),
        _own_ranges_are_apart,
    ),
    conditions=(
        refers_to("network", NETWORK),
        no_overlap("ipCidrRange", SUBNETWORK, same=("network",), of=_RANGES),
        no_overlap(_SECONDARY, SUBNETWORK, same=("network",), of=_RANGES),
        _ranges_in_use_stay,
    ),
    before_delete=(not_used_by(CLUSTER, "subnetwork", by="name"),),
)

ROUTER_TYPE = ResourceType(
    token=ROUTER,
    create_seconds=12,
    update_seconds=12,
    delete_seconds=12,
    autoname=AutoName(),
    replaced_by=("name", "project", "region", "network", "encryptedInterconnectRouter"),
    id=lambda subject: _regional("routers", subject),
    outputs=lambda subject: {
        "project": project(subject),
        "region": region_of(subject),
        "selfLink": f"{_PREFIX}{subject.id}",
        "creationTimestamp": CREATED,
    },
    checks=(compute_name(), region()),
    conditions=(refers_to("network", NETWORK),),
    before_delete=(not_used_by(NAT, "router", by="name"),),
)

NAT_TYPE = ResourceType(
    token=NAT,
    create_seconds=14,
    update_seconds=12,
    delete_seconds=14,
    autoname=AutoName(),
    replaced_by=("name", "project", "region", "router", "type", "endpointTypes"),
    defaults={"type": "PUBLIC"},
    id=lambda subject: f"{project(subject)}/{region_of(subject)}/{subject.inputs['router']}/{subject.inputs['name']}",
    outputs=lambda subject: {"project": project(subject), "region": region_of(subject)},
    checks=(
        compute_name(),
        region(),
        one_of("natIpAllocateOption", ("AUTO_ONLY", "MANUAL_ONLY")),
        one_of(
            "sourceSubnetworkIpRangesToNat",
            ("ALL_SUBNETWORKS_ALL_IP_RANGES", "ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES", "LIST_OF_SUBNETWORKS"),
        ),
        one_of("logConfig.filter", ("ERRORS_ONLY", "TRANSLATIONS_ONLY", "ALL")),
        matches("router", r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", "the name of a router"),
        _ports_fit,
    ),
    conditions=(refers_to("router", ROUTER, by="name"),),
)
