"""What network plug-ins make of egress rules: who reaches what by which of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

#: A rule's keys as Kubernetes writes them; Pulumi has its own.
AS_KUBERNETES = {"end_port": "endPort", "except_": "except"} | {
    "ip_block": "ipBlock",
    "pod_selector": "podSelector",
    "namespace_selector": "namespaceSelector",
    "match_labels": "matchLabels",
    "match_expressions": "matchExpressions",
}


@dataclass(frozen=True)
class Plugin:
    """One way to apply a policy.

    Attributes:
        ranges: whether it knows ranges of ports, or takes the first port of one for the whole.
        addresses_inside: whether address ranges are applied to what is inside the cluster too.
    """

    ranges: bool
    addresses_inside: bool


#: As Kubernetes describes policies (Calico, AWS); Cilium; Cilium before 1.16, as in GKE (cilium/cilium issue 28684).
PLUGINS = {
    "by the book": Plugin(ranges=True, addresses_inside=True),
    "Cilium": Plugin(ranges=True, addresses_inside=False),
    "old Cilium": Plugin(ranges=False, addresses_inside=False),
}


@dataclass(frozen=True)
class Place:
    """Where a connection goes: a pod by its labels and those of its namespace; else a node, or an address outside."""

    address: str
    pod: Mapping[str, str] | None = None
    namespace: Mapping[str, str] = field(default_factory=dict)
    same_namespace: bool = False
    node: bool = False


def reaches(rules: Iterable[Any], place: Place, port: int, plugin: Plugin, protocol: str = "TCP") -> bool:
    """Tell whether the egress rules of a policy let out to a port somewhere."""
    return any(
        _ports(rule, port, protocol, plugin)
        and ("to" not in rule or any(_is(peer, place, plugin) for peer in rule["to"]))
        for rule in map(_as_kubernetes, rules)
    )


def callers(spec: Any) -> list[Any]:
    """Return the ingress rules of a policy as if they were egress rules: a caller is the place that they lead to."""
    return [{"to": rule["from_"], **{key: rule[key] for key in rule if key == "ports"}} for rule in spec["ingress"]]


def _as_kubernetes(value: Any) -> Any:
    if isinstance(value, dict):
        return {AS_KUBERNETES.get(key, key): _as_kubernetes(one) for key, one in value.items()}
    return [_as_kubernetes(one) for one in value] if isinstance(value, list) else value


def _ports(rule: Any, port: int, protocol: str, plugin: Plugin) -> bool:
    if "ports" not in rule:
        return True
    return any(
        one.get("protocol", "TCP") == protocol
        and one["port"] <= port <= (one.get("endPort", one["port"]) if plugin.ranges else one["port"])
        for one in rule["ports"]
    )


def _is(peer: Any, place: Place, plugin: Plugin) -> bool:
    if "ipBlock" in peer:
        if (place.pod is not None or place.node) and not plugin.addresses_inside:
            return False
        block, address = peer["ipBlock"], ip_address(place.address)
        inside = [address in ip_network(one) for one in (block["cidr"], *block.get("except", ()))]
        return inside[0] and not any(inside[1:])
    if place.pod is None:
        return False
    if "namespaceSelector" in peer:
        return _fits(peer["namespaceSelector"], place.namespace) and _fits(peer.get("podSelector", {}), place.pod)
    return place.same_namespace and _fits(peer["podSelector"], place.pod)


def _fits(selector: Any, labels: Mapping[str, str]) -> bool:
    wanted = {"Exists": True, "DoesNotExist": False}
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        (one["key"] in labels) is wanted[one["operator"]] for one in selector.get("matchExpressions", ())
    )
