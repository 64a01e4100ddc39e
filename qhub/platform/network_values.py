"""What hub, proxy and servers may reach: rules of the network policies of chart jupyterhub 4.4.

By itself the chart names few pods (hub, proxy, servers) and lets out to everything else by address ranges. Cilium,
which is in GKE, AKS, DOKS and many clusters of one's own, applies ranges to what is outside the cluster alone: pods
have to be named by their labels, and so they are here.
Source: Cilium's documentation, "Caveats"; dask/helm-chart, issue 445.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qhub.config.charts import value_at
from qhub.config.networks import PRIVATE_ADDRESSES
from qhub.config.storage import ManagedStorage, NfsServerStorage
from qhub.platform.egress import ALL_BUT_NFS, DNS_PORT, METADATA_ADDRESS
from qhub.platform.monitoring_values import GRAFANA_PODS, GRAFANA_PORT, monitoring_namespace
from qhub.platform.names import DASK_PROXY_POD_PORT, DASK_PROXY_PODS

if TYPE_CHECKING:
    from qhub.config import Settings

#: Where API servers listen: those of clouds, and those that run on a node of the cluster (kubeadm, k3s, RKE2).
API_SERVER_PORTS = (443, 6443)

#: The range that is shared behind carriers (RFC 6598), which the chart does not take for private: EKS and Calico give
#: it to pods and subnets, so that file servers may be in it.
SHARED_ADDRESSES = "100.64.0.0/10"

#: Clouds where the internet's addresses mean neither the file server that we make nor a pod: Filestore and the NFS
#: shares of DigitalOcean have private ones, and Cilium, which both clouds have, applies ranges of them to no pod.
FILE_SERVER_IS_PRIVATE = ("gcp", "digitalocean")

#: What people's programs speak to where ranges of ports are not known: SSH, names, the web, rsync, Git, databases;
#: time and QUIC. EKS takes 24 ports and ranges for one range of addresses, and leaves out the rest without a word
#: (aws-network-policy-agent, `TRIE_VALUE_LENGTH`).
SINGLE_TCP_PORTS = (22, DNS_PORT, 80, 443, 873, 1433, 3306, 5432, 8080, 8443, 9418, 27017)
SINGLE_UDP_PORTS = (DNS_PORT, 123, 443)

#: Where the chart is told whether notebooks reach the internet by its own rule.
CHARTS_OWN_RULE = "singleuser.networkPolicy.egressAllowRules.nonPrivateIPs"


def to_dask_gateway() -> dict[str, Any]:
    """Return the rule that lets out to the proxy of Dask Gateway."""
    return {"to": [{"podSelector": {"matchLabels": DASK_PROXY_PODS}}], "ports": [_tcp(DASK_PROXY_POD_PORT)]}


def server_policy(settings: Settings) -> dict[str, Any]:
    """Return `singleuser.networkPolicy`: what servers may reach beside the hub, its proxy and DNS.

    The chart's own rule for the internet opens each port of each address that is not private, and so the file server
    where that has another (`to_internet`). Overrides that say something of that rule have the last word: `false` keeps
    servers from the internet, `true` brings the chart's back.
    """
    egress = [to_dask_gateway()] if settings.dask.enabled else []
    if value_at(settings.charts.jupyterhub.overrides, CHARTS_OWN_RULE) is not None:
        return {"enabled": True, "egress": egress}
    return {
        "enabled": True,
        "egressAllowRules": {"nonPrivateIPs": False},
        "egress": [*egress, *to_internet(settings)],
    }


def to_internet(settings: Settings) -> list[dict[str, Any]]:
    """Return the rules that let servers out to the internet, and never to the file server of the homes.

    NFS with AUTH_SYS believes any uid that a client names, and a program can speak NFS by itself: who reaches the file
    server reads every home. It may have a public address: that of Azure Files is one, and a university's own are. A
    policy can only allow, hence all ports but that of NFS, as `egress.nearly_everywhere` has it; version 3 needs others
    beside it, none of which hands out a file. Where the address alone keeps the server apart, all ports are open, and
    no range of ports is needed, which Cilium before 1.16 (GKE) would take the first port of for the whole.
    """
    outside: dict[str, Any] = {
        "to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [*PRIVATE_ADDRESSES, SHARED_ADDRESSES, METADATA_ADDRESS]}}]
    }
    if not _address_tells(settings):
        outside["ports"] = _all_but_nfs()
    # The chart opens DNS at private addresses; some networks have theirs at a shared one.
    names = {"to": [{"ipBlock": {"cidr": SHARED_ADDRESSES}}], "ports": [_udp(DNS_PORT), _tcp(DNS_PORT)]}
    return [outside, names]


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


def _address_tells(settings: Settings) -> bool:
    """Tell whether the file server can have none of the internet's addresses."""
    storage = settings.storage
    ours = isinstance(storage, NfsServerStorage) or (isinstance(storage, ManagedStorage) and storage.server is None)
    return ours and settings.cluster.provider in FILE_SERVER_IS_PRIVATE


def _all_but_nfs() -> list[dict[str, Any]]:
    """Return all ports but that of NFS: as ranges, and those that people need most one by one."""
    ranges = [
        {"port": first, "endPort": last, "protocol": protocol}
        for protocol in ("TCP", "UDP")
        for first, last in ALL_BUT_NFS
    ]
    return [*ranges, *map(_tcp, SINGLE_TCP_PORTS), *map(_udp, SINGLE_UDP_PORTS)]


def _tcp(port: int) -> dict[str, Any]:
    return {"port": port, "protocol": "TCP"}


def _udp(port: int) -> dict[str, Any]:
    return {"port": port, "protocol": "UDP"}
