"""When an object of each kind counts as ready: the official plugin's rules, which are those of `kubectl rollout`."""

from __future__ import annotations

from typing import Any

from qhub.rehearsal.plugins.kubernetes.kinds import Kind
from qhub.rehearsal.plugins.kubernetes.waiting.base import READY, Look, Rule, Verdict


def _condition(live: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the condition of that type, empty where the object has none."""
    conditions = _status(live).get("conditions") or []
    return next((one for one in conditions if one.get("type") == name), {})


def _status(live: dict[str, Any]) -> dict[str, Any]:
    return live.get("status") or {}


def _observed(live: dict[str, Any]) -> bool:
    """Say whether the controller has seen the latest change."""
    return _status(live).get("observedGeneration", 0) >= live["metadata"].get("generation", 0)


def _reason(condition: dict[str, Any]) -> str:
    words = (condition.get("reason"), condition.get("message"))
    return ": ".join(str(word) for word in words if word)


def deployment(live: dict[str, Any], look: Look) -> Verdict:
    """All replicas are of the latest template and available, and none of an older one is left."""
    wanted = live["spec"].get("replicas", 1)
    status = _status(live)
    progressing = _condition(live, "Progressing")
    if not _observed(live):
        return Verdict(ready=False, message="waiting for its controller to see the change")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return Verdict(ready=False, failed=True, message=f"the rollout made no progress: {_reason(progressing)}")
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    old = status.get("replicas", 0) - updated
    if updated < wanted:
        return Verdict(ready=False, message=f"{updated} of {wanted} replicas made of the new template")
    if available < updated:
        return Verdict(ready=False, message=f"{min(available, wanted)} of {wanted} replicas available")
    if old > 0:
        return Verdict(ready=False, message=f"waiting for {old} replicas of the old template to end")
    return READY


def stateful_set(live: dict[str, Any], look: Look) -> Verdict:
    """All replicas are ready and of the latest revision (with `OnDelete`: ready)."""
    wanted = live["spec"].get("replicas", 1)
    status = _status(live)
    if not _observed(live):
        return Verdict(ready=False, message="waiting for its controller to see the change")
    ready = status.get("readyReplicas", 0)
    if ready < wanted:
        return Verdict(ready=False, message=f"{ready} of {wanted} replicas ready")
    strategy = live["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return READY
    kept_back = (strategy.get("rollingUpdate") or {}).get("partition", 0)
    updated = status.get("updatedReplicas", 0)
    if updated < wanted - kept_back:
        return Verdict(ready=False, message=f"{updated} of {wanted - kept_back} replicas of the new revision")
    return READY


def daemon_set(live: dict[str, Any], look: Look) -> Verdict:
    """A pod of the latest template is available on every node that should have one."""
    status = _status(live)
    wanted = status.get("desiredNumberScheduled", 0)
    if not _observed(live):
        return Verdict(ready=False, message="waiting for its controller to see the change")
    updated, available = status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)
    on_delete = (live["spec"].get("updateStrategy") or {}).get("type") == "OnDelete"
    if available < wanted or (updated < wanted and not on_delete):
        return Verdict(
            ready=False, message=f"available on {available} of {wanted} nodes, {updated} of the new template"
        )
    return READY


def job(live: dict[str, Any], look: Look) -> Verdict:
    """It has completed; one that failed will not."""
    failed = _condition(live, "Failed")
    if failed.get("status") == "True":
        return Verdict(ready=False, failed=True, message=f"the job failed: {_reason(failed)}")
    complete = [_condition(live, name).get("status") for name in ("Complete", "SuccessCriteriaMet", "Suspended")]
    if "True" in complete:
        return READY
    status = _status(live)
    wanted = live["spec"].get("completions") or 1
    active, failures = status.get("active", 0), status.get("failed", 0)
    message = f"{status.get('succeeded', 0)} of {wanted} completions, {active} pods active, {failures} failed"
    return Verdict(ready=False, message=message)


def pod(live: dict[str, Any], look: Look) -> Verdict:
    """It is ready, or has ended well."""
    phase = _status(live).get("phase", "Pending")
    if phase == "Succeeded" or _condition(live, "Ready").get("status") == "True":
        return READY
    if phase == "Failed":
        words = [str(_status(live).get(key)) for key in ("reason", "message") if _status(live).get(key)]
        return Verdict(ready=False, failed=True, message=f"the pod failed{': ' if words else ''}{': '.join(words)}")
    return Verdict(ready=False, message=f"the pod is {phase}")


def claim(live: dict[str, Any], look: Look) -> Verdict:
    """It is bound, or will be when its first consumer comes."""
    phase = _status(live).get("phase", "Pending")
    if phase == "Bound":
        return READY
    if phase == "Lost":
        return Verdict(ready=False, failed=True, message="the claim lost its volume")
    name = live["spec"].get("storageClassName")
    storage = look.api.find(f"/apis/storage.k8s.io/v1/storageclasses/{name}") if name else None
    if storage and storage.get("volumeBindingMode") == "WaitForFirstConsumer":
        return READY
    if name and storage is None and not live["spec"].get("volumeName"):
        known = [one["metadata"]["name"] for one in look.items("/apis/storage.k8s.io/v1/storageclasses")]
        existing = ", ".join(known) or "none"
        return Verdict(
            ready=False, message=f"the claim is {phase}: no storage class '{name}' (the cluster has: {existing})"
        )
    where = f"class '{name}'" if name else "no storage class"
    return Verdict(ready=False, message=f"the claim is {phase} ({where}): waiting for a volume")


def volume(live: dict[str, Any], look: Look) -> Verdict:
    """It can be, or is, bound."""
    phase = _status(live).get("phase", "Pending")
    if phase == "Failed":
        return Verdict(ready=False, failed=True, message=f"the volume failed: {_status(live).get('message', '')}")
    return READY if phase in ("Available", "Bound") else Verdict(ready=False, message=f"the volume is {phase}")


def service(live: dict[str, Any], look: Look) -> Verdict:
    """A pod that it selects is ready, and a load balancer has an address."""
    spec = live["spec"]
    if spec.get("type") == "ExternalName":
        return READY
    if spec.get("type") == "LoadBalancer" and not (_status(live).get("loadBalancer") or {}).get("ingress"):
        return Verdict(ready=False, message="waiting for a load balancer to give it an address")
    if not spec.get("selector") or spec.get("clusterIP") == "None":
        return READY
    slices = look.items(
        f"/apis/discovery.k8s.io/v1/namespaces/{look.namespace}/endpointslices",
        selector={"kubernetes.io/service-name": look.name},
    )
    # `ready` unset means ready, says the API.
    endpoints = [one for part in slices for one in part.get("endpoints") or []]
    if any((one.get("conditions") or {}).get("ready", True) for one in endpoints):
        return READY
    labels = ", ".join(f"{key}={value}" for key, value in spec["selector"].items())
    count = f"{len(endpoints)} selected, none ready" if endpoints else "none found"
    return Verdict(ready=False, message=f"waiting for a ready pod with {labels} ({count})")


def namespace(live: dict[str, Any], look: Look) -> Verdict:
    """It is active."""
    phase = _status(live).get("phase", "Active")
    if phase == "Terminating":
        return Verdict(ready=False, failed=True, message="the namespace is being deleted: wait until it is gone")
    return READY


def definition(live: dict[str, Any], look: Look) -> Verdict:
    """The API server serves the new kind."""
    if _condition(live, "Established").get("status") == "True":
        return READY
    clash = _condition(live, "NamesAccepted")
    if clash.get("status") == "False":
        return Verdict(ready=False, failed=True, message=f"its names are not accepted: {_reason(clash)}")
    return Verdict(ready=False, message="waiting for the API server to serve the new kind")


def _at_once(live: dict[str, Any], look: Look) -> Verdict:
    return READY


_RULES: dict[tuple[str, str], Rule] = {
    ("apps", "Deployment"): deployment,
    ("apps", "StatefulSet"): stateful_set,
    ("apps", "DaemonSet"): daemon_set,
    ("batch", "Job"): job,
    ("", "Pod"): pod,
    ("", "PersistentVolumeClaim"): claim,
    ("", "PersistentVolume"): volume,
    ("", "Service"): service,
    ("", "Namespace"): namespace,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definition,
}


def readiness_of(kind: Kind) -> Rule:
    """Return the rule of a kind. What has no rule is ready when it exists.

    That includes an Ingress: the official plugin waits for its address, which never comes where its controller is not
    the one that publishes it (`publishService` off, one address for many controllers).
    """
    return _RULES.get((kind.group, kind.name), _at_once)
