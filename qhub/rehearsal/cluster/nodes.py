"""Simulated nodes, which kwok keeps alive.

A simulated node is real to the API server and the scheduler: capacity, labels and taints count. Its pods become Ready
by the files in `stages/`; no container runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from qhub.rehearsal.cluster.api import UNREACHABLE, Api, ApiError
from qhub.rehearsal.cluster.control_plane import Host
from qhub.rehearsal.cluster.errors import ClusterError
from qhub.rehearsal.cluster.layout import Layout, write_private
from qhub.rehearsal.cluster.manifests import READ, role, rule
from qhub.rehearsal.cluster.pki import Identity, Pki
from qhub.rehearsal.cluster.processes import ProcessSpec
from qhub.rehearsal.cluster.provider import Ground
from qhub.rehearsal.cluster.state import State

Json = dict[str, Any]

NODES = "/api/v1/nodes"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"

#: kwok looks after the nodes with this label and no others; a real kubelet's node does not carry it.
NODE_LABEL = "rehearsal.qhub.dev/node"
SIMULATED = "simulated"

#: Put on a node that is not Ready, and taken away again, by kube-controller-manager.
NOT_READY_TAINT = "node.kubernetes.io/not-ready"

#: Seconds that a question after health may take: it is answered in milliseconds or not at all.
PROBE_TIMEOUT = 2.0

KWOK = "kwok"
KWOK_IDENTITY = Identity("rehearsal:kwok")
STAGES = Path(__file__).parent / "stages"

#: Node n has the address 198.19.0.n and the pods 198.18.n.1 and up. Both from the range that RFC 2544 keeps for
#: benchmarks: an endpoint may not be loopback, and nobody routes these. A node's /24 holds its 110 pods.
MAX_NODES = 254

#: Condition of a node whose kubelet does not run yet.
_BOOTING = {"type": "Ready", "status": "False", "reason": "Booting", "message": "the simulated machine boots"}

#: What `kubectl logs` says of a simulated container, in the format of container logs.
LOG_LINE = "2000-01-01T00:00:00.000000000Z stdout F this container is simulated: nothing runs in it, it has no log\n"


@dataclass(frozen=True)
class Taint:
    """A taint as in `node.spec.taints`; `effect` is NoSchedule, PreferNoSchedule or NoExecute."""

    key: str
    effect: str
    value: str = ""


#: On simulated nodes beside a real one, so that what is to run really runs.
SIMULATED_TAINT = Taint(NODE_LABEL, "NoSchedule", SIMULATED)


@dataclass(frozen=True)
class SimulatedNode:
    """A node without a machine.

    Attributes:
        name: the node's name, a DNS subdomain.
        cpu: CPUs, as a Kubernetes quantity ("8", "7500m").
        memory: memory, as a Kubernetes quantity ("32Gi").
        gpu: GPUs, offered as `gpu_resource`.
        gpu_resource: the extended resource that pods ask for.
        pods: how many pods it takes at most.
        disk: disk for `emptyDir` and container files, as a Kubernetes quantity.
        architecture: amd64 or arm64.
        labels: labels over those that every node has.
        annotations: its annotations.
        taints: its taints.
        allocatable: what pods may use, where it is less than the capacity, by resource: {"memory": "29Gi"}.
    """

    name: str
    cpu: str = "8"
    memory: str = "32Gi"
    gpu: int = 0
    gpu_resource: str = "nvidia.com/gpu"
    pods: int = 110
    disk: str = "100Gi"
    architecture: str = "amd64"
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    taints: Sequence[Taint] = ()
    allocatable: Mapping[str, str] = field(default_factory=dict)


#: Room for the platform with a few users: the smallest general-purpose pool that the clouds' defaults have.
DEFAULT_NODES = (SimulatedNode("simulated-1"), SimulatedNode("simulated-2"))


@dataclass(frozen=True)
class SimulatedNodes:
    """Nodes kept by kwok.

    Attributes:
        nodes: made when they are not there. None: `DEFAULT_NODES`, made once, at the cluster's first start.
        beside_real: a real node is there as well: pods come to these nodes only when they tolerate the taint
            `SIMULATED_TAINT`.
    """

    nodes: Sequence[SimulatedNode] | None = None
    beside_real: bool = False

    @property
    def kind(self) -> str:
        """What its nodes are called in the status."""
        return SIMULATED

    @property
    def node(self) -> str:
        """No container runs anywhere."""
        return ""

    @property
    def tools(self) -> Sequence[str]:
        """What has to be built beside the control plane."""
        return (KWOK,)

    @property
    def names(self) -> Sequence[str]:
        """Its processes."""
        return (KWOK,)

    @property
    def identities(self) -> Mapping[str, Identity]:
        """kwok's own user."""
        return {KWOK: KWOK_IDENTITY}

    @property
    def ports(self) -> Sequence[str]:
        """The port that stands for the kubelets': health of kwok, logs of containers."""
        return (KWOK,)

    @property
    def manifests(self) -> Mapping[str, Json]:
        """kwok's rights: the status of nodes and pods, the end of pods, leases, events."""
        return role(
            KWOK_IDENTITY.user,
            [
                rule(["nodes"], READ),
                rule(["pods"], [*READ, "delete"]),
                rule(["nodes/status", "pods/status"], ["patch"]),
                rule(["events"], ["create", "patch"]),
                rule(["leases"], [*READ, "create", "update"], group="coordination.k8s.io"),
            ],
        )

    def processes(self, host: Host) -> Sequence[ProcessSpec]:
        """Return kwok, with our stages."""
        log_file = host.layout.run / "container.log"
        write_private(log_file, LOG_LINE)
        parts = [*map(self.stage, sorted(STAGES.glob("*.yaml"))), _cluster_logs(log_file)]
        write_private(host.layout.run / "kwok.yaml", "---\n".join(parts))
        flags = {
            "kubeconfig": host.kubeconfig(KWOK),
            # From the cluster's folder, where it runs: kwok takes a comma in a path for the end of it.
            "config": "run/kwok.yaml",
            "manage-all-nodes": "false",
            "manage-nodes-with-label-selector": f"{NODE_LABEL}={SIMULATED}",
            "server-address": f"127.0.0.1:{host.ports[KWOK]}",
            "tls-cert-file": host.pki.certificate("kube-apiserver"),
            "tls-private-key-file": host.pki.key("kube-apiserver"),
            "node-lease-duration-seconds": 40,  # a kubelet's
            "v": "WARN",
        }
        return [host.spec(KWOK, *(f"--{name}={value}" for name, value in flags.items()))]

    def stage(self, path: Path) -> str:
        """Return one of our stages as kwok is to have it."""
        return path.read_text(encoding="utf-8")

    def why_not(self) -> str | None:
        """They run wherever the control plane does."""
        return None

    def ground(self, layout: Layout) -> Ground | None:
        """They live anywhere."""
        return None

    def needs(self, name: str) -> Sequence[str]:
        """There is only one process."""
        return ()

    def before(self, name: str, host: Host, *, report: Callable[[str], None]) -> None:
        """Nothing has to be done."""

    def ready(self, name: str, *, layout: Layout, state: State) -> bool:
        """Tell whether kwok answers."""
        api = Api(state.ports[name], pki=Pki(layout.pki), identity="admin", timeout=PROBE_TIMEOUT)
        try:
            return api.text("/healthz") == "ok"
        except (ApiError, *UNREACHABLE):
            return False

    def attach(self, api: Api, *, host: Host, first: bool) -> None:
        """Make missing nodes; let a new kwok take over those that are there."""
        present = {node["metadata"]["name"]: node for node in simulated(api)}
        for name in present:
            # The kwok before holds the lease for up to 40 s more; a new one would leave the node alone until then.
            api.delete(f"{LEASES}/{name}")
            api.merge(f"{NODES}/{name}/status", {"status": {"daemonEndpoints": endpoints(host.ports[KWOK])}})
        wanted = self.nodes if self.nodes is not None else (DEFAULT_NODES if first else ())
        for node in wanted:
            if node.name not in present:
                made = replace(node, taints=(*node.taints, SIMULATED_TAINT)) if self.beside_real else node
                create_node(api, made, port=host.ports[KWOK])


def simulated(api: Api) -> list[Json]:
    """Return the simulated nodes of a cluster."""
    return api.items(f"{NODES}?labelSelector={NODE_LABEL}%3D{SIMULATED}")


def create_node(api: Api, node: SimulatedNode, *, port: int) -> None:
    """Create the Node object; kwok makes it Ready. `port` is the one kwok listens on.

    Raises:
        ClusterError: there is no address left for it.
    """
    index = free_index(api.items(NODES))
    if index is None:
        raise ClusterError(f"an embedded cluster holds at most {MAX_NODES} simulated nodes; no room for {node.name}")
    version = api.get("/version")["gitVersion"]
    api.create(NODES, node_object(node, index=index, port=port, version=version))


def free_index(nodes: Iterable[Json], *, besides: Collection[int] = ()) -> int | None:
    """Return the lowest n from 1 to 254 whose addresses no node has, and that is not in `besides`; None without one."""
    used = {_index(other) for other in nodes}.union(besides)
    return next((index for index in range(1, MAX_NODES + 1) if index not in used), None)


def node_object(node: SimulatedNode, *, index: int, port: int, version: str, booting: bool = False) -> Json:
    """Return the Node object of a simulated node.

    `index` (1 to 254) gives its addresses, `port` is kwok's, `version` the one that its kubelet claims ("v1.34.4").
    A node that is `booting` stays not Ready until somebody adds `NODE_LABEL`: kwok does not see it before.
    """
    capacity = {
        "cpu": node.cpu,
        "memory": node.memory,
        "pods": str(node.pods),
        "ephemeral-storage": node.disk,
        **({node.gpu_resource: str(node.gpu)} if node.gpu else {}),
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": node.name,
            "labels": {
                "kubernetes.io/hostname": node.name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": node.architecture,
                **node.labels,
                **({} if booting else {NODE_LABEL: SIMULATED}),
            },
            "annotations": dict(node.annotations),
        },
        "spec": {
            "podCIDR": f"198.18.{index}.0/24",
            "podCIDRs": [f"198.18.{index}.0/24"],
            "taints": [
                {"key": taint.key, "effect": taint.effect, **({"value": taint.value} if taint.value else {})}
                for taint in node.taints
            ],
        },
        "status": {
            "capacity": capacity,
            "allocatable": {**capacity, **node.allocatable},
            "addresses": [
                {"type": "InternalIP", "address": f"198.19.0.{index}"},
                {"type": "Hostname", "address": node.name},
                # Where the API server asks for logs: kwok, on this machine.
                {"type": "ExternalDNS", "address": "localhost"},
            ],
            "daemonEndpoints": endpoints(port),
            # Without it kube-controller-manager takes the taint away that keeps pods off, and they come too early.
            **({"conditions": [_BOOTING]} if booting else {}),
            "nodeInfo": {
                **dict.fromkeys(("machineID", "systemUUID", "bootID"), node.name),
                "architecture": node.architecture,
                "operatingSystem": "linux",
                "osImage": "simulated",
                "kernelVersion": "simulated",
                "containerRuntimeVersion": "simulated://0",
                "kubeletVersion": version,
                "kubeProxyVersion": "",
            },
        },
    }


def is_ready(node: Json) -> bool:
    """Tell whether a node is Ready and takes pods: a new one carries a taint a moment longer than it is not Ready."""
    conditions = node.get("status", {}).get("conditions", [])
    ready = any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
    return ready and not any(taint["key"] == NOT_READY_TAINT for taint in node["spec"].get("taints", []))


def endpoints(port: int) -> Json:
    """Return where the API server finds a node's kubelet: kwok's port."""
    return {"kubeletEndpoint": {"Port": port}}


def _index(node: Json) -> int:
    """Return the n of a node whose pods are in 198.18.n.0/24; 0 for any other node."""
    match = re.fullmatch(r"198\.18\.(\d+)\.0/24", node["spec"].get("podCIDR", ""))
    return int(match[1]) if match else 0


def _cluster_logs(path: Path) -> str:
    """Return the part of kwok's configuration that gives every container the log at `path`."""
    return json.dumps({
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterLogs",
        "metadata": {"name": SIMULATED},
        "spec": {"logs": [{"logsFile": str(path), "follow": False}]},
    })  # fmt: skip
