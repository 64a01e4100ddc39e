"""Why something is not ready, as far as the cluster tells: pods, their reasons, their last events and log lines."""

from __future__ import annotations

from typing import Any

from qhub.rehearsal.plugins.errors import PluginError
from qhub.rehearsal.plugins.kubernetes.client import Api

#: Enough to see the cause, few enough to be read.
_PODS, _EVENTS, _LOG_LINES, _LOG_WIDTH = 4, 5, 8, 200
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "ReplicaSet", "Service")


def diagnose(api: Api, live: dict[str, Any]) -> str:
    """Return an indented account of an object that is not ready; best effort, so empty where nothing can be seen.

    Args:
        api: the API server.
        live: the object.
    """
    try:
        return "\n".join(_account(api, live))
    except PluginError as error:
        return f"  (its pods and events could not be read: {error})"


def _account(api: Api, live: dict[str, Any]) -> list[str]:
    kind, meta = live.get("kind", ""), live["metadata"]
    namespace = meta.get("namespace")
    lines = _events(api, namespace, kind, meta["name"], indent="  ")
    if not namespace:
        return lines
    if kind == "Pod":
        return [*lines, *_pod(api, live)]
    if kind not in _WORKLOADS:
        return lines
    pods = [pod for pod in _pods(api, live, namespace) if not _is_ready(pod)]
    if kind in ("Deployment", "StatefulSet", "DaemonSet", "Job") and not pods:
        # A quota or an admission rule refuses pods: only the object that makes them has the event.
        for owner in _children(api, live, namespace):
            lines += _events(api, namespace, owner["kind"], owner["metadata"]["name"], indent="  ")
    for pod in pods[:_PODS]:
        lines += _pod(api, pod)
    if len(pods) > _PODS:
        lines.append(f"  … and {len(pods) - _PODS} more pods that are not ready")
    return lines


def _pods(api: Api, live: dict[str, Any], namespace: str) -> list[dict[str, Any]]:
    selector = live["spec"].get("selector") or {}
    labels = selector.get("matchLabels") or (selector if live["kind"] == "Service" else {})
    if not labels:
        return []
    query = ",".join(f"{key}={value}" for key, value in labels.items())
    return api.get(f"/api/v1/namespaces/{namespace}/pods", labelSelector=query).get("items") or []


def _children(api: Api, live: dict[str, Any], namespace: str) -> list[dict[str, Any]]:
    """Return the ReplicaSets of a Deployment."""
    if live["kind"] != "Deployment":
        return []
    found = api.get(f"/apis/apps/v1/namespaces/{namespace}/replicasets").get("items") or []
    uid = live["metadata"].get("uid")
    owned = [one for one in found if any(ref.get("uid") == uid for ref in one["metadata"].get("ownerReferences") or [])]
    return [{**one, "kind": "ReplicaSet"} for one in owned]


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    ready = any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
    return ready or (pod.get("status") or {}).get("phase") == "Succeeded"


def _pod(api: Api, pod: dict[str, Any]) -> list[str]:
    meta, status = pod["metadata"], pod.get("status") or {}
    reasons = _reasons(status)
    lines = [f"  pod {meta['name']} is {status.get('phase', 'Pending')}{': ' if reasons else ''}{'; '.join(reasons)}"]
    lines += _events(api, meta["namespace"], "Pod", meta["name"], indent="    ")
    for container in _started(status):
        lines += _log(api, meta["namespace"], meta["name"], container)
    return lines


def _reasons(status: dict[str, Any]) -> list[str]:
    """Return why a pod is not ready: unscheduled, or what its containers say."""
    reasons = [
        f"{one.get('reason', one.get('type'))}: {one['message']}"
        for one in status.get("conditions") or []
        if one.get("status") == "False" and one.get("message") and one.get("type") == "PodScheduled"
    ]
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        for state in ("waiting", "terminated"):
            told = (container.get("state") or {}).get(state)
            if told and told.get("reason") not in (None, "Completed", "PodInitializing"):
                code = f" (exit code {told['exitCode']})" if "exitCode" in told else ""
                message = f": {told['message']}" if told.get("message") else ""
                reasons.append(f"container {container['name']}: {told['reason']}{code}{message}")
    return reasons


def _started(status: dict[str, Any]) -> list[str]:
    containers = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    return [one["name"] for one in containers if one.get("restartCount") or "terminated" in (one.get("state") or {})]


def _events(api: Api, namespace: str | None, kind: str, name: str, *, indent: str) -> list[str]:
    """Return the last warnings about an object, or its last events where there are none."""
    path = f"/api/v1/namespaces/{namespace or 'default'}/events"
    found = api.get(path, fieldSelector=f"involvedObject.kind={kind},involvedObject.name={name}").get("items") or []
    found.sort(key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")
    told = [event for event in found if event.get("type") == "Warning"] or (found if kind == "Pod" else [])
    lines = [f"{indent}{event.get('reason')}: {str(event.get('message')).strip()}" for event in told]
    return list(dict.fromkeys(lines))[-_EVENTS:]


def _log(api: Api, namespace: str, pod: str, container: str) -> list[str]:
    """Return the last log lines of a container; none on a simulated node, which has no log."""
    try:
        text = api.request(
            "GET",
            f"/api/v1/namespaces/{namespace}/pods/{pod}/log",
            query={"container": container, "tailLines": str(_LOG_LINES)},
            accept="text/plain, */*",
        )
    except PluginError:
        return []
    return [f"    {container} | {line[:_LOG_WIDTH]}" for line in text.splitlines()[-_LOG_LINES:]]
