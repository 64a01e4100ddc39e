"""EFS file systems and ECR repositories."""

from __future__ import annotations

from typing import Any

from qhub.rehearsal.clouds.aws.tokens import (
    ACCOUNT,
    BACKUP_POLICY,
    FILE_SYSTEM,
    LIFECYCLE_POLICY,
    MOUNT_TARGET,
    REPOSITORY,
    SECURITY_GROUP,
    SUBNET,
    arn,
    id_of,
    json_check,
    region_of,
    tags_check,
)
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.clouds.rules import Problems, matches, not_used_by, one_of, parse_range, refers_to
from qhub.rehearsal.clouds.subject import Subject

_AFTER = tuple(f"AFTER_{days}_DAY{'' if days == 1 else 'S'}" for days in (1, 7, 14, 30, 60, 90, 180, 270, 365))


def _each_policy_says_one_thing(subject: Subject) -> Problems:
    for place, policy in subject.each("lifecyclePolicies[*]"):
        if isinstance(policy, dict) and len([value for value in policy.values() if value is not None]) != 1:
            yield place, "a lifecycle policy says one transition; write another item for the other"


def _one_target_in_a_zone(subject: Subject) -> Problems:
    own = subject.find(SUBNET, subject.get("subnetId"))
    for other in subject.all(MOUNT_TARGET, fileSystemId=subject.get("fileSystemId")):
        subnet = subject.find(SUBNET, other.get("subnetId"))
        if own and subnet and own.get("availabilityZone") == subnet.get("availabilityZone"):
            yield "subnetId", f'MountTargetConflict: "{other.name}" is in {own.get("availabilityZone")} already'


def _dns_name(subject: Subject, file_system: str) -> str:
    return f"{file_system}.efs.{region_of(subject)}.amazonaws.com"


def _target_outputs(subject: Subject) -> dict[str, Any]:
    subnet = subject.find(SUBNET, subject.get("subnetId"))
    home = parse_range(subnet.get("cidrBlock")) if subnet else None
    return {
        "dnsName": _dns_name(subject, subject.inputs["fileSystemId"]),
        "availabilityZoneName": subnet.get("availabilityZone") if subnet else "",
        "networkInterfaceId": f"eni-{subject.hex(17, 'interface')}",
        "ownerId": ACCOUNT,
        **({"ipAddress": str(home[20])} if home and not subject.given("ipAddress") else {}),
    }


STORAGE_TYPES = (
    ResourceType(
        token=FILE_SYSTEM,
        create_seconds=8,
        delete_seconds=8,
        id=id_of("fs"),
        replaced_by=("encrypted", "kmsKeyId", "performanceMode", "availabilityZoneName", "creationToken"),
        defaults={"performanceMode": "generalPurpose", "throughputMode": "bursting"},
        outputs=lambda subject: {
            "arn": arn(subject, "elasticfilesystem", f"file-system/{subject.id}"),
            "dnsName": _dns_name(subject, subject.id),
            "ownerId": ACCOUNT,
        },
        checks=(
            one_of("throughputMode", ("bursting", "elastic", "provisioned"), "a throughput mode"),
            one_of("performanceMode", ("generalPurpose", "maxIO"), "a performance mode"),
            one_of("lifecyclePolicies[*].transitionToIa", _AFTER, "a time"),
            one_of("lifecyclePolicies[*].transitionToPrimaryStorageClass", ("AFTER_1_ACCESS",), "a time"),
            _each_policy_says_one_thing,
            tags_check(),
        ),
        # FileSystemInUse.
        before_delete=(not_used_by(MOUNT_TARGET, "fileSystemId"),),
    ),
    ResourceType(
        token=MOUNT_TARGET,
        create_seconds=90,
        delete_seconds=60,
        id=id_of("fsmt"),
        replaced_by=("fileSystemId", "subnetId", "ipAddress"),
        outputs=_target_outputs,
        conditions=(
            refers_to("fileSystemId", FILE_SYSTEM),
            refers_to("subnetId", SUBNET),
            refers_to("securityGroups[*]", SECURITY_GROUP),
            _one_target_in_a_zone,
        ),
    ),
    ResourceType(
        token=BACKUP_POLICY,
        create_seconds=5,
        delete_seconds=5,
        id=lambda subject: subject.inputs["fileSystemId"],
        replaced_by=("fileSystemId",),
        checks=(one_of("backupPolicy.status", ("ENABLED", "DISABLED"), "a status"),),
        conditions=(refers_to("fileSystemId", FILE_SYSTEM),),
    ),
    ResourceType(
        token=REPOSITORY,
        create_seconds=2,
        delete_seconds=2,
        autoname=AutoName(),
        id=lambda subject: subject.inputs["name"],
        replaced_by=("name", "encryptionConfigurations"),
        defaults={"imageTagMutability": "MUTABLE"},
        outputs=lambda subject: {
            "arn": arn(subject, "ecr", f"repository/{subject.id}"),
            "registryId": ACCOUNT,
            "repositoryUrl": f"{ACCOUNT}.dkr.ecr.{region_of(subject)}.amazonaws.com/{subject.id}",
        },
        checks=(
            matches("name", r"[a-z0-9]+([._/-][a-z0-9]+)*", "a-z, 0-9 and inner '.', '_', '-', '/'"),
            matches("name", r".{2,256}", "2 to 256 characters"),
            one_of(
                "imageTagMutability",
                ("MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"),
                "a kind of tags",
            ),
            tags_check(),
        ),
    ),
    ResourceType(
        token=LIFECYCLE_POLICY,
        create_seconds=2,
        delete_seconds=2,
        id=lambda subject: subject.inputs["repository"],
        replaced_by=("repository", "policy"),
        outputs=lambda subject: {"registryId": ACCOUNT},
        checks=(json_check("policy"),),
        conditions=(refers_to("repository", REPOSITORY),),
    ),
)
