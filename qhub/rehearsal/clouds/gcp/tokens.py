"""Type tokens of the simulated Google Cloud, and what several of its types share."""

from __future__ import annotations

import re
from typing import Any

from qhub.config.regions import regions, zones_of
from qhub.rehearsal.clouds.resource import Check
from qhub.rehearsal.clouds.rules import Problems, matches, one_of
from qhub.rehearsal.clouds.subject import Subject

SERVICE = "gcp:projects/service:Service"
ACCOUNT = "gcp:serviceaccount/account:Account"
ROLE = "gcp:projects/iAMMember:IAMMember"
NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
ROUTER = "gcp:compute/router:Router"
NAT = "gcp:compute/routerNat:RouterNat"
CLUSTER = "gcp:container/cluster:Cluster"
NODE_POOL = "gcp:container/nodePool:NodePool"
REPOSITORY = "gcp:artifactregistry/repository:Repository"
REPOSITORY_ROLE = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"
ACCOUNT_ROLE = "gcp:serviceaccount/iAMMember:IAMMember"
ZONE = "gcp:dns/managedZone:ManagedZone"
ZONE_ROLE = "gcp:dns/dnsManagedZoneIamMember:DnsManagedZoneIamMember"
RECORD_SET = "gcp:dns/recordSet:RecordSet"
FILESTORE = "gcp:filestore/instance:Instance"

#: When things in the simulated cloud were made: a date that is always the same shows no difference.
CREATED = "2026-01-01T00:00:00Z"
#: cloud.google.com/compute/docs/labeling-resources.
LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")


def project(subject: Subject) -> str:
    """Return the project of a resource: its own, else the provider's.

    Raises:
        Refused: neither says one.
    """
    return _own_or_providers(subject, "project")


def region_of(subject: Subject) -> str:
    """Return the region of a resource: its own, else the provider's.

    Raises:
        Refused: neither says one.
    """
    return _own_or_providers(subject, "region")


def _own_or_providers(subject: Subject, key: str) -> str:
    found = subject.get(key) or subject.configuration.get(key)
    if not found:
        raise subject.refuse(key, "is required: here, or on the provider")
    return str(found)


def compute_name(path: str = "name") -> Check:
    """Return the check of a name as Compute Engine has them (RFC 1035)."""
    return matches(path, r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", "1 to 63 of a-z, 0-9 and inner '-', a letter first")


def region(path: str = "region") -> Check:
    """Return the check of a region."""
    return one_of(path, regions("gcp"), "a region of Google Cloud")


def all_zones() -> tuple[str, ...]:
    """Return every zone."""
    return tuple(zone for one in regions("gcp") for zone in zones_of("gcp", one))


def labels(path: str) -> Check:
    """Return the check of labels."""

    def check(subject: Subject) -> Problems:
        found = subject.get(path) or {}
        for key, value in found.items():
            if not LABEL_KEY.fullmatch(key):
                yield f"{path}.{key}", f"{key!r} must be a-z first, then a-z, 0-9, '_' and '-', at most 63"
            if isinstance(value, str) and not LABEL_VALUE.fullmatch(value):
                yield f"{path}.{key}", f"{value!r} must be at most 63 of a-z, 0-9, '_' and '-'"
        if len(found) > 64:
            yield path, f"{len(found)} labels are more than a resource takes: 64"

    return check


def label_outputs(subject: Subject, path: str = "labels") -> dict[str, Any]:
    """Return the labels that a resource ends up with: the provider's, under its own."""
    every = {**(subject.configuration.get("defaultLabels") or {}), **(subject.get(path) or {})}
    return {"effectiveLabels": every, "pulumiLabels": every}


def last(path: Any) -> str:
    """Return the name at the end of a path: `net` of `projects/other/global/networks/net`; a name is its own end."""
    return str(path or "").rsplit("/", 1)[-1]


def names(path: str, token: str) -> Check:
    """Return a condition that what an input names, by its name alone or by its whole path, is in the cloud."""

    def check(subject: Subject) -> Problems:
        for place, value in subject.each(path):
            if subject.one(token, name=last(value)) is None:
                yield place, f"there is no {token.rsplit(':', 1)[-1]} {value!r} in the simulated cloud"

    return check


def service_is_on(service: str) -> Check:
    """Return a condition that a service (API) of the project is switched on."""

    def check(subject: Subject) -> Problems:
        name = f"{service}.googleapis.com"
        if subject.one(SERVICE, service=name) is None:
            yield (
                "",
                f"{name} has not been used in project {project(subject)} before or it is disabled: enable it first",
            )

    return check
