"""IAM roles, keys, logs."""

from __future__ import annotations

from qhub.rehearsal.clouds.aws.dns import zones_are_there
from qhub.rehearsal.clouds.aws.tokens import (
    ALIAS,
    CLUSTER,
    CREATED,
    KEY,
    LOG_GROUP,
    NODE_GROUP,
    ROLE,
    ROLE_POLICY,
    ROLE_POLICY_ATTACHMENT,
    arn,
    json_check,
    name_of,
    tags_check,
)
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.clouds.rules import Problems, between, matches, not_used_by, refers_to
from qhub.rehearsal.clouds.subject import Subject
from qhub.rehearsal.plugins.errors import nearest

#: Policies of AWS's own that are known here; a slip in a name would otherwise be found only by AWS.
AWS_POLICIES = (
    "AmazonEKSClusterPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEC2ContainerRegistryReadOnly",
    "AmazonEKS_CNI_Policy",
    "AmazonEBSCSIDriverPolicyV2",
    "AmazonSSMManagedInstanceCore",
    "service-role/AmazonEFSCSIDriverPolicy",
)
_RETENTION = (
    0,
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)


def _policy_is_known(subject: Subject) -> Problems:
    _, ours, name = str(subject.get("policyArn", "")).partition(":aws:policy/")
    if ours and name not in AWS_POLICIES:
        yield "policyArn", f"{name} is no policy of AWS that is known here.{nearest(name, AWS_POLICIES)}"


def _retention_is_known(subject: Subject) -> Problems:
    days = subject.get("retentionInDays")
    if days is not None and int(days) not in _RETENTION:
        yield "retentionInDays", f"{days:g} is none of {', '.join(map(str, _RETENTION))}"


IDENTITY_TYPES = (
    ResourceType(
        token=ROLE,
        # Until it is known everywhere; what uses it is refused before.
        create_seconds=10,
        delete_seconds=2,
        id=name_of,
        replaced_by=("name", "namePrefix", "path"),
        outputs=lambda subject: {
            "name": subject.id,
            "arn": arn(subject, "iam", f"role/{subject.id}", regional=False),
            "uniqueId": f"AROA{subject.hex(17, 'unique').upper()}",
            "createDate": CREATED,
        },
        checks=(
            matches("name", r"[\w+=,.@-]{1,64}", "1 to 64 letters, digits and _ + = , . @ -"),
            matches("namePrefix", r"[\w+=,.@-]{1,38}", "1 to 38 letters, digits and _ + = , . @ -"),
            json_check("assumeRolePolicy"),
            tags_check(),
        ),
        before_delete=(
            # DeleteConflict: must detach all policies first.
            not_used_by(ROLE_POLICY_ATTACHMENT, "role", by="name"),
            not_used_by(ROLE_POLICY, "role", by="name"),
            not_used_by(CLUSTER, "roleArn", by="arn"),
            not_used_by(NODE_GROUP, "nodeRoleArn", by="arn"),
        ),
    ),
    ResourceType(
        token=ROLE_POLICY_ATTACHMENT,
        create_seconds=2,
        delete_seconds=2,
        id=lambda subject: f"{subject.inputs['role']}/{subject.inputs['policyArn']}",
        replaced_by=("role", "policyArn"),
        unique=("role", "policyArn"),
        checks=(_policy_is_known,),
        conditions=(refers_to("role", ROLE, by="name"),),
    ),
    ResourceType(
        token=ROLE_POLICY,
        create_seconds=2,
        delete_seconds=2,
        autoname=AutoName(),
        id=lambda subject: f"{subject.inputs['role']}:{subject.inputs['name']}",
        replaced_by=("role", "name"),
        unique=("role", "name"),
        checks=(json_check("policy"),),
        conditions=(refers_to("role", ROLE, by="name"), zones_are_there),
    ),
    ResourceType(
        token=KEY,
        create_seconds=10,
        delete_seconds=3,
        id=lambda subject: subject.uuid(),
        defaults={"enableKeyRotation": False, "isEnabled": True, "keyUsage": "ENCRYPT_DECRYPT"},
        outputs=lambda subject: {"keyId": subject.id, "arn": arn(subject, "kms", f"key/{subject.id}")},
        checks=(between("deletionWindowInDays", 7, 30), tags_check()),
        before_delete=(not_used_by(CLUSTER, "encryptionConfig.provider.keyArn", by="arn"),),
    ),
    ResourceType(
        token=ALIAS,
        create_seconds=2,
        delete_seconds=2,
        autoname=AutoName(),
        id=lambda subject: subject.inputs["name"],
        replaced_by=("name", "namePrefix"),
        outputs=lambda subject: {"arn": arn(subject, "kms", subject.id)},
        checks=(matches("name", r"alias/(?!aws/)[\w/-]{1,250}", "alias/ and letters, digits, / _ -, not alias/aws/"),),
        conditions=(refers_to("targetKeyId", KEY),),
    ),
    ResourceType(
        token=LOG_GROUP,
        create_seconds=2,
        delete_seconds=2,
        autoname=AutoName(),
        id=lambda subject: subject.inputs["name"],
        replaced_by=("name", "namePrefix", "logGroupClass"),
        defaults={"skipDestroy": False, "retentionInDays": 0},
        outputs=lambda subject: {"arn": arn(subject, "logs", f"log-group:{subject.id}")},
        checks=(
            matches("name", r"[\w./#-]{1,512}", "1 to 512 letters, digits and . / # _ -"),
            _retention_is_known,
            tags_check(),
        ),
    ),
)
