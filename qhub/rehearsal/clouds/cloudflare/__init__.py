"""The simulated Cloudflare, as far as names go: zones that are there already, and records in them.

What is replaced and what is refused follows terraform-provider-cloudflare 5, from which pulumi-cloudflare 6 is
generated, and Cloudflare's own documents.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from qhub.rehearsal.clouds.names import RECORD_TYPES, addresses_fit, lies_in
from qhub.rehearsal.clouds.resource import Call, CloudDefinition, Given, ResourceType
from qhub.rehearsal.clouds.rules import Problems, matches, one_of, refers_to
from qhub.rehearsal.clouds.subject import Subject

ZONE = "cloudflare:index/zone:Zone"
RECORD = "cloudflare:index/dnsRecord:DnsRecord"
GET_ZONE = "cloudflare:index/getZone:getZone"
#: When things in the simulated cloud were made: a date that is always the same shows no difference.
CREATED = "2026-01-01T00:00:00Z"
#: Seconds; and 1, which is "automatic".
SHORTEST, LONGEST = 60, 86_400


def _given_zone(section: Any, dns: Any) -> Iterator[Given]:
    if dns.provider == "cloudflare":
        id_ = hashlib.sha256(dns.zone.encode()).hexdigest()[:32]
        yield Given(token=ZONE, id=id_, outputs={"name": dns.zone})


def get_zone(call: Call) -> dict[str, Any]:
    """Answer `getZone`.

    Raises:
        Refused: the token sees no such zone.
    """
    wanted = (call.arguments.get("filter") or {}).get("name")
    found = call.subject.one(ZONE, name=wanted)
    if found is None:
        raise call.subject.refuse("filter.name", f"no zone of this token is called {wanted}")
    return {"id": found.id, "zoneId": found.id, "name": wanted, "status": "active"}


def _name_is_in_the_zone(subject: Subject) -> Problems:
    zone, name = subject.find(ZONE, subject.get("zoneId")), str(subject.get("name"))
    if zone is not None and name != "@" and not lies_in(name, str(zone.get("name"))):
        yield "name", f"{name} is not in zone {zone.get('name')}: Cloudflare would add that to it"


def _time_is_possible(subject: Subject) -> Problems:
    ttl = subject.get("ttl")
    if ttl is not None and ttl != 1 and not SHORTEST <= ttl <= LONGEST:
        yield "ttl", f"{ttl:g} must be 1 (automatic), or between {SHORTEST} and {LONGEST}"


RECORD_TYPE = ResourceType(
    token=RECORD,
    create_seconds=2,
    update_seconds=2,
    delete_seconds=2,
    replaced_by=("zoneId",),
    unique=("zoneId", "name", "type", "content"),
    defaults={"proxied": False},
    id=lambda subject: subject.hex(32),
    outputs=lambda subject: {"createdOn": CREATED, "modifiedOn": CREATED, "proxiable": True},
    checks=(
        matches("name", r"@|(\*\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", "a whole name, or @ for the zone's own"),
        one_of("type", RECORD_TYPES, "a type of record"),
        addresses_fit("content"),
        _time_is_possible,
    ),
    conditions=(refers_to("zoneId", ZONE), _name_is_in_the_zone),
)

CLOUD = CloudDefinition(
    package="cloudflare",
    sdk="pulumi_cloudflare",
    resources=(RECORD_TYPE,),
    functions={GET_ZONE: get_zone},
    zone=_given_zone,
)
