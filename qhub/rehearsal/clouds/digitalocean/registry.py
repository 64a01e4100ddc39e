"""The account's container registry."""

from __future__ import annotations

from typing import Any

from qhub.rehearsal.clouds.digitalocean.tokens import CREATED, REGISTRY
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.clouds.rules import Problems, matches, one_of
from qhub.rehearsal.clouds.subject import Subject

_SERVER = "registry.digitalocean.com"


def _account_has_one(subject: Subject) -> Problems:
    if others := subject.all(REGISTRY):
        yield "name", f'the account has a registry already, "{others[0].id}": an account has one'


def _outputs(subject: Subject) -> dict[str, Any]:
    return {
        # Where none is asked for, DigitalOcean chooses.
        "region": subject.get("region") or "fra1",
        "endpoint": f"{_SERVER}/{subject.inputs['name']}",
        "serverUrl": _SERVER,
        "storageUsageBytes": 0,
        "createdAt": CREATED,
    }


REGISTRY_TYPE = ResourceType(
    token=REGISTRY,
    create_seconds=5,
    update_seconds=3,
    delete_seconds=5,
    autoname=AutoName(),
    replaced_by=("name", "region"),
    # Its id is its name, and an account has one: the old one goes first.
    delete_first=True,
    id=lambda subject: subject.inputs["name"],
    outputs=_outputs,
    checks=(
        matches("name", r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", "3 to 63 of a-z, 0-9 and inner '-'"),
        one_of("subscriptionTierSlug", ("starter", "basic", "professional"), "a subscription"),
    ),
    conditions=(_account_has_one,),
)
