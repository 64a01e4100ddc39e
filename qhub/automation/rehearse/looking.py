"""What is in the rehearsal's cluster: nodes and pods, from the API's objects to what a report tells."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from qhub.automation.kubectl import Kubectl
from qhub.automation.rehearse.nodes import POOL_LABEL as STATED_POOL_LABEL
from qhub.automation.rehearse.user_pods import PROFILE_LABEL, ROLE_LABEL
from qhub.config import instances
from qhub.config.cloud import POOL_LABEL
from qhub.config.quantities import parse_quantity
from qhub.rehearsal.cluster.controllers.pools import INSTANCE_LABEL, POOL, PRICE, annotation
from qhub.rehearsal.report.recording import Node, Picture, Pod

#: Last word of the extended resource under which every vendor's device plugin offers its GPUs.
GPU = "/gpu"

Json = Mapping[str, Any]


def look(kubectl: Kubectl, moment: str, *, provider: str, waited: Mapping[str, float] | None = None) -> Picture:
    """Return nodes and pods as they are now.

    Args:
        kubectl: on the cluster.
        moment: what to call it.
        provider: word of `cluster.provider`, for the prices of its nodes.
        waited: seconds until it ran, by the name of a pod of the rehearsal's own.

    Raises:
        KubectlError: the cluster cannot be asked.
    """
    objects = ask(kubectl, "nodes,pods", "--all-namespaces")
    nodes = tuple(node_of(one, provider=provider) for one in objects if one["kind"] == "Node")
    pods = tuple(pod_of(one) for one in objects if one["kind"] == "Pod")
    return Picture(
        moment=moment,
        nodes=tuple(sorted(nodes, key=lambda node: (node.pool, node.name))),
        pods=tuple(replace(pod, waited=(waited or {}).get(pod.name)) for pod in pods),
    )


def ask(kubectl: Kubectl, *words: str) -> list[Json]:
    """Return what `kubectl get WORDS` finds.

    Raises:
        KubectlError: the cluster cannot be asked.
    """
    return json.loads(kubectl.ask("get", *words, "--output", "json"))["items"]


def node_of(found: Json, *, provider: str) -> Node:
    """Return a node from its object."""
    labels, room = found["metadata"].get("labels", {}), found["status"]["allocatable"]
    instance_type = labels.get(INSTANCE_LABEL, "")
    known = instances.find(provider, instance_type) if provider in instances.CLOUDS else None
    price = annotation(dict(found), PRICE)
    return Node(
        name=found["metadata"]["name"],
        pool=labels.get(POOL_LABEL) or annotation(dict(found), POOL) or labels.get(STATED_POOL_LABEL, ""),
        instance_type=instance_type,
        cpu=float(parse_quantity(room["cpu"])),
        memory=int(parse_quantity(room["memory"])),
        gpus=_gpus(room),
        pods=int(room["pods"]),
        # A pool may know better than the catalogue, for instance what spot nodes cost.
        usd_per_hour=float(price) if price else known.usd_per_hour if known else None,
    )


def pod_of(found: Json) -> Pod:
    """Return a pod from its object."""
    about, spec, status = found["metadata"], found["spec"], found.get("status", {})
    labels = about.get("labels", {})
    conditions = {one["type"]: one for one in status.get("conditions", [])}
    placed = conditions.get("PodScheduled", {})
    cpu, memory, gpus = reserved(spec)
    return Pod(
        namespace=about["namespace"],
        name=about["name"],
        role=labels.get(ROLE_LABEL, "platform"),
        profile=labels.get(PROFILE_LABEL, ""),
        node=spec.get("nodeName", ""),
        running=_runs(status, conditions),
        cpu=cpu,
        memory=memory,
        gpus=gpus,
        # What comes after the first sentence tells why nothing was thrown out for it.
        reason=placed.get("message", "").partition(". ")[0] if placed.get("status") == "False" else _stuck(status),
    )


def reserved(spec: Json) -> tuple[float, int, int]:
    """Return cores, bytes and GPUs that a pod reserves: its containers together, or its largest init container."""
    every = [_requests(one) for one in spec["containers"]]
    together = [sum(part) for part in zip(*every, strict=True)]
    first = [_requests(one) for one in spec.get("initContainers", [])]
    cpu, memory, gpus = (max([whole, *(one[place] for one in first)]) for place, whole in enumerate(together))
    return float(cpu), int(memory), int(gpus)


def _requests(container: Json) -> tuple[float, int, int]:
    resources = container.get("resources", {})
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    wanted = {**limits, **requests}  # a limit without a request is its own request
    return (
        float(parse_quantity(wanted.get("cpu", "0"))),
        int(parse_quantity(wanted.get("memory", "0"))),
        _gpus(wanted),
    )


def _gpus(amounts: Json) -> int:
    return sum(int(amount) for name, amount in amounts.items() if name.endswith(GPU))


def _runs(status: Json, conditions: Mapping[str, Json]) -> bool:
    if status.get("phase") == "Succeeded":
        return True  # a job that is done
    return status.get("phase") == "Running" and conditions.get("Ready", {}).get("status") == "True"


def _stuck(status: Json) -> str:
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            return f"container {container['name']}: {waiting['reason']} {waiting.get('message', '')}".strip()
    return ""


def of_roles(pods: Iterable[Pod], *roles: str) -> list[Pod]:
    """Return the pods of some roles."""
    return [pod for pod in pods if pod.role in roles]
