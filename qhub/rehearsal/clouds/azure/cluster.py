"""AKS clusters. Their control plane is a real API server, reached at 127.0.0.1."""

from __future__ import annotations

from typing import Any

from qhub.rehearsal.clouds import kubernetes
from qhub.rehearsal.clouds.azure.cluster_checks import CHECKS, CONDITIONS
from qhub.rehearsal.clouds.azure.credentials import note_kubeconfig
from qhub.rehearsal.clouds.azure.pools import CLOUD, set_nodes
from qhub.rehearsal.clouds.azure.tokens import (
    CLUSTER,
    IDENTITY,
    MAINTENANCE,
    TENANT,
    id_in_group,
    in_group,
    name,
    not_locked,
    subscription,
)
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.clouds.rules import Problems, between, matches, one_of
from qhub.rehearsal.clouds.subject import Subject

#: Patch of whatever minor version is asked for.
PATCH = "1"
_KIND = "Microsoft.ContainerService/managedClusters"
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _create(subject: Subject) -> None:
    kubernetes.start(
        subject,
        cloud=CLOUD,
        name=subject.inputs["resourceName"],
        version=str(subject.inputs["kubernetesVersion"]),
        region=subject.inputs["location"],
    )
    note_kubeconfig(subject)
    subject.save()
    _set_nodes(subject)


def _set_nodes(subject: Subject) -> None:
    cluster = subject.find(CLUSTER, subject.id)
    if cluster is None:
        raise subject.refuse("", "it is gone from the simulated cloud")
    for pool in subject.inputs.get("agentPoolProfiles") or ():
        set_nodes(subject, cluster, pool, name=pool["name"])


def _outputs(subject: Subject) -> dict[str, Any]:
    version = str(subject.inputs["kubernetesVersion"])
    called, place = subject.inputs["resourceName"], subject.inputs["location"]
    prefix = subject.get("dnsPrefix") or called
    group = subject.get("nodeResourceGroup") or f"MC_{subject.inputs['resourceGroupName']}_{called}_{place}"[:80]
    kubelet = f"/subscriptions/{subscription(subject)}/resourceGroups/{group}/providers/"
    return {
        "name": called,
        "type": _KIND,
        "nodeResourceGroup": group,
        "currentKubernetesVersion": version if version.count(".") > 1 else f"{version}.{PATCH}",
        "fqdn": f"{prefix}-{subject.hex(8, 'dns')}.hcp.{place}.azmk8s.io",
        "identity": _identity_outputs(subject),
        "identityProfile": {
            "kubeletidentity": {
                "resourceId": f"{kubelet}Microsoft.ManagedIdentity/userAssignedIdentities/{called}-agentpool",
                "clientId": subject.uuid("kubelet client"),
                "objectId": subject.uuid("kubelet"),
            }
        },
        "oidcIssuerProfile": {
            **(subject.get("oidcIssuerProfile") or {}),
            "issuerURL": f"https://{place}.oic.prod-aks.azure.com/{TENANT}/{subject.uuid('issuer')}/",
        },
        "powerState": {"code": "Running"},
        "maxAgentPools": 100,
        "provisioningState": "Succeeded",
        "resourceUID": subject.hex(24, "uid"),
    }


def _identity_outputs(subject: Subject) -> dict[str, Any]:
    """Return the identity as it comes out: a list of ids going in is an object by id."""
    given = subject.get("identity") or {"type": "SystemAssigned"}
    found = {wanted: subject.find(IDENTITY, wanted) for wanted in given.get("userAssignedIdentities") or ()}
    return {
        "type": given["type"],
        "userAssignedIdentities": {
            wanted: {"principalId": one.get("principalId"), "clientId": one.get("clientId")}
            for wanted, one in found.items()
            if one is not None
        },
    }


def _update_seconds(subject: Subject) -> float:
    # A new version replaces the control plane's parts and every node of the system pool.
    return 900 if subject.changed("kubernetesVersion") else 60


def _cluster_is_there(subject: Subject) -> Problems:
    group, wanted = subject.get("resourceGroupName"), subject.get("resourceName")
    if subject.one(CLUSTER, resourceGroupName=group, name=wanted) is None:
        yield "resourceName", f"there is no cluster {wanted!r} in the group"


CLUSTER_TYPE = ResourceType(
    token=CLUSTER,
    # Four to seven minutes, its first node included.
    create_seconds=300,
    update_seconds=_update_seconds,
    delete_seconds=240,
    autoname=AutoName(property="resourceName", separator="", digits=8),
    replaced_by=(
        "resourceName",
        "resourceGroupName",
        "location",
        "dnsPrefix",
        "nodeResourceGroup",
        "networkProfile.podCidr",
        "networkProfile.serviceCidr",
        "networkProfile.dnsServiceIP",
        "networkProfile.loadBalancerSku",
    ),
    id=lambda subject: id_in_group(subject, _KIND, subject.inputs["resourceName"]),
    outputs=_outputs,
    # The identity's form going in is not that coming out: a preview must not hand the one on as the other.
    computed=("oidcIssuerProfile.issuerURL", "identity.*"),
    checks=CHECKS,
    conditions=(in_group, *CONDITIONS),
    before_delete=(not_locked,),
    during_create=_create,
    after_update=_set_nodes,
    after_delete=kubernetes.stop,
)

MAINTENANCE_TYPE = ResourceType(
    token=MAINTENANCE,
    create_seconds=3,
    delete_seconds=3,
    replaced_by=("configName", "resourceName", "resourceGroupName"),
    id=lambda subject: id_in_group(
        subject, _KIND, subject.inputs["resourceName"], "maintenanceConfigurations", subject.inputs["configName"]
    ),
    outputs=lambda subject: {"name": subject.inputs["configName"], "type": f"{_KIND}/maintenanceConfigurations"},
    checks=(
        name(
            "configName", r"default|aksManagedAutoUpgradeSchedule|aksManagedNodeOSUpgradeSchedule", "one of AKS' names"
        ),
        between("maintenanceWindow.durationHours", 4, 24),
        matches("maintenanceWindow.startTime", r"([01]\d|2[0-3]):[0-5]\d", "a time of day: 04:00"),
        matches("maintenanceWindow.utcOffset", r"[+-]\d{2}:\d{2}", "an offset: +00:00"),
        one_of("maintenanceWindow.schedule.weekly.dayOfWeek", _DAYS, "a day of the week"),
        between("maintenanceWindow.schedule.weekly.intervalWeeks", 1, 4),
    ),
    conditions=(in_group, _cluster_is_there),
)
