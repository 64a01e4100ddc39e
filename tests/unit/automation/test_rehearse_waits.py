"""What the report says that a chart, a workload and a load balancer waited for."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from qhub.automation.rehearse.waits import RELEASE, SERVICE, explained
from qhub.rehearsal.clouds.clock import Clock
from qhub.rehearsal.cluster.controllers.load_balancer import ADDRESS_AT
from qhub.rehearsal.cluster.controllers.pods_starting import START
from qhub.rehearsal.report.recording import Operation

Json = dict[str, Any]

HUB = "quay.io/jupyterhub/k8s-hub:4.4.0"


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path, speed=60)


def operation(kind: str, *, op: str = "create") -> Operation:
    return Operation(step="up", urn=f"urn::{kind}", type=kind, name="it", op=op, start=100, end=200)


def wall(clock: Clock, moment: float) -> float:
    """Return the moment on the wall clock that is a simulated one."""
    now = time.time()
    return now + (moment - clock.moment(now)) / clock.speed


def pod(clock: Clock, name: str, labels: Json, *, since: float, **start: Any) -> Json:
    whole = {"volumes": 0, "images": 0, "containers": 2, "pulled": {}, **start, "since": wall(clock, since)}
    about = {"namespace": "team", "name": name, "labels": labels, "annotations": {START: json.dumps(whole)}}
    return {"kind": "Pod", "metadata": about}


def waited(one: Operation, inputs: Json, objects: list[Json], clock: Clock) -> str:
    state = {"resources": [{"urn": one.urn, "inputs": inputs}]}
    [told] = explained([one], state=state, objects=objects, clock=clock)
    return told.waited_for


class TestWaits:
    def test_a_release_is_told_by_its_last_pod(self, clock: Clock) -> None:
        objects = [
            pod(clock, "proxy", {"release": "jupyterhub"}, since=101),
            pod(
                clock, "hub-1", {"release": "jupyterhub"}, since=105, volumes=15, images=4, containers=12,
                pulled={HUB: 4.0},
            ),
            pod(clock, "other", {"release": "dask-gateway"}, since=300),
            {"kind": "Pod", "metadata": {"namespace": "team", "name": "hook", "labels": {"release": "jupyterhub"}}},
        ]  # fmt: skip
        told = waited(operation(RELEASE), {"name": "jupyterhub", "namespace": "team"}, objects, clock)
        assert told == (
            "pod hub-1: on a node after 5.0 s, volumes 15 s, images 4.0 s (k8s-hub 120 MB), containers 12 s"
        )

    def test_a_workload_is_told_by_the_pods_of_its_selector(self, clock: Clock) -> None:
        labels = {"app": "nfs", "pod-template-hash": "1"}
        inputs = {"metadata": {"namespace": "team"}, "spec": {"selector": {"matchLabels": {"app": "nfs"}}}}
        objects = [pod(clock, "nfs-1", labels, since=90, images=3)]
        told = waited(operation("kubernetes:apps/v1:Deployment"), inputs, objects, clock)
        # Others had pulled the image, and it was there before the engine had told of the Deployment.
        assert told == "pod nfs-1: on a node after 0.0 s, images 3.0 s, containers 2.0 s"

    def test_a_load_balancer_is_told_by_its_address(self, clock: Clock) -> None:
        notes = {ADDRESS_AT: str(wall(clock, 220))}
        about = {"namespace": "team", "name": "ingress", "annotations": notes}
        inputs = {"metadata": {"namespace": "team", "name": "ingress"}}
        told = waited(operation(SERVICE), inputs, [{"kind": "Service", "metadata": about}], clock)
        assert told == "its address after 2 min 00 s"

    @pytest.mark.parametrize("kind", [RELEASE, SERVICE, "kubernetes:core/v1:Namespace"])
    def test_what_is_not_known_is_not_told(self, clock: Clock, kind: str) -> None:
        assert waited(operation(kind), {"metadata": {}}, [], clock) == ""
