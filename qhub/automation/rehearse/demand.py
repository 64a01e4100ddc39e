"""Everybody comes: one server per profile, and a Dask cluster per worker profile. Then everybody leaves."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from qhub.automation.kubectl import KubectlError
from qhub.automation.rehearse.blame import key_for, pod_failure
from qhub.automation.rehearse.dask_pods import scheduler_pod, worker_pod, worker_profiles
from qhub.automation.rehearse.journal import StepFailed
from qhub.automation.rehearse.looking import of_roles
from qhub.automation.rehearse.user_pods import ROLE_LABEL, profile_names, size_names, user_pod
from qhub.automation.rehearse.waiting import POLL, STILL, STILL_WITH_AUTOSCALER, Stage, settle
from qhub.rehearsal.report.recording import ROLES, Failure, Picture, Pod
from qhub.rehearsal.report.words import duration, plural

RELEASE = "kubernetes:helm.sh/v3:Release"

#: Roles of the pods that come and leave.
GUESTS = ("user", "scheduler", "worker")

#: Workers of one profile at most. A profile may allow thousands; how the pool grows is seen long before.
MOST_WORKERS = 40

#: Simulated seconds until idle nodes must be gone. Cluster-autoscaler waits for ten minutes before it takes one away.
SCALE_DOWN = 3600.0


def release_values(state: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """Return the values that a Helm release of the stack was given, or None where there is none."""
    for resource in state.get("resources") or []:
        if resource["type"] == RELEASE and resource["inputs"].get("name") == name:
            return resource["inputs"]["values"]
    return None


def first_pods(state: Mapping[str, Any], namespace: str) -> list[dict[str, Any]]:
    """Return what must run: a server per profile and size, and a scheduler with one worker per worker profile."""
    hub, gateway = release_values(state, "jupyterhub"), release_values(state, "dask-gateway")
    pods = [
        user_pod(hub or {}, name, namespace=namespace, size=size)
        for name in (profile_names(hub) if hub else ())
        for size in (size_names(hub or {}, name) or (None,))
    ]
    for name in worker_profiles(gateway) if gateway else ():
        pods += [scheduler_pod(gateway or {}, name, namespace=namespace)]
        pods += [worker_pod(gateway or {}, name, 1, namespace=namespace)]
    return pods


def more_workers(state: Mapping[str, Any], namespace: str) -> list[dict[str, Any]]:
    """Return the rest of each Dask cluster."""
    gateway = release_values(state, "dask-gateway")
    if gateway is None:
        return []
    return [
        worker_pod(gateway, name, number, namespace=namespace)
        for name, most in worker_profiles(gateway).items()
        for number in range(2, min(most, MOST_WORKERS) + 1)
    ]


def everybody_comes(stage: Stage, state: Mapping[str, Any]) -> str:
    """Make the pods and wait until they run; return what was seen.

    Raises:
        StepFailed: a profile's first pod does not run, for each such profile with its key.
    """
    namespace = stage.settings.namespace.name
    waited: dict[str, float] = {}
    _create(stage, first_pods(state, namespace))
    pods = _wait(stage, waited, patience=float(stage.settings.jupyterhub.start_timeout))
    stuck = [pod for pod in pods if not pod.running]
    if stuck:
        stage.journal.pictures.append(stage.look("peak", waited))
        raise StepFailed(*(pod_failure("demand", pod, stage.settings) for pod in stuck))
    rest = more_workers(state, namespace)
    if rest:
        _create(stage, rest)
        pods = _wait(stage, waited, patience=STILL_WITH_AUTOSCALER * 4)
        _note_missing_workers(stage, pods)
    stage.journal.pictures.append(stage.look("peak", waited))
    slowest = max(waited.values(), default=0.0)
    running = Counter(pod.role for pod in pods if pod.running)
    return (
        f"{plural(running['user'], 'server')}, {plural(running['scheduler'], 'Dask scheduler')} and "
        f"{plural(running['worker'], 'worker')} run; the slowest start took {duration(slowest)}"
    )


def everybody_leaves(stage: Stage) -> str:
    """Delete the pods and wait until the nodes that came for them are gone; return what was seen.

    Raises:
        StepFailed: pods or nodes stay.
    """
    stage.kubectl.ask("delete", "pods", "--all-namespaces", f"--selector={ROLE_LABEL}", "--wait=false")
    idle = next(one for one in stage.journal.pictures if one.moment == "idle")
    # Where no node goes, only the simulated kubelet is waited for.
    deadline, patience = stage.journal.clock.now() + SCALE_DOWN, time.monotonic() + STILL * 10
    while True:
        picture = stage.look("after")
        guests = of_roles(picture.pods, *GUESTS)
        surplus = len(picture.nodes) - len(idle.nodes)
        if not guests and surplus <= 0:
            break
        stage.journal.watcher.told(f"{len(guests)} pods and {max(surplus, 0)} nodes still to go")
        late = stage.journal.clock.now() > deadline if stage.autoscaled else time.monotonic() > patience
        if late:
            raise StepFailed(_stays(picture, idle, guests))
        time.sleep(POLL)
    stage.journal.pictures.append(picture)
    peak = next(one for one in stage.journal.pictures if one.moment == "peak")
    return f"{len(peak.nodes)} nodes at peak, {len(picture.nodes)} after; every pod of a user is gone"


def wait_for_platform(stage: Stage) -> Picture:
    """Wait until every pod is on a node and Ready; return the cluster as it is then.

    Raises:
        StepFailed: one is not, for each with its reason.
    """
    settle(stage, roles=ROLES, patience=float(stage.settings.jupyterhub.start_timeout), seen=lambda _: None)
    picture = stage.look("idle")
    stuck = [pod for pod in picture.pods if not pod.running]
    stage.journal.pictures.append(picture)
    if stuck:
        raise StepFailed(*(pod_failure("placed", pod, stage.settings) for pod in stuck))
    return picture


def _create(stage: Stage, pods: Sequence[Mapping[str, Any]]) -> None:
    """Create pods in one call; what admission refuses (a quota, pod security) is the failure of that pod's profile."""
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(pods)})
    try:
        stage.manifests.write_text(document, encoding="utf-8")
        stage.kubectl.ask("create", f"--filename={stage.manifests}")
    except KubectlError as error:
        pools = stage.settings.cluster.pools
        found = [key_for("", line, pools=pools) for line in str(error).splitlines()]
        key = next((one.key for one in found if one.key), "")
        if "exceeded quota" in str(error):
            key = "namespace.quota"
        elif "violates PodSecurity" in str(error):
            key = "namespace.pod_security"
        failure = Failure(step="demand", what="a pod of a user is refused", message=str(error), key=key)
        raise StepFailed(failure) from error


def _wait(stage: Stage, waited: dict[str, float], *, patience: float) -> list[Pod]:
    began = stage.journal.clock.now()

    def seen(pod: Pod) -> None:
        waited.setdefault(pod.name, stage.journal.clock.now() - began)

    return settle(stage, roles=GUESTS, patience=patience, seen=seen)


def _note_missing_workers(stage: Stage, pods: Sequence[Pod]) -> None:
    """Tell where a whole Dask cluster finds no room: it works with fewer workers, only slower than its user hopes."""
    for profile in stage.settings.dask.profiles:
        workers = [pod for pod in of_roles(pods, "worker") if pod.profile == profile.name]
        running = sum(pod.running for pod in workers)
        if running < len(workers):
            stage.journal.notes.append(
                f"With everybody there at once, {running} of the {len(workers)} workers of Dask profile "
                f"{profile.name} find room: raise cluster.node_pools.{profile.node_pool}.max, or lower "
                "dask.max_workers_per_cluster"
            )


def _stays(picture: Picture, idle: Picture, guests: Sequence[Pod]) -> Failure:
    if guests:
        return Failure(step="scale-down", what=f"pod {guests[0].name}", message="is still there after its deletion")
    before = {node.name for node in idle.nodes}
    node = next((one for one in picture.nodes if one.name not in before), picture.nodes[-1])
    return Failure(
        step="scale-down",
        what=f"node {node.name}",
        message="has no pod of a user any more and is not taken away",
        key=f"cluster.node_pools.{node.pool}.min" if node.pool else "",
    )
