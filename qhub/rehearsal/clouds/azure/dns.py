"""Zones that are there already, and records in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qhub.rehearsal.clouds.azure.tokens import (
    GROUP,
    RECORD_SET,
    SUBSCRIPTION,
    ZONE,
    group_id,
    id_in_group,
    in_group,
    name,
)
from qhub.rehearsal.clouds.names import addresses_fit, not_named_twice
from qhub.rehearsal.clouds.resource import Call, Given, ResourceType
from qhub.rehearsal.clouds.rules import Problems, between, one_of
from qhub.rehearsal.clouds.subject import Subject

GET_ZONE = "azure-native:dns:getZone"
_ZONES = "Microsoft.Network/dnszones"
#: learn.microsoft.com/azure/dns/dns-zones-records.
_TYPES = ("A", "AAAA", "CAA", "CNAME", "DS", "MX", "NAPTR", "NS", "PTR", "SOA", "SRV", "TLSA", "TXT")


def given_zone(section: Any, dns: Any) -> Iterator[Given]:
    """Yield the zone that the settings name, and its resource group."""
    if dns.provider == "azure-dns":
        group = f"/subscriptions/{section.subscription_id or SUBSCRIPTION}/resourceGroups/{dns.resource_group}"
        yield Given(token=GROUP, id=group, outputs={"name": dns.resource_group, "location": section.region})
        yield Given(token=ZONE, id=f"{group}/providers/{_ZONES}/{dns.zone}", outputs={"name": dns.zone})


def get_zone(call: Call) -> dict[str, Any]:
    """Answer `getZone`.

    Raises:
        Refused: there is no such zone in the resource group.
    """
    # A call has no provider of its own: the subscription is the one that it was configured with.
    call.subject.configuration = call.configuration
    wanted, group = call.arguments.get("zoneName"), call.arguments.get("resourceGroupName")
    id_ = f"{group_id(call.subject, str(group))}/providers/{_ZONES}/{wanted}"
    if call.subject.find(ZONE, id_) is None:
        raise call.subject.refuse(
            "zoneName", f"the resource {_ZONES}/{wanted} under resource group {group} was not found"
        )
    return {"id": id_, "name": wanted, "location": "global", "type": _ZONES, "zoneType": "Public"}


def _zone_is_there(subject: Subject) -> Problems:
    if subject.find(ZONE, id_in_group(subject, _ZONES, str(subject.get("zoneName")))) is None:
        yield "zoneName", f"zone {subject.get('zoneName')!r} could not be found (ParentResourceNotFound)"


def _is_no_alias_of_its_zone(subject: Subject) -> Problems:
    if subject.get("recordType") == "CNAME" and subject.get("relativeRecordSetName") == "@":
        yield "recordType", "a zone's own name cannot have a record of type CNAME"


def _outputs(subject: Subject) -> dict[str, Any]:
    relative, zone = subject.inputs["relativeRecordSetName"], subject.inputs["zoneName"]
    return {
        "name": relative,
        "type": f"{_ZONES}/{subject.inputs['recordType']}",
        "fqdn": f"{zone}." if relative == "@" else f"{relative}.{zone}.",
        "provisioningState": "Succeeded",
    }


RECORD_SET_TYPE = ResourceType(
    token=RECORD_SET,
    create_seconds=3,
    update_seconds=3,
    delete_seconds=3,
    replaced_by=("resourceGroupName", "zoneName", "recordType", "relativeRecordSetName"),
    id=lambda subject: id_in_group(
        subject,
        _ZONES,
        subject.inputs["zoneName"],
        subject.inputs["recordType"],
        subject.inputs["relativeRecordSetName"],
    ),
    unique=("resourceGroupName", "zoneName", "recordType", "relativeRecordSetName"),
    outputs=_outputs,
    checks=(
        name("relativeRecordSetName", r"@|\*|(\*\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", "a name, or @"),
        one_of("recordType", _TYPES, "a type of record"),
        between("ttl", 1, 2**31 - 1),
        addresses_fit("aRecords[*].ipv4Address", type_path="recordType"),
        not_named_twice("relativeRecordSetName", "zoneName"),
        _is_no_alias_of_its_zone,
    ),
    conditions=(in_group, _zone_is_there),
)
