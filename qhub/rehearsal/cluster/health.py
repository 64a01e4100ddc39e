"""Whether a cluster's processes are there and answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qhub.rehearsal.cluster import control_plane as plane
from qhub.rehearsal.cluster import processes
from qhub.rehearsal.cluster.api import UNREACHABLE, Api, ApiError
from qhub.rehearsal.cluster.layout import Layout
from qhub.rehearsal.cluster.nodes import KWOK, NODES, NodeProvider, is_ready
from qhub.rehearsal.cluster.pki import Pki
from qhub.rehearsal.cluster.state import State
from qhub.rehearsal.cluster.status import ClusterStatus, ProcessStatus

#: Seconds that a health request may take: these answer in milliseconds or not at all.
PROBE_TIMEOUT = 2.0

#: What to ask each process for its health. Those not named here have another way.
HEALTH_PATHS = {
    plane.ETCD: "/health",
    plane.API_SERVER: "/readyz",
    plane.CONTROLLER_MANAGER: "/healthz",
    plane.SCHEDULER: "/healthz",
    KWOK: "/healthz",
}


class Health:
    """One look at a cluster: what `state` says is running, checked."""

    def __init__(
        self, name: str, context: str, layout: Layout, providers: Sequence[NodeProvider], state: State
    ) -> None:
        """Remember what to look at; nothing is asked yet."""
        self._name = name
        self._context = context
        self._layout = layout
        self._providers = providers
        self._pki = Pki(layout.pki)
        self.state = state

    def names(self) -> list[str]:
        """Return the processes that the cluster has, in the order of their start."""
        provided = [port for provider in self._providers for port in provider.ports]
        return [
            plane.ETCD, plane.API_SERVER, plane.CONTROLLER_MANAGER, plane.SCHEDULER, plane.CONTROLLERS, *provided
        ]  # fmt: skip

    def pid(self, name: str) -> int | None:
        """Return the id of a process if it runs."""
        pid = self.state.pids.get(name)
        return pid if pid and processes.find(pid, folder=self._layout.folder, name=name) else None

    def alive(self) -> bool:
        """Tell whether every process runs and the API server is ready: then there is nothing to start."""
        return all(self.pid(name) for name in self.names()) and self.ready(plane.API_SERVER)

    def ready(self, name: str) -> bool:
        """Tell whether a process answers that it is healthy."""
        if name == plane.CONTROLLERS:
            return _controllers_ready(plane.ready_file(self._layout), self.state.pids.get(name))
        try:
            answer = self._client(name).text(HEALTH_PATHS[name])
        except (ApiError, *UNREACHABLE):
            return False
        return answer == "ok" if name != plane.ETCD else '"health":"true"' in answer

    def status(self) -> ClusterStatus:
        """Look at everything."""
        found = []
        for name in self.names():
            pid = self.pid(name)
            found.append(
                ProcessStatus(
                    name=name,
                    pid=pid,
                    ready=pid is not None and self.ready(name),
                    port=self.state.ports.get(name),
                    log=self._layout.log(name),
                )
            )
        version, ready, total = self._cluster() if self.pid(plane.API_SERVER) else ("", 0, 0)
        return ClusterStatus(
            name=self._name,
            folder=self._layout.folder,
            kubeconfig_path=self._layout.kubeconfig,
            context=self._context,
            version=version,
            nodes_ready=ready,
            nodes_total=total,
            processes=tuple(found),
        )

    def nodes(self) -> tuple[int, int]:
        """Return how many nodes are Ready, and how many there are."""
        nodes = self._client(plane.API_SERVER).items(NODES)
        return sum(is_ready(node) for node in nodes), len(nodes)

    def _cluster(self) -> tuple[str, int, int]:
        try:
            version = self._client(plane.API_SERVER).get("/version")["gitVersion"]
            return (version, *self.nodes())
        except (ApiError, *UNREACHABLE):
            return "", 0, 0

    def _client(self, name: str) -> Api:
        identity, authority = ("etcd-client", "etcd-ca") if name == plane.ETCD else ("admin", "ca")
        return Api(self.state.ports[name], pki=self._pki, identity=identity, authority=authority, timeout=PROBE_TIMEOUT)


def _controllers_ready(mark: Path, pid: int | None) -> bool:
    try:
        return mark.read_text() == str(pid)
    except FileNotFoundError:
        return False
