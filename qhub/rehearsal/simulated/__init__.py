"""The Kubernetes of a simulated cloud: a real control plane, simulated nodes in pools, and an autoscaler.

| use | does |
|---|---|
| `cluster = kubernetes_of(world, cloud="aws", region="eu-west-1", name="qhub")` | the object; nothing happens yet |
| `cluster.create(name="qhub", version="1.34")` | control plane without nodes; returns its `Endpoint` |
| `cluster.set_pool(pool_spec("aws", "user", instance_type="m6i.xlarge", min=0, max=5, ...))` | nodes, up to `min` |
| `cluster.nodes()`, `cluster.scalings()` | for reports |
| `cluster.remove_pool("user")`, `cluster.delete()` | drained and gone; no process and no file is left |

Several objects and several processes may stand for one cluster. Every call may be repeated after a kill: it goes on
from what is there. Whatever else happens, it happens in the cluster: `qhub.rehearsal.cluster.controllers`.
"""

from __future__ import annotations

from qhub.rehearsal.cluster.controllers.pools import NodeSpec, PoolSpec
from qhub.rehearsal.simulated.catalogue import pool_spec
from qhub.rehearsal.simulated.identity import Identity, all_kubernetes, kubernetes_of
from qhub.rehearsal.simulated.kubernetes import Endpoint, Scaling, SimulatedKubernetes
from qhub.rehearsal.simulated.node_report import NodeReport

__all__ = [
    "Endpoint",
    "Identity",
    "NodeReport",
    "NodeSpec",
    "PoolSpec",
    "Scaling",
    "SimulatedKubernetes",
    "all_kubernetes",
    "kubernetes_of",
    "pool_spec",
]
