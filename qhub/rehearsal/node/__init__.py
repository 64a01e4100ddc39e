"""A real node for an embedded cluster: containers run, with a network, names and storage of their own.

| use | does |
|---|---|
| `why_not()` | the one line that says why none can run on this machine, or None |
| `EmbeddedCluster(name, folder, kind="real")` | a cluster with one; `"both"`: with simulated nodes beside it |
| `cluster.import_images([archive])` | images from files, as `docker save` writes them: nothing is ever pulled |
| `cluster.expose("10.98.0.1", 443)` | a port on 127.0.0.1 that leads to an address in the cluster's network |
| `cluster.expose_service("ingress", "traefik", 443)` | the same, to the address of a LoadBalancer Service |

Everything runs in one network namespace without a way out, the control plane included, and in one mount namespace: see
`ground`. What the node keeps lies in `node/` of the cluster's folder.
"""

from __future__ import annotations

from qhub.rehearsal.node.possible import why_not

__all__ = ["why_not"]
