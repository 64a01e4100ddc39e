"""VPCs."""

from __future__ import annotations

import ipaddress
from typing import Any

from qhub.config.digitalocean import RESERVED, RESERVED_IN
from qhub.rehearsal.clouds.digitalocean.tokens import CLUSTER, CREATED, NFS, VPC, region
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.clouds.rules import Problems, address_range, matches, no_overlap, not_used_by, parse_range
from qhub.rehearsal.clouds.subject import Subject

#: DigitalOcean hands out ranges of this size where none is asked for.
_PREFIX = 20


def _range_is_not_reserved(subject: Subject) -> Problems:
    wanted = parse_range(subject.get("ipRange"))
    for taken in (*RESERVED, *RESERVED_IN.get(subject.get("region", ""), ())):
        if wanted is not None and wanted.overlaps(ipaddress.IPv4Network(taken)):
            yield "ipRange", f"{wanted} overlaps {taken}, which DigitalOcean keeps to itself"


def _choose_range(subject: Subject) -> None:
    """Note a free range for a VPC that asks for none."""
    if subject.given("ipRange"):
        return
    with subject.world.locked():
        taken = [found for other in subject.all(VPC) if (found := parse_range(_range_of(other)))]
        choice = ipaddress.IPv4Network("10.100.0.0/14").subnets(new_prefix=_PREFIX)
        free = next((one for one in choice if not any(one.overlaps(other) for other in taken)), None)
        if free is None:
            raise subject.refuse("ipRange", "there is no free range left in the account")
        subject.notes["ipRange"] = str(free)
        subject.save()


def _range_of(record: Any) -> Any:
    return record.get("ipRange") or record.notes.get("ipRange")


def _outputs(subject: Subject) -> dict[str, Any]:
    return {
        "ipRange": subject.get("ipRange") or subject.notes["ipRange"],
        "vpcUrn": f"do:vpc:{subject.id}",
        "default": False,
        "createdAt": CREATED,
    }


VPC_TYPE = ResourceType(
    token=VPC,
    create_seconds=3,
    delete_seconds=5,
    autoname=AutoName(),
    unique=("name",),
    replaced_by=("region", "ipRange"),
    outputs=_outputs,
    checks=(
        region(),
        matches("name", r"[A-Za-z0-9.-]{1,255}", "letters, digits, '-' and '.'"),
        address_range("ipRange", largest=16, smallest=24, private=True),
        _range_is_not_reserved,
    ),
    conditions=(no_overlap("ipRange", VPC),),
    during_create=_choose_range,
    # "Can not delete VPC with members".
    before_delete=(not_used_by(CLUSTER, "vpcUuid"), not_used_by(NFS, "vpcId")),
)
