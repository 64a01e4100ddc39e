"""Managed zones that are there already, records in them, and who may write them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qhub.rehearsal.clouds.gcp.project import MEMBER, ROLE_NAME, member_is_there, role_outputs
from qhub.rehearsal.clouds.gcp.tokens import ACCOUNT, ACCOUNT_ROLE, CLUSTER, RECORD_SET, ZONE, ZONE_ROLE, project
from qhub.rehearsal.clouds.names import RECORD_TYPES, addresses_fit, lies_in
from qhub.rehearsal.clouds.resource import Call, Given, ResourceType
from qhub.rehearsal.clouds.rules import Problems, between, matches, one_of, refers_to
from qhub.rehearsal.clouds.subject import Subject
from qhub.rehearsal.clouds.world import Record

GET_ZONE = "gcp:dns/getManagedZone:getManagedZone"
#: Of a cluster's service accounts (cloud.google.com/kubernetes-engine/docs/how-to/workload-identity).
_POOL = ".svc.id.goog["


def given_zone(section: Any, dns: Any) -> Iterator[Given]:
    """Yield the zone that the settings name."""
    if dns.provider == "cloud-dns":
        outputs = {"name": dns.managed_zone, "dnsName": f"{dns.zone}.", "project": dns.project or section.project}
        yield Given(token=ZONE, id=_zone_id(outputs["project"], dns.managed_zone), outputs=outputs)


def get_zone(call: Call) -> dict[str, Any]:
    """Answer `getManagedZone`.

    Raises:
        Refused: there is no zone of that name in the project.
    """
    home = call.arguments.get("project") or call.configuration.get("project")
    id_ = _zone_id(str(home), str(call.arguments.get("name")))
    found = call.subject.find(ZONE, id_)
    if found is None:
        raise call.subject.refuse("name", f"{id_} not found")
    return {**found.outputs, "id": id_, "visibility": "public"}


def _zone_id(project_id: str, name: str) -> str:
    return f"projects/{project_id}/managedZones/{name}"


def _zone(subject: Subject) -> Record | None:
    return subject.find(ZONE, _zone_id(project(subject), str(subject.get("managedZone"))))


def _zone_is_there(subject: Subject) -> Problems:
    if _zone(subject) is None:
        yield "managedZone", f"there is no managed zone {subject.get('managedZone')!r} in project {project(subject)}"


def _name_is_in_the_zone(subject: Subject) -> Problems:
    zone, name = _zone(subject), str(subject.get("name"))
    if zone is not None and not lies_in(name, str(zone.get("dnsName"))):
        yield "name", f"{name} is not in zone {zone.get('dnsName')}"


def _pool_is_there(subject: Subject) -> Problems:
    home, of_a_cluster, _ = str(subject.get("member", "")).removeprefix("serviceAccount:").partition(_POOL)
    pool = f"{home}.svc.id.goog"
    there = {one.get("workloadIdentityConfig.workloadPool") for one in subject.all(CLUSTER)}
    if of_a_cluster and pool not in there:
        yield "member", f"Identity Pool does not exist ({pool}): no cluster of the project has it yet"


RECORD_SET_TYPE = ResourceType(
    token=RECORD_SET,
    create_seconds=5,
    update_seconds=5,
    delete_seconds=5,
    replaced_by=("managedZone", "name", "project"),
    unique=("managedZone", "name", "type"),
    id=lambda subject: (
        f"{_zone_id(project(subject), subject.inputs['managedZone'])}/rrsets/{subject.inputs['name']}/"
        f"{subject.inputs['type']}"
    ),
    outputs=lambda subject: {"project": project(subject)},
    checks=(
        matches("name", r"(\*\.)?([a-z0-9_-]{1,63}\.)+", "a whole name with a dot at its end"),
        one_of("type", (*RECORD_TYPES, "DS", "HTTPS", "NAPTR", "PTR", "SOA", "SSHFP", "SVCB", "TLSA")),
        between("ttl", 0, 2**31 - 1),
        addresses_fit("rrdatas[*]"),
    ),
    conditions=(_zone_is_there, _name_is_in_the_zone),
)

ZONE_ROLE_TYPE = ResourceType(
    token=ZONE_ROLE,
    create_seconds=6,
    delete_seconds=6,
    replaced_by=("project", "managedZone", "role", "member", "condition"),
    id=lambda subject: (
        f"{_zone_id(project(subject), subject.inputs['managedZone'])}/{subject.inputs['role']}/"
        f"{subject.inputs['member']}"
    ),
    outputs=role_outputs,
    checks=(
        matches("role", ROLE_NAME, "a role: roles/NAME"),
        matches("member", MEMBER, "who: serviceAccount:EMAIL, user:EMAIL, group:EMAIL"),
    ),
    conditions=(_zone_is_there, member_is_there),
)

ACCOUNT_ROLE_TYPE = ResourceType(
    token=ACCOUNT_ROLE,
    create_seconds=6,
    delete_seconds=6,
    replaced_by=("serviceAccountId", "role", "member", "condition"),
    id=lambda subject: "/".join(subject.inputs[key] for key in ("serviceAccountId", "role", "member")),
    outputs=lambda subject: {"etag": subject.hex(16, "etag")},
    checks=(
        matches("serviceAccountId", r"projects/[^/]+/serviceAccounts/.+", "the whole name of a service account"),
        matches("role", ROLE_NAME, "a role: roles/NAME"),
        matches("member", MEMBER, "who: serviceAccount:EMAIL, user:EMAIL, group:EMAIL"),
    ),
    conditions=(refers_to("serviceAccountId", ACCOUNT, by="name"), _pool_is_there),
)
