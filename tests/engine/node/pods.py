"""Pods of the test's image in a namespace of a test's own."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from qhub.rehearsal.cluster import EmbeddedCluster
from qhub.rehearsal.cluster.api import UNREACHABLE, Api, ApiError
from qhub.rehearsal.toolchain import tool_path
from tests.engine.conftest import administrator

Json = dict[str, Any]

IMAGE = "qhub.test/shell:1"
#: Only a test that fails ever waits for this long.
PATIENCE = 90.0
#: Sleeps, and ends at once when it is told to: the first process of a container ignores signals it does not handle.
WAITS = "trap 'exit 0' TERM; while :; do busybox sleep 0.1; done"


def until(check: Callable[[], Any], what: str) -> Any:
    """Wait until `check` returns something true, and return that. A server that is away counts as not yet."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if found := check():
                return found
        except UNREACHABLE:
            pass
        assert time.monotonic() < deadline, f"still not so: {what}"
        time.sleep(0.1)


@dataclass
class Pods:
    """The pods of one namespace."""

    cluster: EmbeddedCluster
    namespace: str

    @property
    def api(self) -> Api:
        return administrator(self.cluster)

    def begin(self) -> None:
        self.api.create("/api/v1/namespaces", {"metadata": {"name": self.namespace}})
        path = self.path("serviceaccounts", "default")
        until(lambda: self.there(path), "the service account of a new namespace")

    def end(self) -> None:
        for pod in self.api.items(self.path("pods")):
            self.api.delete(self.path("pods", pod["metadata"]["name"]), options={"gracePeriodSeconds": 0})
        self.api.delete(f"/api/v1/namespaces/{self.namespace}")

    def path(self, kind: str, name: str = "", *, group: str = "/api/v1") -> str:
        return f"{group}/namespaces/{self.namespace}/{kind}" + (f"/{name}" if name else "")

    def there(self, path: str) -> Json | None:
        try:
            return self.api.get(path)
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return None

    def make(self, name: str, script: str = WAITS, *, container: Json | None = None, **spec: Any) -> None:
        """Create a pod that runs a script of the shell."""
        one = {"name": "main", "image": IMAGE, "command": ["/bin/busybox", "sh", "-c", script], **(container or {})}
        self.api.create(
            self.path("pods"),
            {
                "metadata": {"name": name, "labels": {"app": name}},
                "spec": {
                    "containers": [one],
                    "terminationGracePeriodSeconds": 1,
                    "restartPolicy": "Never",
                    "enableServiceLinks": False,
                    **spec,
                },
            },
        )

    def get(self, name: str) -> Json:
        return self.api.get(self.path("pods", name))

    def ready(self, name: str) -> Json:
        """Wait until a pod is Ready, and return it."""

        def check() -> Json | None:
            pod = self.get(name)
            conditions = pod["status"].get("conditions", [])
            return pod if any(each["type"] == "Ready" and each["status"] == "True" for each in conditions) else None

        return until(check, f"pod {name} is Ready")

    def ready_since(self, name: str) -> str:
        """Wait until a pod is Ready, and return since when it has been."""
        [found] = [each for each in self.ready(name)["status"]["conditions"] if each["type"] == "Ready"]
        return found["lastTransitionTime"]

    def done(self, name: str) -> tuple[str, str]:
        """Wait until a pod has ended; return its phase and its log."""

        def check() -> str | None:
            phase = self.get(name)["status"].get("phase")
            return phase if phase in {"Succeeded", "Failed"} else None

        phase = until(check, f"pod {name} has ended")
        return phase, self.api.text(f"{self.path('pods', name)}/log")

    def run(self, script: str, *, container: Json | None = None, **spec: Any) -> str:
        """Run a script in a pod of its own to its good end; return what it said."""
        name = f"run-{time.monotonic_ns()}"
        self.make(name, script, container=container, **spec)
        phase, log = self.done(name)
        assert phase == "Succeeded", log
        return log

    def serve(self, name: str, content: str) -> None:
        """Run a web server that answers with `content` on port 8080, with a Service in front of it on port 80.

        Returns when the Service leads to it: a pod is ready a moment before kube-proxy has heard of it, and until then
        nobody answers at the Service's address ("No route to host").
        """
        script = f"busybox mkdir -p /www; echo '{content}' > /www/index.html; " + (
            "busybox httpd -p 8080 -h /www; " + WAITS
        )
        self.make(name, script, container={"readinessProbe": {"httpGet": {"port": 8080}}})
        self.service(name)
        self.ready(name)
        # The bare name is the pod's own as well.
        ask = ("exec", name, "--", "busybox", "wget", "-qO-", f"http://{name}.{self.namespace}.svc/")
        said = until(lambda: self.asked(*ask), f"the Service {name} leads to its pod")
        assert said == f"{content}\n"

    def service(self, name: str, **spec: Any) -> None:
        self.api.create(
            self.path("services"),
            {
                "metadata": {"name": name},
                "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}], **spec},
            },
        )

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl in this namespace and return what it said."""
        done = subprocess.run(self.kubectl_command(*arguments), capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def asked(self, *arguments: str) -> str | None:
        """Run kubectl in this namespace and return what it said; None where it was refused, to be asked again."""
        done = subprocess.run(self.kubectl_command(*arguments), capture_output=True, text=True, check=False, timeout=60)
        return done.stdout if done.returncode == 0 else None

    def kubectl_command(self, *arguments: str) -> list[str]:
        where = [f"--kubeconfig={self.cluster.kubeconfig_path}", f"--namespace={self.namespace}"]
        return [str(tool_path("kubectl")), *where, *arguments]

    def claim(self, name: str, *, mode: str, size: str = "1Gi", storage_class: str | None = None) -> None:
        named = {"storageClassName": storage_class} if storage_class else {}
        self.api.create(
            self.path("persistentvolumeclaims"),
            {
                "metadata": {"name": name},
                "spec": {"accessModes": [mode], "resources": {"requests": {"storage": size}}, **named},
            },
        )

    @staticmethod
    def mounted(claim: str, at: str = "/data") -> tuple[Json, Json]:
        """Return what goes into a container and into a pod's spec to have a claim at a path."""
        container = {"volumeMounts": [{"name": "data", "mountPath": at}]}
        return container, {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]}
