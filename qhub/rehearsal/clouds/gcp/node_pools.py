"""Node pools of GKE. Nodes are those of the simulated Kubernetes, and so is the autoscaler."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qhub.config import instances
from qhub.config.gcp_machines import ATTACHED_GPUS, HYPERDISK_ONLY, family
from qhub.config.regions import zones_of
from qhub.rehearsal.clouds import kubernetes
from qhub.rehearsal.clouds.gcp.tokens import ACCOUNT, CLUSTER, NODE_POOL, labels, project
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.clouds.rules import Problems, between, matches, one_of
from qhub.rehearsal.clouds.subject import Subject
from qhub.rehearsal.clouds.world import Record

#: Words of Google's API -> words of Kubernetes.
EFFECTS = {"NO_SCHEDULE": "NoSchedule", "PREFER_NO_SCHEDULE": "PreferNoSchedule", "NO_EXECUTE": "NoExecute"}
_GPUS = "nodeConfig.guestAccelerators"
#: Note of a pool: GKE put its taint on nodes with GPUs.
_TAINTED = "gpu taint"


def _limits_fit(subject: Subject) -> Problems:
    total = [subject.given(f"autoscaling.{key}") for key in ("totalMinNodeCount", "totalMaxNodeCount")]
    zonal = [subject.given(f"autoscaling.{key}") for key in ("minNodeCount", "maxNodeCount")]
    if any(total) and any(zonal):
        yield "autoscaling", "limits in total and limits for each zone cannot be used together"
    if subject.given("autoscaling") and not any((*total, *zonal)):
        yield "autoscaling", "limits are required: totalMinNodeCount and totalMaxNodeCount"
    for least, most in (("totalMinNodeCount", "totalMaxNodeCount"), ("minNodeCount", "maxNodeCount")):
        low, high = subject.get(f"autoscaling.{least}", 0), subject.get(f"autoscaling.{most}")
        if high is not None and low > high:
            yield f"autoscaling.{least}", f"{low} is more than {most} ({high})"
    if subject.given("autoscaling") and subject.given("nodeCount"):
        yield "nodeCount", "cannot be used together with autoscaling"


def _upgrade_makes_progress(subject: Subject) -> Problems:
    if not subject.given("upgradeSettings") or subject.get("upgradeSettings.strategy") == "BLUE_GREEN":
        return
    surge, away = subject.get("upgradeSettings.maxSurge", 0), subject.get("upgradeSettings.maxUnavailable", 0)
    if surge + away < 1 or surge + away > 20:
        yield "upgradeSettings", f"maxSurge ({surge}) and maxUnavailable ({away}) must be 1 to 20 together"


def _gpus_fit(subject: Subject) -> Problems:
    kind = subject.get("nodeConfig.machineType")
    machine = instances.find("gcp", str(kind))
    wanted = [one for one in subject.get(_GPUS) or () if isinstance(one, dict)]
    for place, one in enumerate(wanted):
        at, name, count = f"{_GPUS}[{place}]", one.get("type"), one.get("count")
        if machine is None:
            continue
        if machine.gpus and (name, count) != (machine.gpu, machine.gpus):
            yield at, f"{kind} has {machine.gpus} of {machine.gpu}, not {count} of {name}"
        elif not machine.gpus and family(str(kind)) != "n1":
            yield at, f"{kind} takes no GPUs: an n1 type does"
        elif not machine.gpus and name not in ATTACHED_GPUS:
            yield f"{at}.type", f"{name!r} is no GPU that n1 takes: {', '.join(ATTACHED_GPUS)}"
        elif not machine.gpus and count not in ATTACHED_GPUS[str(name)]:
            yield (
                f"{at}.count",
                f"{count} of {name} cannot be attached: {', '.join(map(str, ATTACHED_GPUS[str(name)]))}",
            )


def _disk_fits(subject: Subject) -> Problems:
    machine, disk = str(subject.get("nodeConfig.machineType", "")), subject.get("nodeConfig.diskType")
    if disk is not None and family(machine) in HYPERDISK_ONLY and not str(disk).startswith("hyperdisk-"):
        yield "nodeConfig.diskType", f"[{disk}] features are not compatible for creating instance: {machine}"


def _taints_differ(subject: Subject) -> Problems:
    seen: set[tuple[Any, Any]] = set()
    for place, taint in subject.each("nodeConfig.taints[*]"):
        one = (taint.get("key"), taint.get("effect"))
        if one in seen:
            yield place, f"two taints have the key {one[0]} and the effect {one[1]}"
        seen.add(one)


def _cluster(subject: Subject) -> Record | None:
    name = str(subject.get("cluster", "")).rsplit("/", 1)[-1]
    return subject.one(CLUSTER, name=name, location=subject.get("location"))


def _cluster_takes_it(subject: Subject) -> Problems:
    cluster = _cluster(subject)
    if cluster is None:
        yield "cluster", f"there is no Cluster {subject.get('cluster')!r} in {subject.get('location')}"
        return
    channel = cluster.get("releaseChannel.channel", "UNSPECIFIED")
    if channel != "UNSPECIFIED" and subject.get("management.autoUpgrade", True) is not True:
        yield "management.autoUpgrade", f"must be true when release_channel {channel} is set"
    known = zones_of("gcp", str(subject.get("location")))
    for place, zone in subject.each("nodeLocations[*]"):
        if known and zone not in known:
            yield place, f"{zone} is not in {subject.get('location')}, the cluster's region"


def _account_is_there(subject: Subject) -> Problems:
    email = subject.get("nodeConfig.serviceAccount")
    if email not in (None, "default") and subject.one(ACCOUNT, email=email) is None:
        yield "nodeConfig.serviceAccount", f"Service account {email} does not exist."


def _replaces(subject: Subject) -> Iterator[str]:
    """GPUs can neither come nor go nor change; how their driver gets there is part of them."""
    if subject.changed(_GPUS):
        yield _GPUS


def _make(subject: Subject) -> None:
    others = [one for one in subject.all(NODE_POOL, cluster=subject.get("cluster")) if not one.get(_GPUS)]
    subject.notes[_TAINTED] = bool(subject.get(_GPUS)) and bool(others)
    _set_nodes(subject)


def _set_nodes(subject: Subject) -> None:
    cluster = _cluster(subject)
    if cluster is None:
        raise subject.refuse("cluster", "it is gone from the simulated cloud")
    config, scaling = subject.inputs.get("nodeConfig") or {}, subject.inputs.get("autoscaling") or {}
    zones = subject.get("nodeLocations") or cluster.get("nodeLocations") or ()
    fixed = (subject.get("nodeCount") or subject.get("initialNodeCount") or 0) * max(1, len(zones))
    least = scaling.get("totalMinNodeCount", scaling.get("minNodeCount", 0) * len(zones)) if scaling else fixed
    most = scaling.get("totalMaxNodeCount", scaling.get("maxNodeCount", 0) * len(zones)) if scaling else fixed
    gpus = config.get("guestAccelerators") or ()
    kubernetes.set_pool(
        subject,
        cluster,
        cloud="gcp",
        name=subject.inputs["name"],
        instance_type=config.get("machineType", "e2-medium"),
        min=least,
        max=most,
        region=cluster.get("location"),
        zones=zones,
        labels=_node_labels(subject, config),
        taints=_node_taints(subject, config),
        gpus=gpus[0]["count"] if gpus else None,
        spot=bool(config.get("spot")),
    )


def _node_labels(subject: Subject, config: dict[str, Any]) -> dict[str, str]:
    """Return the labels of a node: those that were asked for, and GKE's own (cloud.google.com/kubernetes-engine)."""
    gpus = config.get("guestAccelerators") or ()
    return {
        **(config.get("labels") or {}),
        "cloud.google.com/gke-nodepool": subject.inputs["name"],
        "cloud.google.com/gke-os-distribution": "cos",
        "cloud.google.com/gke-boot-disk": config.get("diskType", "pd-balanced"),
        "cloud.google.com/machine-family": family(config.get("machineType", "e2-medium")),
        "cloud.google.com/gke-provisioning": "spot" if config.get("spot") else "standard",
        "iam.gke.io/gke-metadata-server-enabled": "true",
        **({"cloud.google.com/gke-spot": "true"} if config.get("spot") else {}),
        **({"cloud.google.com/gke-accelerator": gpus[0]["type"]} if gpus else {}),
    }


def _node_taints(subject: Subject, config: dict[str, Any]) -> list[dict[str, str]]:
    """Return the taints of a node: those that were asked for, and GKE's own for GPUs and Arm."""
    made = [{**taint, "effect": EFFECTS[taint["effect"]]} for taint in config.get("taints") or ()]
    machine = instances.find("gcp", config.get("machineType", "e2-medium"))
    if subject.notes.get(_TAINTED):
        made.append({"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"})
    if machine is not None and machine.architecture == "arm64":
        made.append({"key": "kubernetes.io/arch", "value": "arm64", "effect": "NoSchedule"})
    return made


def _remove_nodes(subject: Subject) -> None:
    kubernetes.remove_pool(subject, _cluster(subject), subject.inputs["name"])


def _outputs(subject: Subject) -> dict[str, Any]:
    cluster = _cluster(subject)
    return {
        "project": project(subject),
        "version": cluster.get("masterVersion", "") if cluster else "",
        "instanceGroupUrls": [],
        "managedInstanceGroupUrls": [],
    }


NODE_POOL_TYPE = ResourceType(
    token=NODE_POOL,
    autoname=AutoName(),
    # The nodes' own time comes from the simulated Kubernetes; this is the pool without any.
    create_seconds=30,
    update_seconds=30,
    delete_seconds=120,
    replaced_by=(
        "name",
        "cluster",
        "location",
        "project",
        "initialNodeCount",
        "maxPodsPerNode",
        "placementPolicy",
        "nodeConfig.spot",
        "nodeConfig.preemptible",
        "nodeConfig.serviceAccount",
        "nodeConfig.oauthScopes",
        "nodeConfig.shieldedInstanceConfig",
        "nodeConfig.minCpuPlatform",
        "nodeConfig.localSsdCount",
    ),
    replaces=_replaces,
    id=lambda subject: (
        f"projects/{project(subject)}/locations/{subject.inputs['location']}/clusters/"
        f"{str(subject.inputs['cluster']).rsplit('/', 1)[-1]}/nodePools/{subject.inputs['name']}"
    ),
    outputs=_outputs,
    checks=(
        matches("name", r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", "1 to 40 of a-z, 0-9 and inner '-', a letter first"),
        one_of("nodeConfig.machineType", instances.names("gcp"), "a machine type in the catalogue"),
        one_of("nodeConfig.taints[*].effect", EFFECTS, "an effect in Google's spelling"),
        one_of("nodeConfig.imageType", ("COS_CONTAINERD", "UBUNTU_CONTAINERD", "WINDOWS_LTSC_CONTAINERD")),
        one_of("nodeConfig.workloadMetadataConfig.mode", ("GKE_METADATA", "GCE_METADATA", "MODE_UNSPECIFIED")),
        one_of("autoscaling.locationPolicy", ("BALANCED", "ANY")),
        one_of("upgradeSettings.strategy", ("SURGE", "BLUE_GREEN", "SHORT_LIVED")),
        one_of(
            f"{_GPUS}[*].gpuDriverInstallationConfig.gpuDriverVersion",
            ("DEFAULT", "LATEST", "INSTALLATION_DISABLED", "GPU_DRIVER_VERSION_UNSPECIFIED"),
        ),
        between("nodeConfig.diskSizeGb", 10, 65536),
        between("autoscaling.totalMaxNodeCount", 1, 5000),
        between("autoscaling.totalMinNodeCount", 0, 5000),
        labels("nodeConfig.resourceLabels"),
        _limits_fit,
        _upgrade_makes_progress,
        _gpus_fit,
        _disk_fits,
        _taints_differ,
    ),
    conditions=(_cluster_takes_it, _account_is_there),
    during_create=_make,
    after_update=_set_nodes,
    after_delete=_remove_nodes,
)
