"""Launch templates: what the instances of a node group are made from."""

from __future__ import annotations

from qhub.rehearsal.clouds.aws.tokens import (
    LAUNCH_TEMPLATE,
    NODE_GROUP,
    arn,
    id_of,
    name_of,
    tags_check,
)
from qhub.rehearsal.clouds.resource import ResourceType
from qhub.rehearsal.clouds.rules import between, matches, not_used_by, one_of
from qhub.rehearsal.clouds.subject import Subject

#: Of Amazon Linux 2023's root disk.
_SMALLEST_DISK = 20


def _next_version(subject: Subject) -> None:
    subject.notes["version"] = subject.notes.get("version", 1) + 1


LAUNCH_TEMPLATE_TYPE = ResourceType(
    token=LAUNCH_TEMPLATE,
    create_seconds=2,
    update_seconds=2,
    delete_seconds=2,
    id=id_of("lt"),
    replaced_by=("name", "namePrefix"),
    outputs=lambda subject: {
        "arn": arn(subject, "ec2", f"launch-template/{subject.id}"),
        "name": name_of(subject),
        "latestVersion": subject.notes.get("version", 1),
        "defaultVersion": subject.notes.get("version", 1) if subject.get("updateDefaultVersion") else 1,
    },
    changing=("latestVersion", "defaultVersion"),
    checks=(
        matches("namePrefix", r"[A-Za-z0-9().\-/_]{1,102}", "up to 102 letters, digits and ( ) . / _ -"),
        between("blockDeviceMappings[*].ebs.volumeSize", _SMALLEST_DISK, 65536),
        one_of("metadataOptions.httpTokens", ("optional", "required"), "a way to use tokens"),
        between("metadataOptions.httpPutResponseHopLimit", 1, 64),
        tags_check(),
    ),
    after_update=_next_version,
    before_delete=(not_used_by(NODE_GROUP, "launchTemplate.id"),),
)
