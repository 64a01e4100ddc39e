"""Services (APIs) of a project, service accounts, and who has which role."""

from __future__ import annotations

from typing import Any

from qhub.rehearsal.clouds.gcp.tokens import ACCOUNT, ROLE, SERVICE, project, service_is_on
from qhub.rehearsal.clouds.resource import ResourceType
from qhub.rehearsal.clouds.rules import Problems, matches
from qhub.rehearsal.clouds.subject import Subject

#: cloud.google.com/iam/docs/principal-identifiers, those that are used here.
MEMBER = r"(user|serviceAccount|group|domain|principal|principalSet):.+|allUsers|allAuthenticatedUsers"
#: cloud.google.com/iam/docs/roles-overview.
ROLE_NAME = r"roles/[A-Za-z0-9._]+|(projects|organizations)/[a-z0-9-]+/roles/[A-Za-z0-9_.]+"


def member_is_there(subject: Subject) -> Problems:
    """Yield a problem for a service account of the project that does not exist."""
    member = str(subject.get("member", ""))
    own = f"@{project(subject)}.iam.gserviceaccount.com"
    if member.startswith("serviceAccount:") and member.endswith(own) and subject.one(ACCOUNT, member=member) is None:
        yield "member", f"Service account {member.removeprefix('serviceAccount:')} does not exist."


def _email(subject: Subject) -> str:
    return f"{subject.inputs['accountId']}@{project(subject)}.iam.gserviceaccount.com"


def _account_outputs(subject: Subject) -> dict[str, Any]:
    email = _email(subject)
    return {
        "email": email,
        "member": f"serviceAccount:{email}",
        "name": f"projects/{project(subject)}/serviceAccounts/{email}",
        "uniqueId": subject.digits(21),
        "project": project(subject),
    }


def role_outputs(subject: Subject) -> dict[str, Any]:
    """Return the outputs of a role that somebody was given."""
    return {"etag": subject.hex(16, "etag"), "project": project(subject)}


SERVICE_TYPE = ResourceType(
    token=SERVICE,
    # The project waits until every region knows.
    create_seconds=25,
    delete_seconds=5,
    replaced_by=("project", "service"),
    defaults={"disableOnDestroy": False},
    id=lambda subject: f"{project(subject)}/{subject.inputs['service']}",
    outputs=lambda subject: {"project": project(subject)},
    checks=(matches("service", r"[a-z]+\.googleapis\.com", "the name of a service: compute.googleapis.com"),),
)

ACCOUNT_TYPE = ResourceType(
    token=ACCOUNT,
    # The provider waits 10 s for what is only consistent in the end.
    create_seconds=12,
    replaced_by=("accountId", "project"),
    defaults={"disabled": False},
    id=lambda subject: f"projects/{project(subject)}/serviceAccounts/{_email(subject)}",
    outputs=_account_outputs,
    checks=(matches("accountId", r"(?=.{6,30}$)[a-z]([-a-z0-9]*[a-z0-9])", "6 to 30 of a-z, 0-9 and inner '-'"),),
    conditions=(service_is_on("iam"),),
)

ROLE_TYPE = ResourceType(
    token=ROLE,
    # The policy of a project is read, changed and written as a whole.
    create_seconds=9,
    delete_seconds=9,
    replaced_by=("project", "role", "member", "condition"),
    id=lambda subject: f"{project(subject)}/{subject.inputs['role']}/{subject.inputs['member']}",
    outputs=role_outputs,
    checks=(
        matches("role", ROLE_NAME, "a role: roles/NAME"),
        matches("member", MEMBER, "who: serviceAccount:EMAIL, user:EMAIL, group:EMAIL"),
    ),
    conditions=(service_is_on("cloudresourcemanager"), member_is_there),
)
