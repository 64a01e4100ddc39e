"""Waiting until pods run, or until it is sure that they never will."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from qhub.automation.kubectl import Kubectl
from qhub.automation.rehearse.journal import Journal
from qhub.automation.rehearse.looking import look
from qhub.config import Settings
from qhub.config.cloud import CloudCluster
from qhub.rehearsal.report.recording import Picture, Pod

#: Real seconds without a change after which a cluster that gets no more nodes has said its last word: scheduler and
#: simulated kubelet take well below one.
STILL = 3.0
#: Looks without a change that it takes besides: on a machine with other work one takes seconds, and so does all that is
#: waited for. On one without, these are over before.
STILL_LOOKS = 6
#: Simulated seconds without a change after which no more nodes come: an autoscaler looks every 10 s, and a cloud hands
#: a node over within some minutes.
STILL_WITH_AUTOSCALER = 900.0
#: Looks without a change that it takes besides, for the same reason as above: a machine with other work may leave so
#: little to the simulated cluster that it does in those seconds what it does in a few otherwise. On one without, 20
#: looks fit into them.
STILL_LOOKS_WITH_AUTOSCALER = 30
#: Real seconds between two looks.
POLL = 0.4


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where pods are made and watched.

    Attributes:
        kubectl: on the rehearsal's cluster.
        settings: of the stack.
        journal: of the rehearsal.
        autoscaled: whether nodes come and go.
        manifests: file for what is handed to `kubectl`.
    """

    kubectl: Kubectl
    settings: Settings
    journal: Journal
    autoscaled: bool
    manifests: Path

    def look(self, moment: str, waited: Mapping[str, float] | None = None) -> Picture:
        """Return the cluster as it is now."""
        return look(self.kubectl, moment, provider=self.settings.cluster.provider, waited=waited)

    def pool_of(self, pod: Pod) -> str:
        """Return the name of the node pool that a pod is for."""
        profiles = {"user": self.settings.jupyterhub.profiles, "worker": self.settings.dask.profiles}
        named = (one.node_pool for one in profiles.get(pod.role, ()) if one.name == pod.profile)
        return next(named, "general")


def settle(stage: Stage, *, roles: tuple[str, ...], patience: float, seen: Callable[[Pod], None]) -> list[Pod]:
    """Look until every pod runs, or until nothing has changed for so long that nothing will; return the last look.

    Args:
        stage: where.
        roles: of the pods that are waited for.
        patience: simulated seconds after which waiting ends in any case, where nodes may come.
        seen: called at each look with each pod that runs.
    """
    clock, before = stage.journal.clock, None
    began = changed = clock.now()
    changed_wall, looks = time.monotonic(), 0
    while True:
        picture = stage.look("")
        pods = [pod for pod in picture.pods if pod.role in roles]
        running = [pod for pod in pods if pod.running]
        for pod in running:
            seen(pod)
        if pods and len(running) == len(pods):
            return pods
        # A node that comes is a change too: its pods are still to be placed.
        state = {(pod.name, pod.node, pod.running) for pod in pods} | {node.name for node in picture.nodes}
        if state != before:
            before, changed, changed_wall, looks = state, clock.now(), time.monotonic(), 0
        stage.journal.watcher.told(f"{len(running)} of {len(pods)} pods run on {len(picture.nodes)} nodes")
        looks += 1
        still = looks > STILL_LOOKS and time.monotonic() - changed_wall > STILL
        if stage.autoscaled and not is_full(stage, picture, pods):
            late = clock.now() - began > patience
            still = still and looks > STILL_LOOKS_WITH_AUTOSCALER
            still = still and (late or clock.now() - changed > STILL_WITH_AUTOSCALER)
        if still:
            return pods
        time.sleep(POLL)


def is_full(stage: Stage, picture: Picture, pods: list[Pod]) -> bool:
    """Tell whether no node can come for any of the pods that have none: their pools are as large as they may be."""
    cluster = stage.settings.cluster
    if not isinstance(cluster, CloudCluster) or any(pod.node and not pod.running for pod in pods):
        return False
    nodes = Counter(node.pool for node in picture.nodes)
    wanted = {stage.pool_of(pod) for pod in pods if not pod.node}
    return all(nodes[name] >= cluster.node_pools[name].max for name in wanted)
