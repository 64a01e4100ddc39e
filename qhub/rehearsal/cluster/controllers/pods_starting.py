"""Lets the pods of a simulated cloud start in their time: kwok makes them Ready at the moment that is written on them.

| annotation | on | says |
|---|---|---|
| `rehearsal.qhub.dev/pod-ready-at` | a pod | when it is Ready, RFC 3339; kwok waits for it (`stages/pod-ready.yaml`) |
| `rehearsal.qhub.dev/runs-for` | a pod | how long its work takes, where a Job's (`stages/pod-complete.yaml`) |
| `rehearsal.qhub.dev/start` | a pod | what it waited for: a `Start`, and `since`, seconds since 1970, as JSON |
| `rehearsal.qhub.dev/images` | a node | its images, and when each was there, in seconds since 1970, as JSON |
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from qhub.rehearsal.cluster.controllers.actions import Action, Patch, World, object_path
from qhub.rehearsal.cluster.controllers.durations import MOUNT
from qhub.rehearsal.cluster.controllers.pace import Pace
from qhub.rehearsal.cluster.controllers.pod_start import Images, Start, start_of
from qhub.rehearsal.cluster.controllers.pools import annotation
from qhub.rehearsal.cluster.controllers.storage_names import CLAIMS, DISKS, PROVISIONED_BY, VOLUMES
from qhub.rehearsal.cluster.controllers.volume_zones import claims_of
from qhub.rehearsal.cluster.nodes import NODE_LABEL, NODES, is_ready

Json = dict[str, Any]

PODS = "/api/v1/pods"
COLLECTIONS = (PODS, NODES, CLAIMS, VOLUMES)

READY_AT = "rehearsal.qhub.dev/pod-ready-at"
RUNS_FOR = "rehearsal.qhub.dev/runs-for"
START = "rehearsal.qhub.dev/start"
IMAGES = "rehearsal.qhub.dev/images"

#: What a Job of a chart does: a certificate, a question to a webhook. Estimate.
JOB = 3.0


@dataclass(frozen=True, kw_only=True)
class _Disks:
    """Volumes by claim, and which are in use where."""

    volumes: Mapping[tuple[str, str], Json]
    attached: set[tuple[str, str]]

    @classmethod
    def of(cls, world: World) -> _Disks:
        by_name = {volume["metadata"]["name"]: volume for volume in world[VOLUMES]}
        volumes = {
            (claim["metadata"]["namespace"], claim["metadata"]["name"]): by_name[claim["spec"]["volumeName"]]
            for claim in world[CLAIMS]
            if claim["spec"].get("volumeName") in by_name and claim.get("status", {}).get("phase") == "Bound"
        }
        made = cls(volumes=volumes, attached=set())
        for pod in world[PODS]:
            if annotation(pod, START) and "nodeName" in pod["spec"]:
                made.note(pod)
        return made

    def note(self, pod: Json) -> None:
        """Take a pod's volumes for attached to its node."""
        node = pod["spec"]["nodeName"]
        self.attached.update((node, volume["metadata"]["name"]) for volume in self._used_by(pod) or [])

    def seconds(self, pod: Json, pace: Pace) -> float | None:
        """Return how long its volumes take; None where one is not there yet."""
        used = self._used_by(pod)
        if used is None:
            return None
        # Together, not one after the other.
        return max((self._seconds(pod["spec"]["nodeName"], volume, pace) for volume in used), default=0.0)

    def _seconds(self, node: str, volume: Json, pace: Pace) -> float:
        if annotation(volume, PROVISIONED_BY) not in DISKS:
            return MOUNT
        return 0.0 if (node, volume["metadata"]["name"]) in self.attached else pace.durations.attach

    def _used_by(self, pod: Json) -> list[Json] | None:
        about = pod["metadata"]
        names = [(about["namespace"], name) for name in claims_of(about["name"], pod["spec"])]
        if any(name not in self.volumes for name in names):
            return None
        return [self.volumes[name] for name in names]


def reconcile(world: World, *, pace: Pace) -> list[Action]:
    """Return what is to be done, from all pods, nodes, claims and volumes."""
    nodes = {
        node["metadata"]["name"]: node
        for node in world[NODES]
        if NODE_LABEL in node["metadata"]["labels"] and is_ready(node)
    }
    disks = _Disks.of(world)
    arrived = [pod for pod in world[PODS] if pod["spec"].get("nodeName") in nodes and _is_new(pod)]
    actions: list[Action] = []
    for name, node in nodes.items():
        own = sorted((pod for pod in arrived if pod["spec"]["nodeName"] == name), key=_age)
        actions += _start(node, own, disks, pace)
    return actions


def _start(node: Json, pods: Iterable[Json], disks: _Disks, pace: Pace) -> list[Action]:
    """Return what is to be written on a node and on the pods that have come to it."""
    now = pace.now()
    known: dict[str, float] = json.loads(annotation(node, IMAGES) or "{}")
    there = {image: (moment - now) * pace.speed for image, moment in known.items()}
    actions: list[Action] = []
    for pod in pods:
        seconds = disks.seconds(pod, pace)
        if seconds is None:
            continue
        images = Images(there=there, parallel=pace.durations.parallel_pulls)
        start = start_of(pod["spec"], volumes=seconds, images=images)
        disks.note(pod)
        # For this pod alone: one that gave way may be made anew meanwhile, by the same name and on no node yet.
        about = {"uid": pod["metadata"]["uid"], "annotations": _annotations(start, now, pace)}
        actions.append(Patch(object_path(PODS, pod), {"metadata": about}))
    if new := there.keys() - known.keys():
        moments = known | {image: round(now + there[image] / pace.speed, 3) for image in new}
        body = {"metadata": {"annotations": {IMAGES: json.dumps(moments, sort_keys=True)}}}
        # Before the pods: who is killed in between forgets no image.
        actions.insert(0, Patch(object_path(NODES, node), body))
    return actions


def _annotations(start: Start, now: float, pace: Pace) -> dict[str, str]:
    ready = datetime.fromtimestamp(now + start.seconds / pace.speed, tz=UTC)
    return {
        READY_AT: ready.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        RUNS_FOR: f"{JOB / pace.speed:.3f}s",
        START: json.dumps({**asdict(start), "since": round(now, 3)}, sort_keys=True),
    }


def _is_new(pod: Json) -> bool:
    return "deletionTimestamp" not in pod["metadata"] and not annotation(pod, READY_AT)


def _age(pod: Json) -> tuple[str, str, str]:
    about = pod["metadata"]
    return about.get("creationTimestamp", ""), about["namespace"], about["name"]
