"""Hosted zones that are there already, and records in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from qhub.rehearsal.clouds.aws.tokens import RECORD, ZONE, region_of
from qhub.rehearsal.clouds.names import RECORD_TYPES, addresses_fit, lies_in
from qhub.rehearsal.clouds.resource import Call, Given, ResourceType
from qhub.rehearsal.clouds.rules import Problems, exactly_one_of, matches, one_of, refers_to
from qhub.rehearsal.clouds.subject import Subject

GET_ZONE = "aws:route53/getZone:getZone"
GET_BALANCER_ZONE = "aws:lb/getHostedZoneId:getHostedZoneId"
_ARN = ":route53:::hostedzone/"


def given_zone(section: Any, dns: Any) -> Iterator[Given]:
    """Yield the zone that the settings name."""
    if dns.provider == "route53":
        outputs = {"zoneId": _zone_id(dns.zone), "name": dns.zone, "privateZone": False}
        yield Given(token=ZONE, id=_zone_id(dns.zone), outputs=outputs)


def get_zone(call: Call) -> dict[str, Any]:
    """Answer `getZone`.

    Raises:
        Refused: no zone of the account is called so.
    """
    wanted = {"name": call.arguments.get("name"), "privateZone": bool(call.arguments.get("privateZone"))}
    found = call.subject.one(ZONE, **wanted)
    if found is None:
        raise call.subject.refuse("name", f"no matching Route 53 Hosted Zone found: {wanted['name']}")
    return {**wanted, "id": found.id, "zoneId": found.id, "arn": f"arn:aws{_ARN}{found.id}"}


def get_balancer_zone(call: Call) -> dict[str, Any]:
    """Answer `getHostedZoneId`: the zone in which AWS keeps the names of a region's load balancers."""
    region = call.arguments.get("region") or call.configuration.get("region")
    kind = call.arguments.get("loadBalancerType") or "application"
    return {"id": balancer_zone(str(region), kind=str(kind)), "region": region, "loadBalancerType": kind}


def balancer_zone(region: str, *, kind: str = "network") -> str:
    """Return the id of that zone, of the simulated cloud's own."""
    return _zone_id(f"{kind}.elb.{region}")


def zones_are_there(subject: Subject) -> Problems:
    """Condition: the hosted zones that a policy names are there."""
    for statement in json.loads(subject.get("policy") or "{}").get("Statement", ()):
        resources = statement.get("Resource", ())
        for resource in [resources] if isinstance(resources, str) else resources:
            _, ours, zone = resource.partition(_ARN)
            if ours and zone != "*" and subject.find(ZONE, zone) is None:
                yield "policy", f"there is no hosted zone {zone} in the simulated cloud"


def _zone_id(name: str) -> str:
    return f"Z{hashlib.sha256(name.encode()).hexdigest()[:20].upper()}"


def _time_is_said_once(subject: Subject) -> Problems:
    if subject.given("records") and not subject.given("ttl"):
        yield "ttl", "is required with records"
    if subject.given("aliases") and subject.given("ttl"):
        yield "ttl", "conflicts with aliases: an alias is remembered as long as what it leads to"


def _name_is_in_the_zone(subject: Subject) -> Problems:
    zone, name = subject.find(ZONE, subject.get("zoneId")), str(subject.get("name"))
    if zone is None:
        return
    if not lies_in(name, str(zone.get("name"))):
        yield "name", f"RRSet with DNS name {name}. is not permitted in zone {zone.get('name')}. (InvalidChangeBatch)"
    elif subject.get("type") == "CNAME" and name.rstrip(".") == zone.get("name"):
        yield "type", f"RRSet of type CNAME with DNS name {name}. is not permitted at apex in zone {zone.get('name')}."


def _alias_leads_into_its_zone(subject: Subject) -> Problems:
    for place, alias in subject.each("aliases[*]"):
        name, zone_id, region = str(alias.get("name")), alias.get("zoneId"), region_of(subject)
        zone = subject.find(ZONE, zone_id)
        if zone is None and zone_id != balancer_zone(region):
            yield (
                f"{place}.zoneId",
                f"NoSuchHostedZone: {zone_id} is no zone of yours, nor of load balancers in {region}",
            )
        elif not (lies_in(name, str(zone.get("name"))) if zone else f".elb.{region}." in name):
            yield f"{place}.name", f"the alias target name {name} does not lie within the target zone"


RECORD_TYPE = ResourceType(
    token=RECORD,
    # Until all name servers have it; the provider waits for INSYNC.
    create_seconds=40,
    update_seconds=40,
    delete_seconds=40,
    id=lambda subject: f"{subject.inputs['zoneId']}_{subject.inputs['name']}_{subject.inputs['type']}",
    replaced_by=("zoneId", "name", "setIdentifier"),
    unique=("zoneId", "name", "type"),
    outputs=lambda subject: {"fqdn": subject.inputs["name"].rstrip(".")},
    checks=(
        matches("name", r"[a-z0-9_*.-]{1,255}", "a name of a-z, 0-9, '-', '_', '*' and '.'"),
        one_of("type", (*RECORD_TYPES, "DS", "HTTPS", "NAPTR", "PTR", "SOA", "SPF", "SSHFP", "SVCB", "TLSA")),
        exactly_one_of("records", "aliases"),
        _time_is_said_once,
        addresses_fit("records[*]"),
    ),
    conditions=(refers_to("zoneId", ZONE), _name_is_in_the_zone, _alias_leads_into_its_zone),
)
