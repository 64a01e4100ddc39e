"""Storage accounts and NFS shares."""

from __future__ import annotations

from typing import Any

from qhub.rehearsal.clouds.azure.tokens import (
    ACCOUNT,
    CREATED,
    SHARE,
    SUBNET,
    id_in_group,
    in_group,
    location,
    name,
    not_locked,
    tags,
)
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.clouds.rules import Problems, between, one_of
from qhub.rehearsal.clouds.subject import Subject
from qhub.rehearsal.clouds.world import Record

_KINDS = ("Storage", "StorageV2", "BlobStorage", "FileStorage", "BlockBlobStorage")


def _kind_fits_sku(subject: Subject) -> Problems:
    sku = str(subject.get("sku.name", ""))
    if subject.get("kind") == "FileStorage" and sku and not sku.startswith(("Premium", "StandardV2")):
        yield "sku.name", f"{sku} is not one that FileStorage takes: Premium_LRS, Premium_ZRS, or a V2 one"


def _copies_stay(subject: Subject) -> Problems:
    if subject.changed("sku.name") and not subject.changed("kind"):
        before = (subject.old_inputs or {})["sku"]["name"]
        yield "sku.name", f"the copies of a premium account cannot be moved: {before} stays"


def _subnets_may_come_in(subject: Subject) -> Problems:
    for place, wanted in subject.each("networkRuleSet.virtualNetworkRules[*].virtualNetworkResourceId"):
        subnet = subject.find(SUBNET, wanted)
        if subnet is None:
            yield place, f"there is no subnet {wanted!r} in the simulated cloud"
        elif not {"Microsoft.Storage", "Microsoft.Storage.Global"} & set(subnet.each("serviceEndpoints[*].service")):
            yield place, f"subnet {subnet.get('name')} has no service endpoint for Microsoft.Storage"


def _account_of(subject: Subject) -> Record | None:
    return subject.one(ACCOUNT, resourceGroupName=subject.get("resourceGroupName"), name=subject.get("accountName"))


def _account_takes_it(subject: Subject) -> Problems:
    account = _account_of(subject)
    if account is None:
        yield "accountName", f"there is no storage account {subject.get('accountName')!r} in the group"
    elif subject.get("enabledProtocols") == "NFS":
        if account.get("kind") != "FileStorage":
            yield "enabledProtocols", f"NFS needs an account of kind FileStorage, this is {account.get('kind')}"
        if account.get("enableHttpsTrafficOnly", True):
            yield "enabledProtocols", "an NFS share cannot be mounted while the account takes HTTPS only"
        if account.get("networkRuleSet.defaultAction", "Allow") == "Allow":
            yield "enabledProtocols", "an NFS share cannot be reached from the internet: let in a subnet, deny the rest"


def _squash_is_for_nfs(subject: Subject) -> Problems:
    if subject.given("rootSquash") and subject.get("enabledProtocols") != "NFS":
        yield "rootSquash", "is for NFS shares only"


def _account_outputs(subject: Subject) -> dict[str, Any]:
    called = subject.inputs["accountName"]
    return {
        "name": called,
        "type": "Microsoft.Storage/storageAccounts",
        "primaryEndpoints": {"file": f"https://{called}.file.core.windows.net/"},
        "primaryLocation": subject.get("location"),
        "creationTime": CREATED,
        "provisioningState": "Succeeded",
        "statusOfPrimary": "available",
    }


ACCOUNT_TYPE = ResourceType(
    token=ACCOUNT,
    create_seconds=25,
    update_seconds=8,
    delete_seconds=6,
    autoname=AutoName(property="accountName", separator="", digits=8),
    # Among all of Azure.
    unique=("accountName",),
    replaced_by=("accountName", "resourceGroupName", "location", "kind", "isHnsEnabled"),
    id=lambda subject: id_in_group(subject, "Microsoft.Storage/storageAccounts", subject.inputs["accountName"]),
    outputs=_account_outputs,
    checks=(
        name("accountName", r"[a-z0-9]{3,24}", "3 to 24 small letters and digits"),
        one_of("kind", _KINDS, "a kind of storage account"),
        one_of("networkRuleSet.defaultAction", ("Allow", "Deny"), "an action"),
        one_of("minimumTlsVersion", ("TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3"), "a version of TLS"),
        location(),
        tags(),
        _kind_fits_sku,
        _copies_stay,
    ),
    conditions=(in_group, _subnets_may_come_in),
    before_delete=(not_locked,),
)

SHARE_TYPE = ResourceType(
    token=SHARE,
    create_seconds=3,
    update_seconds=3,
    delete_seconds=4,
    autoname=AutoName(property="shareName", separator="", digits=8),
    replaced_by=("shareName", "accountName", "resourceGroupName", "enabledProtocols"),
    id=lambda subject: id_in_group(
        subject,
        "Microsoft.Storage/storageAccounts",
        subject.inputs["accountName"],
        "fileServices/default/shares",
        subject.inputs["shareName"],
    ),
    outputs=lambda subject: {
        "name": subject.inputs["shareName"],
        "type": "Microsoft.Storage/storageAccounts/fileServices/shares",
        "lastModifiedTime": CREATED,
    },
    checks=(
        name("shareName", r"[a-z0-9](-?[a-z0-9]){2,62}", "3 to 63 of a-z, 0-9 and single inner '-'"),
        # GiB on premium storage.
        between("shareQuota", 100, 102_400),
        one_of("rootSquash", ("NoRootSquash", "RootSquash", "AllSquash"), "a way of squashing"),
        _squash_is_for_nfs,
    ),
    conditions=(in_group, _account_takes_it),
    before_delete=(not_locked,),
)
