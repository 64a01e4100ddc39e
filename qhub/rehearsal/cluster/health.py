"""Whether a cluster's processes are there and answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qhub.rehearsal.cluster import control_plane as plane
from qhub.rehearsal.cluster import processes
from qhub.rehearsal.cluster.api import UNREACHABLE, Api, ApiError
from qhub.rehearsal.cluster.layout import Layout
from qhub.rehearsal.cluster.nodes import NODE_LABEL, NODES, PROBE_TIMEOUT, SIMULATED, is_ready
from qhub.rehearsal.cluster.pki import Pki
from qhub.rehearsal.cluster.provider import Ground, NodeProvider
from qhub.rehearsal.cluster.state import State
from qhub.rehearsal.cluster.status import ClusterStatus, NodeStatus, ProcessStatus

#: What to ask each process of the control plane for its health. Those not named here have another way.
HEALTH_PATHS = {
    plane.ETCD: "/health",
    plane.API_SERVER: "/readyz",
    plane.CONTROLLER_MANAGER: "/healthz",
    plane.SCHEDULER: "/healthz",
}


class Health:
    """One look at a cluster: what `state` says is running, checked."""

    def __init__(
        self, name: str, context: str, layout: Layout, providers: Sequence[NodeProvider], state: State
    ) -> None:
        """Remember what to look at; nothing is asked yet."""
        self.name = name
        self._context = context
        self.layout = layout
        self.providers = providers
        self._pki = Pki(layout.pki)
        self.state = state
        self.ground: Ground | None = next((ground for each in providers if (ground := each.ground(layout))), None)

    def names(self) -> list[str]:
        """Return the processes that the cluster has, in the order of their start."""
        provided = [name for provider in self.providers for name in provider.names]
        first = self.ground.names if self.ground else ()
        # It would not know where nodes come from that only the caller knows.
        last = (plane.KEEPER,) if self.state.nodes else ()
        return [
            *first, plane.ETCD, plane.API_SERVER, plane.CONTROLLER_MANAGER, plane.SCHEDULER, plane.CONTROLLERS,
            *provided, *last,
        ]  # fmt: skip

    def pid(self, name: str) -> int | None:
        """Return the id of a process if it runs."""
        pid = self.state.pids.get(name)
        return pid if pid and processes.find(pid, folder=self.layout.folder, name=name) else None

    def alive(self) -> bool:
        """Tell whether every process runs and the API server is ready: then there is nothing to start."""
        return all(self.pid(name) for name in self.names()) and self.ready(plane.API_SERVER)

    def has_pods(self) -> bool:
        """Tell whether containers of a real node may be running: something holds the place they live in."""
        return self.ground is not None and self.ground.inhabited()

    def ready(self, name: str) -> bool:
        """Tell whether a process answers that it is healthy."""
        if name in (plane.CONTROLLERS, plane.KEEPER):
            return _says_ready(plane.ready_file(self.layout, name), self.state.pids.get(name))
        if self.ground and name in self.ground.names:
            return self.ground.ready(name, self.state.pids.get(name))
        for provider in self.providers:
            if name in provider.names:
                return provider.ready(name, layout=self.layout, state=self.state)
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
                    log=self.layout.log(name),
                )
            )
        version, nodes = self._cluster() if self.pid(plane.API_SERVER) else ("", [])
        return ClusterStatus(
            name=self.name,
            folder=self.layout.folder,
            kubeconfig_path=self.layout.kubeconfig,
            context=self._context,
            version=version,
            nodes_ready=sum(node.ready for node in nodes),
            nodes_total=len(nodes),
            processes=tuple(found),
            nodes=tuple(nodes),
        )

    def nodes(self) -> list[NodeStatus]:
        """Return the nodes."""
        return [
            NodeStatus(
                name=node["metadata"]["name"],
                kind=node["metadata"].get("labels", {}).get(NODE_LABEL, SIMULATED),
                ready=is_ready(node),
            )
            for node in self._client(plane.API_SERVER).items(NODES)
        ]

    def _cluster(self) -> tuple[str, list[NodeStatus]]:
        try:
            return self._client(plane.API_SERVER).get("/version")["gitVersion"], self.nodes()
        except (ApiError, *UNREACHABLE):
            return "", []

    def _client(self, name: str) -> Api:
        identity, authority = ("etcd-client", "etcd-ca") if name == plane.ETCD else ("admin", "ca")
        return Api(self.state.ports[name], pki=self._pki, identity=identity, authority=authority, timeout=PROBE_TIMEOUT)


def _says_ready(mark: Path, pid: int | None) -> bool:
    try:
        return mark.read_text() == str(pid)
    except FileNotFoundError:
        return False
