"""Where pods that run other people's code may go: everywhere but to two places, by whichever network plug-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qhub.platform.nfs_server import NFS_PORT

if TYPE_CHECKING:
    from pulumi_kubernetes.networking.v1 import NetworkPolicyEgressRuleArgsDict, NetworkPolicyPortArgsDict

#: Where every cloud hands out the credentials of a node.
METADATA_ADDRESS = "169.254.169.254/32"
METADATA_ADDRESS_V6 = "fd00:ec2::254/128"

DNS_PORT = 53
LAST_PORT = 65535

#: First and last port of the ranges around that of NFS, which version 3 has for UDP too.
ALL_BUT_NFS = ((1, NFS_PORT - 1), (NFS_PORT + 1, LAST_PORT))

#: What works where ranges of ports are not known: names, and the web.
SINGLE_PORTS = (("TCP", DNS_PORT), ("UDP", DNS_PORT), ("TCP", 80), ("TCP", 443))


def nearly_everywhere() -> list[NetworkPolicyEgressRuleArgsDict]:
    """Return the egress rules of pods that run what others sent: everything, but file server and metadata service.

    NFS with AUTH_SYS believes any uid that a client names, so such a pod could read all homes if it reached the file
    server. And from the metadata service it could take the node's own cloud rights. Notebook pods are kept from both by
    z2jh's policy and `network_values.to_internet`; nothing else keeps them from others. A policy can only allow: hence
    all ports but one, and all addresses but one.

    Plug-ins differ in two things:

    - Cilium applies address ranges to what is outside the cluster alone: pods are named by themselves.
    - Cilium before 1.16, and GKE's Dataplane V2 with it, takes the first port of a range for the whole. So ports that
      have to work anywhere stand beside the ranges. There, outside and in other pods, names are found and 80 and 443
      are reached, and nothing else is.

    At the metadata address itself DNS is open, as in z2jh's policies: Cloud DNS of GKE answers there.
    """
    dns = [_port(protocol, port) for protocol, port in SINGLE_PORTS if port == DNS_PORT]
    ports = [rule for protocol in ("TCP", "UDP") for rule in _ranges(protocol)]
    ports += [_port(protocol, port) for protocol, port in SINGLE_PORTS]
    return [
        {"to": [{"namespace_selector": {}}], "ports": ports},
        {
            "to": [
                {"ip_block": {"cidr": "0.0.0.0/0", "except_": [METADATA_ADDRESS]}},
                {"ip_block": {"cidr": "::/0", "except_": [METADATA_ADDRESS_V6]}},
            ],
            "ports": ports,
        },
        {"to": [{"ip_block": {"cidr": METADATA_ADDRESS}}], "ports": dns},
    ]


def _ranges(protocol: str) -> list[NetworkPolicyPortArgsDict]:
    return [{"protocol": protocol, "port": first, "end_port": last} for first, last in ALL_BUT_NFS]


def _port(protocol: str, port: int) -> NetworkPolicyPortArgsDict:
    return {"protocol": protocol, "port": port}
