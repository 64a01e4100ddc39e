"""What a release waits for while helm is silent, and why it is not ready in the end."""

from __future__ import annotations

import time
from typing import Any

from qhub.rehearsal.plugins.errors import PluginError
from qhub.rehearsal.plugins.kubernetes import kinds
from qhub.rehearsal.plugins.kubernetes.helm.record import Record, latest, objects_of
from qhub.rehearsal.plugins.kubernetes.subject import Cluster
from qhub.rehearsal.plugins.kubernetes.waiting import Look, Waiter, readiness_of
from qhub.rehearsal.plugins.kubernetes.waiting.diagnosis import diagnose

#: Helm itself looks every two seconds.
_LOOK_SECONDS = 1.0
#: What helm waits for; of Services only those that want a load balancer.
_AWAITED = ("Deployment", "StatefulSet", "DaemonSet", "Job", "Pod", "PersistentVolumeClaim", "Service")
_SHOWN = 4


class Watch:
    """Looks at a release's objects while helm works on it.

    Args:
        cluster: the cluster.
        waiter: shows the progress.
        namespace: namespace of the release.
        name: its name.
        after: revision before the one that is being made: its objects are not looked at.
    """

    def __init__(self, cluster: Cluster, *, waiter: Waiter, namespace: str, name: str, after: int) -> None:
        self._cluster = cluster
        self._waiter = waiter
        self._namespace = namespace
        self._name = name
        self._after = after
        self._next = 0.0
        self._record: Record | None = None
        self._objects: list[dict[str, Any]] = []
        self._remembered = ""

    def tick(self) -> None:
        """Show what is not ready yet, at most once a second."""
        if time.monotonic() < self._next:
            return
        try:
            found = self.unready()
            if self._running_hooks():
                self._remembered = self._written(found)  # a failed hook may be deleted before it can be looked at
        except PluginError:
            found = []  # helm meets the same trouble and reports it
        waiting = [f"{live['kind']} {live['metadata']['name']}: {message}" for live, message in found]
        more = f" and {len(waiting) - _SHOWN} more" if len(waiting) > _SHOWN else ""
        self._waiter.say("; ".join(waiting[:_SHOWN]) + more)
        self._next = time.monotonic() + _LOOK_SECONDS

    def unready(self) -> list[tuple[dict[str, Any], str]]:
        """Return the objects that are not ready, with what they wait for: hooks that run, then the rest."""
        if self._record is None or self._record.hooks:
            record = latest(self._cluster.api, self._namespace, self._name)
            if record is None or record.revision <= self._after:
                return []
            self._record = record
            self._objects = objects_of(record.manifest)
        candidates = [one for hook in self._running_hooks() for one in objects_of(str(hook.get("manifest") or ""))]
        found = []
        for one in [*candidates, *self._objects]:
            if one["kind"] in _AWAITED and (told := self._look(one)):
                found.append(told)
        return found

    def _running_hooks(self) -> list[dict[str, Any]]:
        hooks = self._record.hooks if self._record else []
        return [one for one in hooks if _phase(one) in ("Running", "Failed")]

    def _look(self, declared: dict[str, Any]) -> tuple[dict[str, Any], str] | None:
        group, _, version = str(declared["apiVersion"]).rpartition("/")
        kind = kinds.of_object(group, version, declared["kind"], declared["kind"])
        served = self._cluster.discovery.find(kind)
        if served is None:
            return None
        namespace = declared["metadata"].get("namespace") or self._namespace
        name = declared["metadata"]["name"]
        live = self._cluster.api.find(served.path(namespace, name))
        if live is None or (kind.name == "Service" and live["spec"].get("type") != "LoadBalancer"):
            return None
        if kind.name == "Service":
            live = {**live, "spec": {**live["spec"], "selector": None}}  # helm waits for the address alone
        verdict = readiness_of(kind)(live, Look(self._cluster.api, namespace, name))
        return None if verdict.ready else (live, verdict.message)

    def account(self) -> str:
        """Return why the release is not ready, object by object; empty where nothing can be seen."""
        try:
            return self._written(self.unready()) or self._remembered
        except PluginError as error:
            return self._remembered or f"  (its objects could not be read: {error})"

    def _written(self, found: list[tuple[dict[str, Any], str]]) -> str:
        return "\n".join(
            f"  {live['kind']} {live['metadata']['name']}: {message}\n{diagnose(self._cluster.api, live)}".rstrip()
            for live, message in found
        )


def _phase(hook: dict[str, Any]) -> str:
    return str((hook.get("last_run") or {}).get("phase") or "")
