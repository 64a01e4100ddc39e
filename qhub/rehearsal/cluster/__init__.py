"""An embedded Kubernetes: etcd, the control plane, nodes, disks and load balancers, reached on 127.0.0.1.

| use | does |
|---|---|
| `EmbeddedCluster("local", folder).start()` | ready in a few seconds; at once when it runs already |
| `cluster.kubeconfig_path`, `cluster.context` | for `kubectl`, `helm`, Pulumi |
| `cluster.add_node(SimulatedNode("gpu-1", gpu=1))` | one more node |
| `EmbeddedCluster("local", folder, kind="real")` | one on which containers run: see `qhub.rehearsal.node` |
| `cluster.stop()`, `cluster.delete()` | the data stays; nothing stays |

It is equipment for tests, rehearsals and the local stack, not for anybody's work: data is not synced to disk.
"""

from __future__ import annotations

from qhub.rehearsal.cluster.cluster import EmbeddedCluster
from qhub.rehearsal.cluster.errors import ClusterError
from qhub.rehearsal.cluster.nodes import SimulatedNode, SimulatedNodes, Taint
from qhub.rehearsal.cluster.provider import NodeProvider
from qhub.rehearsal.cluster.status import ClusterStatus, NodeStatus, ProcessStatus
from qhub.rehearsal.node_kinds import KINDS, NodeKind

__all__ = [
    "KINDS",
    "ClusterError",
    "ClusterStatus",
    "EmbeddedCluster",
    "NodeKind",
    "NodeProvider",
    "NodeStatus",
    "ProcessStatus",
    "SimulatedNode",
    "SimulatedNodes",
    "Taint",
]
