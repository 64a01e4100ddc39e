"""What a simulated cluster has beside every embedded one: nodes out of pools, and its cloud's storage classes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qhub.rehearsal.cluster.controllers.autoscaler import IDENTITY, IDENTITY_NAME
from qhub.rehearsal.cluster.controllers.pods_starting import READY_AT
from qhub.rehearsal.cluster.manifests import READ, role, rule
from qhub.rehearsal.cluster.nodes import SimulatedNodes
from qhub.rehearsal.cluster.pki import IDENTITIES, Identity
from qhub.rehearsal.simulated.storage_classes import storage_classes

Json = dict[str, Any]


@dataclass(frozen=True)
class PooledNodes(SimulatedNodes):
    """Nodes kept by kwok and made by the autoscaler of our controllers.

    Attributes:
        cloud: whose storage classes the cluster gets; empty: none beside the embedded cluster's own.
    """

    nodes: tuple[()] = ()
    cloud: str = ""

    @property
    def identities(self) -> Mapping[str, Identity]:
        """kwok's user and the autoscaler's. Our controllers run an autoscaler where they find its certificate."""
        return {**super().identities, IDENTITY_NAME: IDENTITY}

    @property
    def manifests(self) -> Mapping[str, Json]:
        """kwok's rights, the autoscaler's, and the storage classes."""
        rights = [
            rule(["nodes"], [*READ, "create", "patch", "delete"]),
            rule(["nodes/status"], ["patch"]),
            rule(["pods"], [*READ, "delete"]),
            rule(["configmaps"], [*READ, "patch", "delete"]),
            rule(["events"], ["create"]),
            rule(["leases"], ["delete"], group="coordination.k8s.io"),
            rule(["daemonsets"], READ, group="apps"),
            rule(["persistentvolumeclaims", "persistentvolumes"], READ),
        ]
        return {
            **super().manifests,
            **role(IDENTITY.user, rights),
            **(_rights_of_cloud() if self.cloud else {}),
            **storage_classes(self.cloud),
        }

    def stage(self, path: Path) -> str:
        """Return a stage; on a cloud, kwok waits until our controller has written down when a pod is Ready."""
        text = super().stage(path)
        if not self.cloud or path.name != "pod-ready.yaml":
            return text
        from ruamel.yaml import YAML

        stage = YAML(typ="safe").load(text)
        known = {"key": f'.metadata.annotations["{READY_AT}"]', "operator": "Exists"}
        stage["spec"]["selector"]["matchExpressions"].append(known)
        return json.dumps(stage) + "\n"


def _rights_of_cloud() -> dict[str, Json]:
    """Return what our controllers may do in the cluster of a cloud, where things take time and lie in zones."""
    rights = [
        rule(["pods", "nodes"], [*READ, "patch"]),
        rule(["configmaps"], READ),
        rule(["persistentvolumeclaims", "services"], ["patch"]),
    ]
    return role(IDENTITIES["controllers"].user, rights, name="rehearsal-controllers-of-cloud")
