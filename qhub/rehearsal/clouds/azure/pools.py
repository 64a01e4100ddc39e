"""What the cluster's own pool and the other pools have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from qhub.config import instances
from qhub.config.regions import zones_of
from qhub.rehearsal.clouds import kubernetes
from qhub.rehearsal.clouds.resource import Check
from qhub.rehearsal.clouds.rules import Problems, between, matches, one_of
from qhub.rehearsal.clouds.subject import Subject
from qhub.rehearsal.clouds.world import Record

CLOUD = "azure"
#: Twelve small letters and digits, a letter first (learn.microsoft.com/azure/aks/create-node-pools).
POOL_NAME = r"[a-z][a-z0-9]{0,11}"
SPOT_TAINT = "kubernetes.azure.com/scalesetpriority=spot:NoSchedule"
SPOT_LABEL = "kubernetes.azure.com/scalesetpriority"

_TAINT = re.compile(r"(?P<key>[^=:]+)(=(?P<value>[^=:]*))?:(?P<effect>NoSchedule|PreferNoSchedule|NoExecute)")
_GIB = 1024**3


def pool_checks(prefix: str = "") -> tuple[Check, ...]:
    """Return the checks of a pool whose inputs lie at `prefix` (`agentPoolProfiles[*].`)."""

    def fits_together(subject: Subject) -> Problems:
        for place, pool in _pools(subject, prefix):
            for rule in (_numbers, _spot, _gpu, _system):
                yield from rule(place, pool)

    return (
        fits_together,
        one_of(f"{prefix}vmSize", instances.names(CLOUD), "a size of machine in the catalogue"),
        one_of(f"{prefix}mode", ("System", "User", "Gateway"), "a mode of pools"),
        one_of(f"{prefix}osSKU", ("Ubuntu", "Ubuntu2204", "AzureLinux", "AzureLinux3", "CBLMariner"), "a system"),
        one_of(f"{prefix}availabilityZones[*]", ("1", "2", "3"), "a zone"),
        matches(f"{prefix}nodeTaints[*]", _TAINT.pattern, "key=value:effect"),
        between(f"{prefix}maxPods", 10, 250),
        between(f"{prefix}osDiskSizeGB", 30, 2048),
        matches(f"{prefix}upgradeSettings.maxSurge", r"\d+|\d{1,3}%", "a number of nodes or a share: 33%"),
    )


def zone_problems(subject: Subject, location: str, paths: str) -> Problems:
    """Tell zones that the location does not have; for `conditions`."""
    known = zones_of(CLOUD, location)
    for place, zone in subject.each(paths):
        if zone not in known:
            yield place, f"zone {zone!r} is not supported in {location} (AvailabilityZoneNotSupported)"


def set_nodes(subject: Subject, cluster: Record, pool: Mapping[str, Any], *, name: str) -> None:
    """Bring the nodes of a pool into being, or change them.

    Args:
        subject: the cluster or the pool.
        cluster: record of the cluster.
        pool: inputs of the pool.
        name: the pool's name.
    """
    scales = bool(pool.get("enableAutoScaling"))
    count = node_count(pool)
    spot = pool.get("scaleSetPriority") == "Spot"
    taints = list(pool.get("nodeTaints") or ())
    location = cluster.get("location")
    kubernetes.set_pool(
        subject,
        cluster,
        cloud=CLOUD,
        name=name,
        instance_type=pool["vmSize"],
        min=(pool.get("minCount") or 0) if scales else count,
        max=pool["maxCount"] if scales else count,
        region=location,
        zones=[f"{location}-{zone}" for zone in pool.get("availabilityZones") or ()],
        labels=_node_labels(cluster, pool, name=name, spot=spot),
        # AKS puts it there by itself.
        taints=[_taint(one) for one in (*taints, *([SPOT_TAINT] if spot and SPOT_TAINT not in taints else []))],
        spot=spot,
    )


def node_count(pool: Mapping[str, Any]) -> int:
    """Return how many nodes a pool begins with: without `count`, the least that it may have."""
    return max(pool.get("count") or 0, pool.get("minCount") or 0)


def _node_labels(cluster: Record, pool: Mapping[str, Any], *, name: str, spot: bool) -> dict[str, str]:
    """Return the labels of a node: what was asked for, and AKS' own (learn.microsoft.com/azure/aks/use-labels)."""
    machine = instances.find(CLOUD, pool["vmSize"])
    return {
        **(pool.get("nodeLabels") or {}),
        "agentpool": name,
        "kubernetes.azure.com/agentpool": name,
        "kubernetes.azure.com/cluster": cluster.get("nodeResourceGroup", ""),
        "kubernetes.azure.com/mode": str(pool.get("mode", "User")).lower(),
        "kubernetes.azure.com/os-sku": pool.get("osSKU", "Ubuntu"),
        **({SPOT_LABEL: "spot"} if spot else {}),
        **({"accelerator": "nvidia", "kubernetes.azure.com/accelerator": "nvidia"} if machine and machine.gpus else {}),
    }


def _taint(text: str) -> dict[str, str]:
    found = _TAINT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a taint")
    return {"key": found["key"], "value": found["value"] or "", "effect": found["effect"]}


def _pools(subject: Subject, prefix: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Return (prefix of its place, inputs) of each pool. What is not known yet reads as absent."""
    if not prefix:
        return [("", {key: subject.get(key) for key in subject.inputs})]
    return [
        (f"{place}.", {key: subject.get(f"{place}.{key}") for key in pool})
        for place, pool in subject.each(prefix.removesuffix("."))
        if isinstance(pool, dict)
    ]


def _numbers(place: str, pool: Mapping[str, Any]) -> Problems:
    least, most, count = pool.get("minCount"), pool.get("maxCount"), pool.get("count")
    if pool.get("enableAutoScaling"):
        for key, value in (("minCount", least), ("maxCount", most)):
            if value is None:
                yield f"{place}{key}", "is required with enableAutoScaling"
        if least is not None and most is not None and least > most:
            yield f"{place}minCount", f"{least} is more than maxCount ({most})"
        if least is not None and most is not None and count is not None and not least <= count <= most:
            yield f"{place}count", f"{count} must be between minCount ({least}) and maxCount ({most})"
    elif least is not None or most is not None:
        yield f"{place}enableAutoScaling", "must be true where minCount or maxCount is given"
    for key, value in (("minCount", least), ("maxCount", most), ("count", count)):
        if value is not None and not 0 <= value <= 1000:
            yield f"{place}{key}", f"{value} must be between 0 and 1000"


def _spot(place: str, pool: Mapping[str, Any]) -> Problems:
    if pool.get("scaleSetPriority") == "Spot":
        if pool.get("mode") == "System":
            yield f"{place}scaleSetPriority", "a System pool cannot have spot nodes"
        if (pool.get("upgradeSettings") or {}).get("maxSurge"):
            yield f"{place}upgradeSettings.maxSurge", "cannot be given for spot nodes: there are none to spare"
        price = pool.get("spotMaxPrice")
        if price is not None and price != -1 and price <= 0:
            yield f"{place}spotMaxPrice", f"{price} must be a price above 0, or -1 for any"
    else:
        for key in ("scaleSetEvictionPolicy", "spotMaxPrice"):
            if pool.get(key) is not None:
                yield f"{place}{key}", "is for scaleSetPriority Spot only"


def _gpu(place: str, pool: Mapping[str, Any]) -> Problems:
    machine = instances.find(CLOUD, str(pool.get("vmSize")))
    if pool.get("gpuProfile") and machine is not None and not machine.gpus:
        yield f"{place}gpuProfile", f"{machine.name} has no GPU"


def _system(place: str, pool: Mapping[str, Any]) -> Problems:
    if pool.get("mode") != "System":
        return
    machine = instances.find(CLOUD, str(pool.get("vmSize")))
    if pool.get("enableAutoScaling") and (pool.get("minCount") or 0) < 1:
        yield f"{place}minCount", "a System pool has at least 1 node"
    if machine is not None and (machine.cores < 2 or machine.memory < 4 * _GIB):
        yield f"{place}vmSize", f"{machine.name} is too small for a System pool: 2 cores and 4 GiB"
