"""What a pod asks of a node, read out of its object or its template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from qhub.rehearsal.cluster.controllers.storage import quantity

Json = dict[str, Any]

#: cluster-autoscaler's `--expendable-pods-priority-cutoff`: what is below may wait until there is room by chance.
PRIORITY_CUTOFF = -10

#: Tolerations that the DaemonSet controller adds to its pods (kubernetes.io/docs, "DaemonSet").
_DAEMON_TOLERATIONS = [{"key": f"node.kubernetes.io/{name}", "operator": "Exists"} for name in (
    "not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "unschedulable",
    "network-unavailable",
)]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod as the scheduler sees it.

    Attributes:
        uid, namespace, name, labels: who it is.
        spec: its spec.
        requests: what it asks for, by resource; always with one of "pods".
        owner: uid of what made it; empty for none.
        item: the whole object.
    """

    uid: str
    namespace: str
    name: str
    labels: Mapping[str, str]
    spec: Json
    requests: Mapping[str, Decimal]
    owner: str
    item: Json

    @property
    def priority(self) -> int:
        """Its priority; pods of a higher one push it out."""
        return self.spec.get("priority") or 0


def read_pod(item: Json) -> Pod:
    """Return a pod from its object."""
    about = item["metadata"]
    return Pod(
        uid=about["uid"],
        namespace=about["namespace"],
        name=about["name"],
        labels=about.get("labels") or {},
        spec=item["spec"],
        requests=requests_of(item["spec"]),
        owner=next((owner["uid"] for owner in about.get("ownerReferences") or [] if owner.get("controller")), ""),
        item=item,
    )


def daemon_pod(daemon_set: Json) -> Pod:
    """Return the pod that a DaemonSet makes for a node that it fits."""
    about, template = daemon_set["metadata"], daemon_set["spec"]["template"]
    spec = {**template["spec"], "tolerations": [*template["spec"].get("tolerations", []), *_DAEMON_TOLERATIONS]}
    return Pod(
        uid="",
        namespace=about["namespace"],
        name=about["name"],
        labels=template["metadata"].get("labels") or {},
        spec=spec,
        requests=requests_of(spec),
        owner=about["uid"],
        item=daemon_set,
    )


def requests_of(spec: Json) -> dict[str, Decimal]:
    """Return what a pod asks for: its containers together, or more where a step of its start needs more.

    As kubernetes.io/docs has it ("Init containers", "Sidecar containers"): sidecars run beside what starts after them.
    """
    total = _sum(_asked(container) for container in spec.get("containers", []))
    sidecars: dict[str, Decimal] = {}
    steps: list[dict[str, Decimal]] = []
    for container in spec.get("initContainers") or []:
        if container.get("restartPolicy") == "Always":
            sidecars = _sum([sidecars, _asked(container)])
            steps.append(sidecars)
        else:
            steps.append(_sum([sidecars, _asked(container)]))
    total = _sum([total, sidecars])
    for step in steps:
        total = {key: max(total.get(key, Decimal(0)), step.get(key, Decimal(0))) for key in {*total, *step}}
    overhead = {key: quantity(value) for key, value in (spec.get("overhead") or {}).items()}
    return {**_sum([total, overhead]), "pods": Decimal(1)}


def holds_its_node(item: Json, *, daemon_sets: Iterable[str]) -> bool:
    """Tell whether a node with this pod on it is in use: not for pods of DaemonSets, mirror pods, and ended ones."""
    about = item["metadata"]
    owners = {owner["uid"] for owner in about.get("ownerReferences") or []}
    mirror = "kubernetes.io/config.mirror" in (about.get("annotations") or {})
    return not (mirror or has_ended(item) or owners & set(daemon_sets))


def gives_way(item: Json) -> bool:
    """Tell whether a pod may be moved: any other comes first, and what made it makes another one."""
    controlled = any(owner.get("controller") for owner in item["metadata"].get("ownerReferences") or [])
    return controlled and (item["spec"].get("priority") or 0) < 0


def has_ended(item: Json) -> bool:
    """Tell whether a pod has ended: it takes no room any more."""
    return item.get("status", {}).get("phase") in ("Succeeded", "Failed")


def is_unschedulable(item: Json) -> bool:
    """Tell whether the scheduler has looked at a pod and found no node."""
    return (
        not item["spec"].get("nodeName")
        and "deletionTimestamp" not in item["metadata"]
        and not has_ended(item)
        and (item["spec"].get("priority") or 0) >= PRIORITY_CUTOFF
        and any(
            one["type"] == "PodScheduled" and one["status"] == "False" and one.get("reason") == "Unschedulable"
            for one in item.get("status", {}).get("conditions") or []
        )
    )


def _asked(container: Json) -> dict[str, Decimal]:
    resources = container.get("resources") or {}
    # The API server writes a limit without a request down as the request; a pod template has not been there yet.
    asked = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return {key: quantity(value) for key, value in asked.items()}


def _sum(parts: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for part in parts:
        for key, value in part.items():
            total[key] = total.get(key, Decimal(0)) + value
    return total
