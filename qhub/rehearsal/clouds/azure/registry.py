"""Container registries."""

from __future__ import annotations

from typing import Any

from qhub.rehearsal.clouds.azure.tokens import (
    CREATED,
    REGISTRY,
    id_in_group,
    in_group,
    location,
    name,
    not_locked,
    tags,
)
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.clouds.rules import Problems, one_of
from qhub.rehearsal.clouds.subject import Subject


def _tier_has_it(subject: Subject) -> Problems:
    if subject.get("sku.name") != "Premium":
        if subject.get("zoneRedundancy") == "Enabled":
            yield "zoneRedundancy", "needs the Premium SKU"
        if subject.get("publicNetworkAccess") == "Disabled":
            yield "publicNetworkAccess", "Disabled needs the Premium SKU"


def _outputs(subject: Subject) -> dict[str, Any]:
    return {
        "name": subject.inputs["registryName"],
        "type": "Microsoft.ContainerRegistry/registries",
        "loginServer": f"{subject.inputs['registryName'].lower()}.azurecr.io",
        "creationDate": CREATED,
        "provisioningState": "Succeeded",
    }


REGISTRY_TYPE = ResourceType(
    token=REGISTRY,
    create_seconds=15,
    update_seconds=10,
    delete_seconds=10,
    autoname=AutoName(property="registryName", separator="", digits=8),
    # Among all of Azure.
    unique=("registryName",),
    replaced_by=("registryName", "resourceGroupName", "location"),
    id=lambda subject: id_in_group(subject, "Microsoft.ContainerRegistry/registries", subject.inputs["registryName"]),
    outputs=_outputs,
    checks=(
        name("registryName", r"[A-Za-z0-9]{5,50}", "5 to 50 letters and digits"),
        one_of("sku.name", ("Basic", "Standard", "Premium"), "a SKU of registries"),
        location(),
        tags(),
        _tier_has_it,
    ),
    conditions=(in_group,),
    before_delete=(not_locked,),
)
