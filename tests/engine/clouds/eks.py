"""A stack with an EKS cluster of the simulated AWS, made by the program's own components."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from qhub.rehearsal.cluster.api import Api
from qhub.rehearsal.cluster.pki import Pki
from qhub.rehearsal.cluster.state import load_state
from qhub.rehearsal.simulated import NodeReport, SimulatedKubernetes, kubernetes_of
from tests.engine.clouds.stack import CloudStack

CHARTS = Path(__file__).parents[3] / "qhub" / "rehearsal" / "charts"
NAME, REGION = "team", "eu-west-1"


@dataclass
class EksStack(CloudStack):
    """A stack of `programs/eks.py`.

    Attributes:
        cluster: the section `cluster` of its settings; changed by a test, written before each run.
    """

    cluster: dict[str, Any] = field(
        default_factory=lambda: {
            "provider": "aws",
            "name": NAME,
            "region": REGION,
            "protect": False,
            "registry": False,
            "network": {"zones": [f"{REGION}a", f"{REGION}b"]},
            "node_pools": {
                "general": {"min": 1, "max": 2},
                "user": {"min": 1, "max": 3, "zones": [f"{REGION}a"]},
                "worker": {"min": 0, "max": 2},
            },
        }
    )

    def pulumi(self, *args: str, fails: bool = False) -> str:
        """Write the settings down, run `pulumi ARGS`, assert that it succeeds (or `fails`), return what it says."""
        file = self.folder / f"Pulumi.{self.name}.yaml"
        yaml = YAML()
        document = (yaml.load(file) if file.exists() else None) or {}
        sections = {
            "domain": "qhub.localhost",
            "cluster": self.cluster,
            "authentication": {"type": "dummy"},
            "storage": {"kind": "nfs-server", "protect": False},
            "charts": {"mirror": str(CHARTS)},
        }
        document["config"] = {f"{self.name}:{name}": section for name, section in sections.items()}
        yaml.dump(document, file)
        return super().pulumi(*args, fails=fails)

    def touched(self, *args: str) -> dict[str, list[str]]:
        """Run `pulumi up ARGS` and return what it did in the cloud: `Type:name` -> operations, in their order."""
        before = len(self.world.events())
        self.up(*args)
        found: dict[str, list[str]] = {}
        for event in self.world.events()[before:]:
            assert event.result == "done", event
            found.setdefault(f"{event.type.rsplit(':', 1)[-1]}:{event.name}", []).append(event.operation)
        return found

    def inputs(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return what the cloud was asked for, by logical name, of the resources of a type such as `NodeGroup`."""
        return {one.name: one.inputs for one in self.world.left() if one.type.endswith(f":{kind}")}

    @property
    def kubernetes(self) -> SimulatedKubernetes:
        """The Kubernetes of the cluster."""
        return kubernetes_of(self.world.folder, cloud="aws", name=NAME, region=REGION)

    @property
    def api(self) -> Api:
        """The administrator's client."""
        folder = self.kubernetes.folder
        port = load_state(folder / "state.json").ports["kube-apiserver"]
        return Api(port, pki=Pki(folder / "pki"), identity="admin")

    def nodes(self, pool: str) -> list[NodeReport]:
        """Return the nodes of a pool that are Ready."""
        return [node for node in self.kubernetes.nodes() if node.pool.startswith(f"{NAME}-{pool}-") and node.ready]

    def names(self, pool: str) -> set[str]:
        """Return the names of the nodes of a pool that are Ready."""
        return {node.name for node in self.nodes(pool)}


def of_type(touched: Iterable[str], *kinds: str) -> set[str]:
    """Return what of `Type:name` is of these types."""
    return {one for one in touched if one.partition(":")[0] in kinds}
