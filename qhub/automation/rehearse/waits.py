"""What the Kubernetes resources of a simulated cloud waited for: nodes, volumes, images, probes, addresses.

Read from what the simulated cloud writes on pods and Services (`qhub.rehearsal.cluster.controllers`). Pods that are
gone again, those of hooks, cannot be asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from qhub.rehearsal.clouds.clock import Clock
from qhub.rehearsal.cluster.controllers.images import megabytes, short_name
from qhub.rehearsal.cluster.controllers.load_balancer import ADDRESS_AT
from qhub.rehearsal.cluster.controllers.pods_starting import START
from qhub.rehearsal.cluster.controllers.pools import annotation
from qhub.rehearsal.report.recording import Operation
from qhub.rehearsal.report.words import duration

Json = Mapping[str, Any]

RELEASE = "kubernetes:helm.sh/v3:Release"
SERVICE = "kubernetes:core/v1:Service"
WORKLOADS = tuple(f"kubernetes:apps/v1:{kind}" for kind in ("Deployment", "DaemonSet", "StatefulSet"))

#: Labels by which the pods of a release are known: Helm's own advice, and z2jh's.
RELEASE_LABELS = ("app.kubernetes.io/instance", "release")

#: Parts of a pod's start, in their order.
PARTS = ("volumes", "images", "containers")

#: Images that are named for a pod: the largest say it all.
IMAGES = 2


def explained(
    operations: Iterable[Operation], *, state: Json, objects: Iterable[Json], clock: Clock
) -> list[Operation]:
    """Return operations with what each waited for, where that can be told.

    Args:
        operations: of `pulumi up`.
        state: the stack's deployment after it.
        objects: the cluster's pods and Services.
        clock: the simulated one.
    """
    inputs = {one["urn"]: one.get("inputs") or {} for one in state.get("resources") or []}
    every = list(objects)
    return [replace(one, waited_for=_waited(one, inputs.get(one.urn, {}), every, clock)) for one in operations]


def _waited(one: Operation, inputs: Json, objects: list[Json], clock: Clock) -> str:
    if one.op != "create":
        return ""
    if one.type == SERVICE:
        return _address(one, inputs, objects, clock)
    if one.type == RELEASE:
        namespace, wanted = inputs.get("namespace"), inputs.get("name")
        pods = [
            pod
            for pod in _of(objects, "Pod", namespace)
            if any(_labels(pod).get(label) == wanted for label in RELEASE_LABELS)
        ]
    elif one.type in WORKLOADS:
        selector = inputs["spec"]["selector"].get("matchLabels") or {}
        pods = [
            pod
            for pod in _of(objects, "Pod", inputs["metadata"].get("namespace"))
            if selector.items() <= _labels(pod).items()
        ]
    else:
        return ""
    starts = [(pod, json.loads(annotation(dict(pod), START))) for pod in pods if annotation(dict(pod), START)]
    return _slowest(one, starts, clock)


def _slowest(one: Operation, starts: list[tuple[Json, Json]], clock: Clock) -> str:
    """Return what the pod waited for that was Ready last."""
    if not starts:
        return ""
    ready = {id(start): clock.moment(start["since"]) + sum(start[part] for part in PARTS) for _, start in starts}
    pod, start = max(starts, key=lambda found: ready[id(found[1])])
    parts = [f"on a node after {duration(max(0.0, clock.moment(start['since']) - one.start))}"]
    if start["volumes"]:
        parts.append(f"volumes {duration(start['volumes'])}")
    if start["images"]:
        parts.append(f"images {duration(start['images'])}{_images(start['pulled'])}")
    parts.append(f"containers {duration(start['containers'])}")
    return f"pod {pod['metadata']['name']}: {', '.join(parts)}"


def _images(pulled: Mapping[str, float]) -> str:
    """Return the largest images that a pod had to pull; empty where others pulled them for it."""
    largest = sorted(pulled, key=lambda image: -megabytes(image))[:IMAGES]
    named = [f"{short_name(image).rpartition('/')[2]} {megabytes(image):g} MB" for image in largest]
    return f" ({', '.join(named)})" if named else ""


def _address(one: Operation, inputs: Json, objects: list[Json], clock: Clock) -> str:
    about = inputs.get("metadata") or {}
    for service in _of(objects, "Service", about.get("namespace")):
        moment = annotation(dict(service), ADDRESS_AT)
        if service["metadata"]["name"] == about.get("name") and moment:
            return f"its address after {duration(max(0.0, clock.moment(float(moment)) - one.start))}"
    return ""


def _of(objects: Iterable[Json], kind: str, namespace: str | None) -> Iterator[Json]:
    return (one for one in objects if one["kind"] == kind and one["metadata"]["namespace"] == namespace)


def _labels(pod: Json) -> Mapping[str, str]:
    return pod["metadata"].get("labels") or {}
