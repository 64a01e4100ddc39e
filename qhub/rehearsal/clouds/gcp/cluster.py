"""GKE clusters. Their control plane is a real API server, reached at 127.0.0.1."""

from __future__ import annotations

from typing import Any

from qhub.config.regions import regions, zones_of
from qhub.rehearsal.clouds import kubernetes
from qhub.rehearsal.clouds.gcp.tokens import (
    ACCOUNT,
    CLUSTER,
    NETWORK,
    SUBNETWORK,
    all_zones,
    label_outputs,
    labels,
    last,
    names,
    project,
    service_is_on,
)
from qhub.rehearsal.clouds.gcp.trust import distrust, trust
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.clouds.rules import Problems, address_range, between, matches, not_protected, one_of
from qhub.rehearsal.clouds.subject import Subject

#: Patch and GKE's own number of whatever minor version is asked for.
PATCH = "1-gke.1567000"
#: Note of a cluster: the authority of its certificate, which clients trust while it is there.
_AUTHORITY = "authority"
_RANGES = ("ipAllocationPolicy.clusterSecondaryRangeName", "ipAllocationPolicy.servicesSecondaryRangeName")


def _is_in_its_region(subject: Subject) -> Problems:
    location = str(subject.get("location", ""))
    region = location if location in regions("gcp") else location.rpartition("-")[0]
    known = zones_of("gcp", region)
    for place, zone in subject.each("nodeLocations[*]"):
        if known and zone not in known:
            yield place, f"{zone} is not in {region}, the cluster's region ({', '.join(known)})"


def _default_pool_can_go(subject: Subject) -> Problems:
    if subject.get("removeDefaultNodePool") is True and subject.get("initialNodeCount", 0) < 1:
        yield "initialNodeCount", "must be at least 1 with removeDefaultNodePool: a cluster is made with a pool"
    if subject.get("removeDefaultNodePool") is not True and not subject.given("initialNodeCount"):
        yield "initialNodeCount", "is required without removeDefaultNodePool"


def _is_vpc_native(subject: Subject) -> Problems:
    if subject.get("networkingMode") == "VPC_NATIVE" and not subject.given("ipAllocationPolicy"):
        yield "ipAllocationPolicy", "is required with networkingMode VPC_NATIVE"


def _identity_is_the_projects(subject: Subject) -> Problems:
    pool, expected = subject.get("workloadIdentityConfig.workloadPool"), f"{project(subject)}.svc.id.goog"
    if pool is not None and pool != expected:
        yield "workloadIdentityConfig.workloadPool", f"{pool!r} must be {expected!r}"


def _automatic_pools_have_limits(subject: Subject) -> Problems:
    if subject.get("clusterAutoscaling.enabled") is True and not subject.given("clusterAutoscaling.resourceLimits"):
        yield "clusterAutoscaling.resourceLimits", "is required with enabled: limits of cpu and memory"


def _ranges_are_there(subject: Subject) -> Problems:
    home = subject.one(SUBNETWORK, name=last(subject.get("subnetwork")))
    if home is None:
        return
    known = home.each("secondaryIpRanges[*].rangeName")
    for path in _RANGES:
        name = subject.get(path)
        if name is not None and name not in known:
            yield path, f"subnetwork {home.get('name')} has no secondary range {name!r}; it has: {', '.join(known)}"
    location = str(subject.get("location", ""))
    if not location.startswith(str(home.get("region"))):
        yield "subnetwork", f"{home.get('name')} is in {home.get('region')}, the cluster in {location}"


def _account_is_there(subject: Subject) -> Problems:
    email = subject.get("nodeConfig.serviceAccount")
    if email not in (None, "default") and subject.one(ACCOUNT, email=email) is None:
        yield "nodeConfig.serviceAccount", f"Service account {email} does not exist."


def _start(subject: Subject) -> None:
    kubernetes.start(
        subject,
        cloud="gcp",
        name=subject.inputs["name"],
        version=_version(subject),
        region=subject.inputs["location"],
    )
    _, certificate = kubernetes.endpoint(subject)
    subject.notes[_AUTHORITY] = certificate
    trust(subject.world.folder, certificate)


def _stop(subject: Subject) -> None:
    kubernetes.stop(subject)
    # None where it could not be started.
    if certificate := subject.notes.get(_AUTHORITY):
        distrust(subject.world.folder, certificate)


def _version(subject: Subject) -> str:
    """Return the minor version that was asked for; it is the control plane's."""
    return ".".join(str(subject.get("minMasterVersion", "1.34")).split(".")[:2])


def _outputs(subject: Subject) -> dict[str, Any]:
    server, certificate = kubernetes.endpoint(subject)
    address = server.removeprefix("https://")
    endpoints = subject.get("controlPlaneEndpointsConfig") or {}
    services = subject.one(SUBNETWORK, name=last(subject.get("subnetwork")))
    ranges = (services.get("secondaryIpRanges") if services else None) or ()
    named = {one["rangeName"]: one["ipCidrRange"] for one in ranges}
    return {
        "project": project(subject),
        # Name and address lead to the same place here.
        "endpoint": address,
        "masterAuth": {"clusterCaCertificate": certificate, "clientCertificate": "", "clientKey": ""},
        "controlPlaneEndpointsConfig": {
            **endpoints,
            "dnsEndpointConfig": {
                "allowExternalTraffic": False,
                **(endpoints.get("dnsEndpointConfig") or {}),
                "endpoint": address,
            },
        },
        "masterVersion": f"{_version(subject)}.{PATCH}",
        "labelFingerprint": subject.hex(8, "labels"),
        "selfLink": f"https://container.googleapis.com/v1/{subject.id}",
        "servicesIpv4Cidr": named.get(subject.get(_RANGES[1]), ""),
        **label_outputs(subject, "resourceLabels"),
    }


def _update_seconds(subject: Subject) -> float:
    if subject.changed("minMasterVersion"):
        return 900
    # Add-ons such as NodeLocal DNSCache make all nodes anew; the rest is one operation of the control plane.
    return 600 if subject.changed("addonsConfig.dnsCacheConfig") else 60


CLUSTER_TYPE = ResourceType(
    token=CLUSTER,
    autoname=AutoName(),
    # Five to eight minutes for a regional control plane with its first pool, and a minute until that is gone.
    create_seconds=420,
    update_seconds=_update_seconds,
    delete_seconds=240,
    replaced_by=(
        "name",
        "location",
        "project",
        "description",
        "network",
        "subnetwork",
        "networkingMode",
        "ipAllocationPolicy.clusterSecondaryRangeName",
        "ipAllocationPolicy.servicesSecondaryRangeName",
        "ipAllocationPolicy.clusterIpv4CidrBlock",
        "ipAllocationPolicy.servicesIpv4CidrBlock",
        "datapathProvider",
        "defaultMaxPodsPerNode",
        "enableAutopilot",
        "initialNodeCount",
        "nodeConfig",
        "privateClusterConfig.masterIpv4CidrBlock",
    ),
    defaults={"deletionProtection": True, "networkingMode": "VPC_NATIVE"},
    id=lambda subject: (
        f"projects/{project(subject)}/locations/{subject.inputs['location']}/clusters/{subject.inputs['name']}"
    ),
    outputs=_outputs,
    computed=("controlPlaneEndpointsConfig.dnsEndpointConfig.endpoint",),
    checks=(
        matches("name", r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", "1 to 40 of a-z, 0-9 and inner '-', a letter first"),
        one_of("location", (*regions("gcp"), *all_zones()), "a region or zone of Google Cloud"),
        matches("minMasterVersion", r"1\.\d+(\.\d+(-gke\.\d+)?)?|latest", "a version: 1.34, 1.34.1 or 1.34.1-gke.1"),
        one_of("releaseChannel.channel", ("UNSPECIFIED", "RAPID", "REGULAR", "STABLE", "EXTENDED")),
        one_of("datapathProvider", ("DATAPATH_PROVIDER_UNSPECIFIED", "LEGACY_DATAPATH", "ADVANCED_DATAPATH")),
        one_of("networkingMode", ("VPC_NATIVE", "ROUTES")),
        one_of("clusterAutoscaling.autoscalingProfile", ("BALANCED", "OPTIMIZE_UTILIZATION")),
        one_of("gatewayApiConfig.channel", ("CHANNEL_STANDARD", "CHANNEL_EXPERIMENTAL", "CHANNEL_DISABLED")),
        address_range("masterAuthorizedNetworksConfig.cidrBlocks[*].cidrBlock", largest=0, smallest=32),
        matches(
            "maintenancePolicy.dailyMaintenanceWindow.startTime", r"([01]\d|2[0-3]):[0-5]\d", "a time of day: 02:00"
        ),
        between("defaultMaxPodsPerNode", 8, 256),
        labels("resourceLabels"),
        _is_in_its_region,
        _default_pool_can_go,
        _is_vpc_native,
        _identity_is_the_projects,
        _automatic_pools_have_limits,
    ),
    conditions=(
        service_is_on("container"),
        names("network", NETWORK),
        names("subnetwork", SUBNETWORK),
        _ranges_are_there,
        _account_is_there,
    ),
    before_delete=(not_protected("deletionProtection"),),
    during_create=_start,
    after_delete=_stop,
)
