"""NFS shares."""

from __future__ import annotations

from typing import Any

from qhub.rehearsal.clouds.digitalocean.tokens import NFS, VPC, region, tags
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.clouds.rules import Problems, between, matches, one_of, parse_range, refers_to
from qhub.rehearsal.clouds.subject import Subject


def _size_grows(subject: Subject) -> Problems:
    before, after = (subject.old_inputs or {}).get("size"), subject.get("size")
    if isinstance(before, int | float) and isinstance(after, int | float) and after < before:
        yield "size", f"a share can only grow, and it has {before} GiB"


def _vpc_is_in_the_region(subject: Subject) -> Problems:
    vpc = subject.find(VPC, subject.get("vpcId"))
    if vpc is not None and vpc.get("region") != subject.get("region"):
        yield "vpcId", f'VPC "{vpc.name}" is in {vpc.get("region")}, the share in {subject.get("region")}'


def _outputs(subject: Subject) -> dict[str, Any]:
    vpc = subject.find(VPC, subject.get("vpcId"))
    home = parse_range(vpc.get("ipRange")) if vpc is not None else None
    return {
        "host": str(home[2]) if home is not None else subject.state.get("host", ""),
        "mountPath": f"/{subject.digits(7, 'team')}/{subject.id}",
        "status": "ACTIVE",
        "vpcIds": [subject.inputs["vpcId"]],
    }


NFS_TYPE = ResourceType(
    token=NFS,
    create_seconds=90,
    update_seconds=30,
    delete_seconds=15,
    autoname=AutoName(),
    unique=("name", "region"),
    replaced_by=("region", "name", "vpcId"),
    defaults={"performanceTier": "standard"},
    outputs=_outputs,
    checks=(
        region(),
        tags(),
        matches("name", r"[a-z][a-z0-9-]{0,63}", "up to 64 of a-z, 0-9 and '-', a letter first"),
        # Least size of the provider; the API's limit of 16 TiB is the account's and can be raised.
        between("size", 50, 1024 * 1024),
        one_of("performanceTier", ("standard", "high"), "a performance tier"),
        _size_grows,
    ),
    conditions=(refers_to("vpcId", VPC), _vpc_is_in_the_region),
)
