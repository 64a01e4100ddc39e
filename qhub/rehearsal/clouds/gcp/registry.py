"""Repositories of Artifact Registry."""

from __future__ import annotations

from typing import Any

from qhub.config.regions import regions
from qhub.rehearsal.clouds.gcp.project import MEMBER, ROLE_NAME, member_is_there, role_outputs
from qhub.rehearsal.clouds.gcp.tokens import (
    CREATED,
    REPOSITORY,
    REPOSITORY_ROLE,
    label_outputs,
    labels,
    project,
    service_is_on,
)
from qhub.rehearsal.clouds.resource import ResourceType
from qhub.rehearsal.clouds.rules import Problems, matches, one_of, refers_to
from qhub.rehearsal.clouds.subject import Subject

#: cloud.google.com/artifact-registry/docs/repositories/repo-locations: beside the regions.
MULTI_REGIONS = ("us", "europe", "asia")
FORMATS = ("DOCKER", "MAVEN", "NPM", "PYTHON", "APT", "YUM", "GO", "GENERIC", "KFP")


def _policies_fit(subject: Subject) -> Problems:
    for place, policy in subject.each("cleanupPolicies[*]"):
        if policy.get("mostRecentVersions") and policy.get("action") != "KEEP":
            yield f"{place}.mostRecentVersions", "may only be given with action KEEP"
        if policy.get("condition") and policy.get("mostRecentVersions"):
            yield place, "has both a condition and mostRecentVersions: one of the two"
    names = [policy.get("id") for _, policy in subject.each("cleanupPolicies[*]")]
    for name in {name for name in names if names.count(name) > 1}:
        yield "cleanupPolicies", f"two policies have the id {name}"


def _outputs(subject: Subject) -> dict[str, Any]:
    name, place = subject.inputs["repositoryId"], subject.inputs["location"]
    return {
        "project": project(subject),
        "name": name,
        "createTime": CREATED,
        "updateTime": CREATED,
        "registryUri": f"{place}-docker.pkg.dev/{project(subject)}/{name}",
        **label_outputs(subject),
    }


REPOSITORY_TYPE = ResourceType(
    token=REPOSITORY,
    create_seconds=12,
    update_seconds=3,
    delete_seconds=12,
    replaced_by=("repositoryId", "location", "project", "format", "mode", "kmsKeyName"),
    defaults={"mode": "STANDARD_REPOSITORY"},
    id=lambda subject: (
        f"projects/{project(subject)}/locations/{subject.inputs['location']}/repositories/"
        f"{subject.inputs['repositoryId']}"
    ),
    outputs=_outputs,
    checks=(
        matches("repositoryId", r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", "1 to 63 of a-z, 0-9 and inner '-'"),
        one_of("location", (*regions("gcp"), *MULTI_REGIONS), "a region, or us, europe or asia"),
        one_of("format", FORMATS),
        one_of("cleanupPolicies[*].action", ("DELETE", "KEEP")),
        one_of("cleanupPolicies[*].condition.tagState", ("TAGGED", "UNTAGGED", "ANY")),
        matches("cleanupPolicies[*].condition.olderThan", r"\d+[smhd]", "a duration: 2592000s or 30d"),
        labels("labels"),
        _policies_fit,
    ),
    conditions=(service_is_on("artifactregistry"),),
)

REPOSITORY_ROLE_TYPE = ResourceType(
    token=REPOSITORY_ROLE,
    create_seconds=4,
    delete_seconds=4,
    replaced_by=("project", "location", "repository", "role", "member", "condition"),
    id=lambda subject: (
        f"projects/{project(subject)}/locations/{subject.inputs['location']}/repositories/"
        f"{subject.inputs['repository']}/{subject.inputs['role']}/{subject.inputs['member']}"
    ),
    outputs=role_outputs,
    checks=(
        matches("role", ROLE_NAME, "a role: roles/NAME"),
        matches("member", MEMBER, "who: serviceAccount:EMAIL, user:EMAIL, group:EMAIL"),
    ),
    conditions=(refers_to("repository", REPOSITORY, by="name"), member_is_there),
)
