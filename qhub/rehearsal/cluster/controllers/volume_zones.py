"""Where a volume lies: disks of most clouds are in one zone, and no node in another one can use them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from qhub.rehearsal.cluster.controllers.actions import Json, World
from qhub.rehearsal.cluster.controllers.pods import Pod
from qhub.rehearsal.cluster.controllers.pools import CONFIG_MAPS, ZONE_LABEL, annotation, pools_of
from qhub.rehearsal.cluster.controllers.storage_names import AZURE_DISK, CLAIMS, EBS, PERSISTENT_DISK, VOLUMES
from qhub.rehearsal.cluster.nodes import NODES

#: On a claim whose class waits for its first pod: the node that the scheduler has chosen for that pod.
SELECTED_NODE = "volume.kubernetes.io/selected-node"

#: Classes that AKS brings. In a cluster of several zones their disks are in all of these (learn.microsoft.com, "Storage
#: options for applications in AKS": zone-redundant storage in the built-in classes since Kubernetes 1.29).
AKS_CLASSES = frozenset({"default", "managed", "managed-premium", "managed-csi", "managed-csi-premium"})


@dataclass(frozen=True, kw_only=True)
class Zones:
    """The zones of a cluster.

    Attributes:
        of_nodes: zone of each node that has one, by the node's name.
        of_pools: zones in which nodes of its pools may be.
    """

    of_nodes: Mapping[str, str]
    of_pools: frozenset[str]

    @classmethod
    def of(cls, world: World) -> Zones:
        """Return them from nodes and pools."""
        labels = {node["metadata"]["name"]: node["metadata"].get("labels") or {} for node in world[NODES]}
        pools = pools_of(world[CONFIG_MAPS]).values()
        return cls(
            of_nodes={name: found[ZONE_LABEL] for name, found in labels.items() if found.get(ZONE_LABEL)},
            of_pools=frozenset(zone for pool in pools for zone in pool.node.zones),
        )

    def choose(self, claim: Json, storage_class: Json) -> str:
        """Return the zone of a claim's new disk; empty for one that every node can use.

        The chosen node's zone. A class that does not wait for a pod has its disk in one of the zones with nodes,
        whichever: that is what such a class is warned of.
        """
        if not self.of_nodes or not self._is_zonal(claim, storage_class):
            return ""
        if selected := annotation(claim, SELECTED_NODE):
            return self.of_nodes.get(selected, "")
        known = sorted(set(self.of_nodes.values()))
        digest = hashlib.sha256(claim["metadata"]["uid"].encode()).digest()
        return known[digest[0] % len(known)]

    def _is_zonal(self, claim: Json, storage_class: Json) -> bool:
        asked = annotation(claim, "volume.kubernetes.io/storage-provisioner")
        parameters = {key.lower(): value for key, value in (storage_class.get("parameters") or {}).items()}
        if asked == EBS:
            return True
        if asked == PERSISTENT_DISK:
            return parameters.get("replication-type") != "regional-pd"
        if asked == AZURE_DISK:
            redundant = any(parameters.get(key, "").endswith("_ZRS") for key in ("skuname", "storageaccounttype"))
            spread = storage_class["metadata"]["name"] in AKS_CLASSES and len(self.of_pools) > 1
            return not redundant and not spread
        return False  # DigitalOcean's are in a region, which is one place


def pinned(pods: Iterable[Pod], world: World) -> list[Pod]:
    """Return pods with the zones of their disks in their node selectors, as the scheduler would have it."""
    volumes = {volume["metadata"]["name"]: volume for volume in world.get(VOLUMES, ())}
    zones = {
        (claim["metadata"]["namespace"], claim["metadata"]["name"]): _zones(volumes[claim["spec"]["volumeName"]])
        for claim in world.get(CLAIMS, ())
        if claim["spec"].get("volumeName") in volumes
    }
    return [_pinned(pod, zones) for pod in pods]


def _pinned(pod: Pod, zones: Mapping[tuple[str, str], set[str]]) -> Pod:
    found: set[str] = set()
    for name in claims_of(pod.name, pod.spec):
        found |= zones.get((pod.namespace, name), set())
    if not found:
        return pod
    # Two disks in two zones leave no node at all: no zone has a name like this.
    selector = {**(pod.spec.get("nodeSelector") or {}), ZONE_LABEL: " and ".join(sorted(found))}
    return replace(pod, spec={**pod.spec, "nodeSelector": selector})


def _zones(volume: Json) -> set[str]:
    terms = ((volume["spec"].get("nodeAffinity") or {}).get("required") or {}).get("nodeSelectorTerms") or []
    return {
        value
        for term in terms
        for one in term.get("matchExpressions") or []
        if one["key"] == ZONE_LABEL
        for value in one["values"]
    }


def claims_of(pod: str, spec: Json) -> list[str]:
    """Return the names of the claims that a pod uses."""
    names = []
    for volume in spec.get("volumes") or []:
        if named := volume.get("persistentVolumeClaim"):
            names.append(named["claimName"])
        elif "ephemeral" in volume:
            names.append(f"{pod}-{volume['name']}")
    return names
