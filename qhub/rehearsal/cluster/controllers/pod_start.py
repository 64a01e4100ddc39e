"""How a pod starts on a node of a simulated cloud: volumes, images, containers, probes, on the simulated clock.

As the kubelet does it (kubernetes.io/docs, "Pod Lifecycle"): volumes are attached and mounted, together; then, for one
container after the other, its image is pulled unless the node has it, and it starts; init containers have to end first.
The pod is Ready once every readiness probe has succeeded. Pure functions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from qhub.rehearsal.cluster.controllers.images import pull_seconds, short_name

Json = dict[str, Any]

#: Sandbox and network of a pod; then each container. Kubernetes promises 5 s in 99 of 100 cases for a pod whose images
#: are there and that has no init containers (SLO "pod startup latency", kubernetes/community, sig-scalability); what a
#: usual one takes of them is an estimate.
SANDBOX = 1.5
CONTAINER = 0.5
#: An init container's work: a `chown`, a rule of a firewall. Estimate.
INIT = 1.0
#: Until a process answers its probe. Estimate; the hub imports much, and looks at its database first.
ANSWERS = 3.0
ANSWERS_BY_IMAGE = {"k8s-hub": 10.0}


@dataclass(frozen=True, kw_only=True)
class Start:
    """What the start of a pod consists of, in simulated seconds.

    Attributes:
        volumes: until its volumes were mounted.
        images: that it waited for images to be pulled, by it or by another pod.
        containers: all the rest: sandbox, init containers, containers, until Ready.
        pulled: images that the node did not have, with the seconds that each pull took.
    """

    volumes: float
    images: float
    containers: float
    pulled: Mapping[str, float] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """From the pod's arrival on the node until it is Ready."""
        return self.volumes + self.images + self.containers


@dataclass(kw_only=True)
class Images:
    """The images of one node.

    Attributes:
        there: in how many simulated seconds from now each is there; zero or less for one that is.
        parallel: whether several are pulled at once.
        pulled: those that were asked for, with the seconds that each pull takes.
    """

    there: dict[str, float]
    parallel: bool
    pulled: dict[str, float] = field(default_factory=dict)

    def when(self, image: str, at: float) -> float:
        """Return when an image is there that is needed `at` that moment; it is pulled where nobody did before."""
        if image not in self.there:
            begins = at if self.parallel else max([at, *self.there.values()])
            self.pulled[image] = pull_seconds(image)
            self.there[image] = begins + self.pulled[image]
        return max(at, self.there[image])


def start_of(spec: Json, *, volumes: float, images: Images) -> Start:
    """Return how a pod starts.

    Args:
        spec: the pod's.
        volumes: seconds until its volumes are mounted.
        images: of its node; what is pulled is noted there.
    """
    at, pulling = volumes + SANDBOX, 0.0
    ready = at
    initial = spec.get("initContainers") or []
    for place, container in enumerate([*initial, *spec["containers"]]):
        there = images.when(container["image"], at)
        pulling += there - at
        at = there + CONTAINER
        if place >= len(initial):
            ready = max(ready, at + readiness(container))
        elif container.get("restartPolicy") != "Always":
            at += INIT
        else:  # a sidecar: the next one starts once it has started, the pod is Ready once it is
            at += _first_success(container.get("startupProbe"), answer_seconds(container), since=0.0)
            ready = max(ready, at + readiness(container))
    return Start(volumes=volumes, images=pulling, containers=ready - volumes - pulling, pulled=dict(images.pulled))


def readiness(container: Json) -> float:
    """Return how long after its start a container is ready: at the first probe that finds it answering.

    One without a readiness probe is ready when it runs. A startup probe has to succeed before.
    """
    answers = answer_seconds(container)
    started = _first_success(container.get("startupProbe"), answers, since=0.0)
    if not container.get("readinessProbe"):
        return started
    return _first_success(container["readinessProbe"], answers, since=started)


def answer_seconds(container: Json) -> float:
    """Return how long after its start a container answers."""
    name = short_name(container["image"]).rpartition("/")[2]
    return ANSWERS_BY_IMAGE.get(name, ANSWERS)


def _first_success(probe: Json | None, answers: float, *, since: float) -> float:
    """Return when a probe has succeeded that begins its rounds at `since`; at once for no probe."""
    if not probe:
        return since
    # Defaults as the API server has them; 0 stands for them in templates of charts.
    period = probe.get("periodSeconds") or 10
    first = max(since, float(probe.get("initialDelaySeconds") or 0))
    rounds = max(0, math.ceil((answers - first) / period))
    return first + period * (rounds + (probe.get("successThreshold") or 1) - 1)
