"""Filestore instances. Nothing is served: nodes of a rehearsal mount nothing."""

from __future__ import annotations

from typing import Any

from qhub.config.gcp import FILESTORE_SIZES, LARGE_FILESTORE, LARGE_FILESTORE_STEP
from qhub.config.regions import regions
from qhub.rehearsal.clouds.gcp.tokens import (
    CREATED,
    FILESTORE,
    NETWORK,
    all_zones,
    compute_name,
    label_outputs,
    labels,
    names,
    project,
    service_is_on,
)
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.clouds.rules import Problems, address_range, matches, not_protected, one_of
from qhub.rehearsal.clouds.subject import Subject

BASIC = ("BASIC_HDD", "BASIC_SSD")


def _size_fits(subject: Subject) -> Problems:
    tier, size, path = subject.get("tier"), subject.get("fileShares.capacityGb"), "fileShares.capacityGb"
    if tier not in FILESTORE_SIZES or size is None:
        return
    least, most = FILESTORE_SIZES[tier]
    if not least <= size <= most:
        yield path, f"{size} must be between {least} and {most} for tier {tier}"
    elif tier not in BASIC and size >= LARGE_FILESTORE and size % LARGE_FILESTORE_STEP:
        yield path, f"{size} must be a multiple of {LARGE_FILESTORE_STEP} from {LARGE_FILESTORE} on"
    before = ((subject.old_inputs or {}).get("fileShares") or {}).get("capacityGb")
    if tier in BASIC and isinstance(before, int) and size < before:
        yield path, f"an instance of tier {tier} cannot shrink, from {before} to {size}"


def _place_fits(subject: Subject) -> Problems:
    tier, location = subject.get("tier"), subject.get("location")
    if tier is None or location is None:
        return
    if tier == "REGIONAL" and location not in regions("gcp"):
        yield "location", f"{location} must be a region for tier {tier}"
    if tier != "REGIONAL" and location not in all_zones():
        yield "location", f"{location} must be a zone for tier {tier}"


def _protocol_fits(subject: Subject) -> Problems:
    if subject.get("protocol") == "NFS_V4_1" and subject.get("tier") in BASIC:
        yield "protocol", f"NFS_V4_1 is not there for tier {subject.get('tier')}"


def _outputs(subject: Subject) -> dict[str, Any]:
    third = int(subject.hex(2, "range"), 16)
    network = subject.inputs["networks"][0]
    return {
        "project": project(subject),
        "createTime": CREATED,
        "etag": subject.hex(8, "etag"),
        "networks": [{"reservedIpRange": f"10.127.{third}.0/29", **network, "ipAddresses": [f"10.127.{third}.2"]}],
        **label_outputs(subject),
    }


FILESTORE_TYPE = ResourceType(
    token=FILESTORE,
    autoname=AutoName(),
    # Three minutes for a basic one, and up to ten.
    create_seconds=lambda subject: 200 if subject.get("tier") in BASIC else 420,
    update_seconds=60,
    delete_seconds=150,
    replaced_by=(
        "name",
        "project",
        "location",
        "zone",
        "tier",
        "protocol",
        "kmsKeyName",
        "fileShares.name",
        "networks",
    ),
    defaults={"protocol": "NFS_V3"},
    id=lambda subject: (
        f"projects/{project(subject)}/locations/{subject.inputs['location']}/instances/{subject.inputs['name']}"
    ),
    outputs=_outputs,
    computed=("networks[*].ipAddresses", "networks[*].reservedIpRange"),
    checks=(
        compute_name(),
        one_of("tier", FILESTORE_SIZES, "a tier of Filestore"),
        one_of("protocol", ("NFS_V3", "NFS_V4_1")),
        matches("fileShares.name", r"[a-z][a-z0-9_]{0,15}", "1 to 16 of a-z, 0-9 and '_', a letter first"),
        address_range("fileShares.nfsExportOptions[*].ipRanges[*]", largest=8, smallest=32),
        one_of("fileShares.nfsExportOptions[*].accessMode", ("READ_ONLY", "READ_WRITE")),
        one_of("fileShares.nfsExportOptions[*].squashMode", ("NO_ROOT_SQUASH", "ROOT_SQUASH")),
        one_of("networks[*].modes[*]", ("MODE_IPV4", "MODE_IPV6", "ADDRESS_MODE_UNSPECIFIED")),
        one_of("networks[*].connectMode", ("DIRECT_PEERING", "PRIVATE_SERVICE_ACCESS", "PRIVATE_SERVICE_CONNECT")),
        labels("labels"),
        _size_fits,
        _place_fits,
        _protocol_fits,
    ),
    conditions=(service_is_on("file"), names("networks[*].network", NETWORK)),
    before_delete=(not_protected("deletionProtectionEnabled"),),
)
