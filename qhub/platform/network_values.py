"""What hub, proxy and servers may reach: rules of the network policies of chart jupyterhub 4.4.

By itself the chart names few pods (hub, proxy, servers) and lets out to everything else by address ranges. Cilium,
which is in GKE, AKS, DOKS and many clusters of one's own, applies ranges to what is outside the cluster alone: pods
have to be named by their labels, and so they are here.
Source: Cilium's documentation, "Caveats"; dask/helm-chart, issue 445.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qhub.platform.monitoring_values import GRAFANA_PODS, GRAFANA_PORT, monitoring_namespace
from qhub.platform.names import DASK_PROXY_POD_PORT, DASK_PROXY_PODS

if TYPE_CHECKING:
    from qhub.config import Settings

#: Where API servers listen: those of clouds, and those that run on a node of the cluster (kubeadm, k3s, RKE2).
API_SERVER_PORTS = (443, 6443)


def to_dask_gateway() -> dict[str, Any]:
    """Return the rule that lets out to the proxy of Dask Gateway."""
    return {"to": [{"podSelector": {"matchLabels": DASK_PROXY_PODS}}], "ports": [_tcp(DASK_PROXY_POD_PORT)]}


def to_services(settings: Settings) -> list[dict[str, Any]]:
    """Return the rules for the proxy, which hands on to the services of the hub: Dask Gateway and Grafana."""
    rules = [to_dask_gateway()] if settings.dask.enabled else []
    if settings.monitoring.enabled:
        namespace = {"matchLabels": {"kubernetes.io/metadata.name": monitoring_namespace(settings)}}
        grafana = {"namespaceSelector": namespace, "podSelector": {"matchLabels": GRAFANA_PODS}}
        rules.append({"to": [grafana], "ports": [_tcp(GRAFANA_PORT)]})
    return rules


def hub_egress(settings: Settings) -> list[dict[str, Any]]:
    """Return the rules for the hub: it asks its services every minute whether they are there, and makes pods.

    To Cilium, a node of the cluster is no address outside either. So where the API server runs on one, the hub could
    start no server. No selector can name a node, hence a rule without `to`: these ports, wherever they are.
    """
    return [*to_services(settings), {"ports": [_tcp(port) for port in API_SERVER_PORTS]}]


def _tcp(port: int) -> dict[str, Any]:
    return {"port": port, "protocol": "TCP"}
