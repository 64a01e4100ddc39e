"""The addresses of a cluster, and how a process of it gets onto its network.

A cluster of simulated nodes lives on the machine's loopback. One with a real node lives in a network of its own, which
nothing leaves: see `qhub.rehearsal.node`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Network:
    """The addresses of one kind of cluster.

    Attributes:
        services: addresses of Services.
        kubernetes: the first of them, of the Service `kubernetes`.
        advertised: address of the API server that this Service leads to.
        bind: address on which the API server listens.
        endpoints: "none" or "lease": whether the API server makes that Service lead anywhere.
        load_balancers: addresses for Services of type LoadBalancer.
        load_balancer_mode: "Proxy" or "VIP": what a load balancer's traffic looks like to pods and to kube-proxy.
    """

    services: str
    kubernetes: str
    advertised: str
    bind: str
    endpoints: str
    load_balancers: str
    load_balancer_mode: str


#: The machine's loopback. Services are in 127/8, so that a webhook or a proxied Service that the API server dials by
#: its address stays on this machine and fails at once when nothing listens there. Load balancers have another range
#: than Services, so that an address tells what it belongs to.
#: Loopback may not be advertised, and without a default route the API server finds no other address: it gets one from
#: the range that RFC 2544 keeps for benchmarks and nobody routes, only written down, never dialled. No node of such a
#: cluster has a network, so the Service `kubernetes` gets no endpoint rather than a wrong one.
LOOPBACK = Network(
    services="127.96.0.0/16",
    kubernetes="127.96.0.1",
    advertised="198.19.255.254",
    bind="127.0.0.1",
    endpoints="none",
    load_balancers="127.97.0.0/16",
    load_balancer_mode="Proxy",
)

#: The node's own network. Its ranges are those that Kubernetes' tools choose by themselves, so that a chart with one of
#: them in its defaults fits; nobody outside can meet them. kube-proxy serves load balancers' addresses itself.
NODE = Network(
    services="10.96.0.0/16",
    kubernetes="10.96.0.1",
    advertised="10.99.0.1",
    bind="0.0.0.0",  # noqa: S104 - of the node's own network
    endpoints="lease",
    load_balancers="10.98.0.0/16",
    load_balancer_mode="VIP",
)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the processes of a running cluster are started.

    Attributes:
        network: its addresses.
        enter: what comes before a command to run it on that network.
        enter_node: the same to run it where the node's mounts are as well.
    """

    network: Network = LOOPBACK
    enter: Sequence[str] = ()
    enter_node: Sequence[str] = ()
