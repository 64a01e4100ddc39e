"""Whether a pod fits a node: what the scheduler's filters would say, as pure functions.

Looked at: node name and selector, required node affinity, taints, resources, host ports, required pod affinity and
anti-affinity, and topology spread that must hold. Zones of volumes are in the selector (`volume_zones.pinned`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from qhub.rehearsal.cluster.controllers.pods import Pod

Json = dict[str, Any]

HOSTNAME = "kubernetes.io/hostname"


@dataclass(kw_only=True)
class Slot:
    """A node, there or only thought of, and the pods on it.

    Attributes:
        name: its name.
        labels, taints: its own.
        free: what is left of it, by resource.
        pods: pods on it, thought of ones as well.
        pool: its pool; empty for a node of none.
    """

    name: str
    labels: Mapping[str, str]
    taints: Sequence[Json]
    free: dict[str, Decimal]
    pods: list[Pod] = field(default_factory=list)
    pool: str = ""

    def copy(self) -> Slot:
        """Return the same, to be filled without filling this one."""
        return replace(self, free=dict(self.free), pods=list(self.pods))

    def put(self, pod: Pod) -> None:
        """Place a pod here."""
        self.pods.append(pod)
        for key, value in pod.requests.items():
            self.free[key] = self.free.get(key, Decimal(0)) - value


def misfit(pod: Pod, slot: Slot, slots: Sequence[Slot]) -> str:
    """Return why a pod does not fit a node, in the scheduler's words; empty when it fits.

    `slots`: all nodes, the one asked about among them or not.
    """
    return (
        misplaced(pod, slot)
        or _lacking(pod, slot)
        or _ports(pod, slot)
        or _apart(pod, slot, slots)
        or _together(pod, slot, slots)
        or _spread(pod, slot, slots)
    )


def misplaced(pod: Pod, slot: Slot) -> str:
    """Return why a pod may not be on a node at all, however empty; empty when it may."""
    wanted = pod.spec.get("nodeSelector") or {}
    if any(slot.labels.get(key) != value for key, value in wanted.items()) or not _affine(pod, slot):
        return "node(s) didn't match Pod's node affinity/selector"
    for taint in slot.taints:
        if taint["effect"] != "PreferNoSchedule" and not any(
            tolerates(one, taint) for one in pod.spec.get("tolerations") or []
        ):
            return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    return ""


def tolerates(toleration: Json, taint: Json) -> bool:
    """Tell whether a toleration is for a taint."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if not toleration.get("key"):
        return toleration.get("operator") == "Exists"
    if toleration["key"] != taint["key"]:
        return False
    return toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")


def _affine(pod: Pod, slot: Slot) -> bool:
    affinity = (pod.spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return True
    fields = {"metadata.name": slot.name}
    return any(
        all(_matches(one, slot.labels) for one in term.get("matchExpressions") or [])
        and all(_matches(one, fields) for one in term.get("matchFields") or [])
        for term in required["nodeSelectorTerms"]
        if term.get("matchExpressions") or term.get("matchFields")  # an empty term matches nothing
    )


def _matches(expression: Json, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or []
    match expression["operator"]:
        case "In":
            holds = value in values
        case "NotIn":
            holds = value not in values
        case "Exists":
            holds = value is not None
        case "DoesNotExist":
            holds = value is None
        case "Gt":
            holds = value is not None and value.isdigit() and int(value) > int(values[0])
        case _:  # Lt; the API server lets no other through
            holds = value is not None and value.isdigit() and int(value) < int(values[0])
    return holds


def _lacking(pod: Pod, slot: Slot) -> str:
    for key, value in sorted(pod.requests.items()):
        if value > slot.free.get(key, Decimal(0)) and value > 0:
            return "Too many pods" if key == "pods" else f"Insufficient {key}"
    return ""


def _ports(pod: Pod, slot: Slot) -> str:
    taken = {port for other in slot.pods for port in _host_ports(other)}
    return "node(s) didn't have free ports for the requested pod ports" if taken & set(_host_ports(pod)) else ""


def _host_ports(pod: Pod) -> list[tuple[str, int]]:
    ports = [port for container in pod.spec.get("containers", []) for port in container.get("ports") or []]
    return [(port.get("protocol", "TCP"), port["hostPort"]) for port in ports if port.get("hostPort")]


# -- pods beside pods --------------------------------------------------------------------------------------------------


def _terms(pod: Pod, kind: str) -> list[Json]:
    rules = (pod.spec.get("affinity") or {}).get(kind) or {}
    return rules.get("requiredDuringSchedulingIgnoredDuringExecution") or []


def _apart(pod: Pod, slot: Slot, slots: Sequence[Slot]) -> str:
    for term in _terms(pod, "podAntiAffinity"):
        if any(_chosen(term, pod.namespace, other) for other in _near(slot, slots, term["topologyKey"])):
            return "node(s) didn't match pod anti-affinity rules"
    for other_slot in _with(slot, slots):
        for other in other_slot.pods:
            for term in _terms(other, "podAntiAffinity"):
                same = _domain(other_slot, term["topologyKey"]) == _domain(slot, term["topologyKey"]) is not None
                if same and _chosen(term, other.namespace, pod):
                    return "node(s) didn't satisfy existing pods anti-affinity rules"
    return ""


def _together(pod: Pod, slot: Slot, slots: Sequence[Slot]) -> str:
    for term in _terms(pod, "podAffinity"):
        if any(_chosen(term, pod.namespace, other) for other in _near(slot, slots, term["topologyKey"])):
            continue
        anywhere = any(_chosen(term, pod.namespace, other) for one in _with(slot, slots) for other in one.pods)
        # The first of a group that wants to be together may go anywhere.
        if anywhere or not _chosen(term, pod.namespace, pod) or _domain(slot, term["topologyKey"]) is None:
            return "node(s) didn't match pod affinity rules"
    return ""


def _spread(pod: Pod, slot: Slot, slots: Sequence[Slot]) -> str:
    for rule in pod.spec.get("topologySpreadConstraints") or []:
        key = rule["topologyKey"]
        if rule["whenUnsatisfiable"] != "DoNotSchedule":
            continue
        if _domain(slot, key) is None:
            return "node(s) didn't match pod topology spread constraints (missing required label)"
        counts: dict[str, int] = {}
        term = {"labelSelector": rule.get("labelSelector")}
        for one in _with(slot, slots):
            domain = _domain(one, key)
            if domain is not None and not _off_limits(pod, one):
                matching = sum(_chosen(term, pod.namespace, other) for other in one.pods)
                counts[domain] = counts.get(domain, 0) + matching
        here = counts.get(slot.labels[key], 0) + _chosen(term, pod.namespace, pod)
        least = min(counts.values(), default=0) if len(counts) >= (rule.get("minDomains") or 1) else 0
        if here - least > rule["maxSkew"]:
            return "node(s) didn't match pod topology spread constraints"
    return ""


def _off_limits(pod: Pod, slot: Slot) -> bool:
    """Tell whether a node's domain does not count for a pod's spread: by default for its selector, not for taints."""
    wanted = pod.spec.get("nodeSelector") or {}
    return any(slot.labels.get(key) != value for key, value in wanted.items()) or not _affine(pod, slot)


def _with(slot: Slot, slots: Sequence[Slot]) -> Iterable[Slot]:
    return slots if any(one is slot for one in slots) else [*slots, slot]


def _near(slot: Slot, slots: Sequence[Slot], key: str) -> Iterable[Pod]:
    """Yield the pods in the same domain."""
    domain = _domain(slot, key)
    for one in _with(slot, slots):
        if domain is not None and _domain(one, key) == domain:
            yield from one.pods


def _domain(slot: Slot, key: str) -> str | None:
    return slot.name if key == HOSTNAME else slot.labels.get(key)


def _chosen(term: Json, namespace: str, pod: Pod) -> bool:
    """Tell whether a term of a pod in `namespace` is about `pod`. A namespace selector stands for every namespace."""
    if "namespaceSelector" not in term and pod.namespace not in (term.get("namespaces") or [namespace]):
        return False
    selector = term.get("labelSelector")
    if selector is None:
        return False
    return all(pod.labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items()) and all(
        _matches(one, pod.labels) for one in selector.get("matchExpressions") or []
    )
