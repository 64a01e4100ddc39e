"""Domains that are there already, and records in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qhub.rehearsal.clouds.digitalocean.tokens import DNS_RECORD, DOMAIN
from qhub.rehearsal.clouds.names import RECORD_TYPES, addresses_fit, not_named_twice
from qhub.rehearsal.clouds.resource import Call, Given, ResourceType
from qhub.rehearsal.clouds.rules import between, matches, one_of, refers_to
from qhub.rehearsal.clouds.subject import Subject

GET_DOMAIN = "digitalocean:index/getDomain:getDomain"


def given_zone(section: Any, dns: Any) -> Iterator[Given]:
    """Yield the domain that the settings name."""
    if dns.provider == "digitalocean":
        yield Given(token=DOMAIN, id=dns.zone, outputs={"name": dns.zone})


def get_domain(call: Call) -> dict[str, Any]:
    """Answer `getDomain`.

    Raises:
        Refused: the account has no such domain.
    """
    wanted = call.arguments.get("name")
    if call.subject.find(DOMAIN, wanted) is None:
        raise call.subject.refuse("name", f"domain not found: {wanted}")
    return {"id": wanted, "name": wanted, "domainUrn": f"do:domain:{wanted}", "ttl": 1800}


def _outputs(subject: Subject) -> dict[str, Any]:
    name, domain = subject.inputs["name"], subject.inputs["domain"]
    return {"fqdn": domain if name == "@" else f"{name}.{domain}"}


RECORD_TYPE = ResourceType(
    token=DNS_RECORD,
    create_seconds=2,
    update_seconds=2,
    delete_seconds=2,
    replaced_by=("domain", "type"),
    unique=("domain", "name", "type", "value"),
    defaults={"ttl": 1800},
    id=lambda subject: subject.digits(9),
    outputs=_outputs,
    checks=(
        matches("name", r"@|(\*\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", "a name, or @ for the domain's own"),
        one_of("type", RECORD_TYPES, "a type of record"),
        between("ttl", 30, 604_800),
        addresses_fit("value"),
        not_named_twice("name", "domain"),
    ),
    conditions=(refers_to("domain", DOMAIN),),
)
