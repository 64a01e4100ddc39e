"""`EmbeddedCluster`: start, stop, status and deletion of one cluster, and nodes on a running one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

from qhub.rehearsal.cluster import control_plane as plane
from qhub.rehearsal.cluster.api import UNREACHABLE, Api, ApiError
from qhub.rehearsal.cluster.errors import ClusterError
from qhub.rehearsal.cluster.health import Health
from qhub.rehearsal.cluster.inside import exposed_port, images_of
from qhub.rehearsal.cluster.kinds import providers_of
from qhub.rehearsal.cluster.layout import Layout, locked, remove_folder
from qhub.rehearsal.cluster.nodes import KWOK, LEASES, NODES, SimulatedNode, create_node, is_ready
from qhub.rehearsal.cluster.pki import Pki
from qhub.rehearsal.cluster.ports import PortTakenError
from qhub.rehearsal.cluster.provider import NodeProvider
from qhub.rehearsal.cluster.starting import Starter
from qhub.rehearsal.cluster.state import load_state, save_state
from qhub.rehearsal.cluster.status import ClusterStatus
from qhub.rehearsal.cluster.stopping import stop_everything
from qhub.rehearsal.node_kinds import NodeKind, kind_named

#: A cluster's name becomes part of a context and of a path.
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")

#: New ports are chosen this many times when somebody takes one between our look and our start.
ATTEMPTS = 3

#: Seconds to wait for another import of images: some gigabytes from a slow disk.
IMPORT_TIMEOUT = 1800.0

#: Seconds until a new simulated node counts as failed; it takes a fraction of one.
NODE_TIMEOUT = 30.0


def _silent(_: str) -> None:
    return


class EmbeddedCluster:
    """A Kubernetes control plane with nodes, on 127.0.0.1, whose every file lies in `folder`.

    Making the object does nothing; several objects and several processes may stand for the same cluster.

    Attributes:
        name: lower-case letters, digits and dashes.
        folder: data, keys, logs, kubeconfig.
        context: `qhub-NAME`, the only context of the kubeconfig.
        kubeconfig_path: the administrator's kubeconfig, mode 0600; there after the first start. Ports and keys are kept
            over a stop, so it stays valid unless somebody else took the port meanwhile.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        nodes: Sequence[NodeProvider] | None = None,
        kind: NodeKind | None = None,
        port: int | None = None,
    ) -> None:
        """Name a cluster.

        Args:
            name: the cluster's name.
            folder: its folder; made at the first start.
            nodes: where its nodes come from; None: as `kind` says.
            kind: "simulated": two simulated nodes of 8 CPU and 32Gi; "real": one on which containers run; "both". None:
                what the cluster was first started with, else simulated.
            port: the API server's port; None: a free one, chosen at the first start.

        Raises:
            ClusterError: `name` is no valid name.
        """
        if not NAME.fullmatch(name):
            raise ClusterError(
                f"{name!r} is not a name for a cluster: up to 40 lower-case letters, digits and dashes, the first and"
                " the last no dash"
            )
        self.name = name
        self.folder = Path(folder).absolute()
        self.context = f"qhub-{name}"
        self._layout = Layout(self.folder)
        self._given = None if nodes is None else tuple(nodes)
        self._kind = kind
        self._port = port

    def __repr__(self) -> str:
        return f"EmbeddedCluster({self.name!r}, {str(self.folder)!r})"

    @property
    def tools(self) -> tuple[str, ...]:
        """Names of the tools that it runs, as `ensure_tools` takes them.

        Raises:
            ClusterError: its state file cannot be read.
        """
        return (*plane.TOOLS, *(tool for provider in self._providers() for tool in provider.tools))

    @property
    def kubeconfig_path(self) -> Path:
        """Path of the administrator's kubeconfig."""
        return self._layout.kubeconfig

    @property
    def kind(self) -> NodeKind | None:
        """Kind of its nodes: as given, else what it was first started with; None before that."""
        state = load_state(self._layout.state)
        # Clusters made before there was a choice have simulated nodes, and no note of it.
        return self._kind or kind_named(state.nodes) or ("simulated" if state.ports else None)

    @property
    def logs(self) -> Path:
        """Folder of the processes' logs."""
        return self._layout.logs

    def start(self, *, report: Callable[[str], None] = _silent) -> ClusterStatus:
        """Start what does not run and wait until processes and nodes are ready; nothing to do is the usual case.

        Args:
            report: called with a line for people for each step that takes time.

        Raises:
            ClusterError: it could not be started; what was started is stopped again, the logs stay, unless containers
                ran before: these run on. Or the port asked for is in use.
            ToolchainError: a tool is missing; nothing was started.
        """
        with locked(self._layout.lock):
            self._settle_kind()
            health = self._health()
            if self._port in (None, health.state.ports.get(plane.API_SERVER)) and health.alive():
                return health.status()
            pods = health.has_pods()
            for attempt in range(1, ATTEMPTS + 1):
                starter = Starter(self.name, self._layout, self._providers(), port=self._port, report=report)
                try:
                    starter.start()
                    break
                except PortTakenError:
                    stop_everything(self._layout)
                    if attempt == ATTEMPTS:
                        raise
                except BaseException:  # an interrupt as well: nothing half-started is left
                    if not pods:
                        stop_everything(self._layout)
                    raise
            return self._health().status()

    def status(self) -> ClusterStatus:
        """Look at processes, API server and nodes; takes no lock and changes nothing."""
        return self._health().status()

    def stop(self) -> None:
        """Stop every process; data, ports and keys stay. A cluster that does not run is fine."""
        if not self.folder.exists():
            return
        with locked(self._layout.lock):
            stop_everything(self._layout)

    def delete(self) -> None:
        """Stop every process and remove the folder. A cluster that is not there is fine."""
        if not self.folder.exists():
            return
        with locked(self._layout.lock):
            stop_everything(self._layout)
            remove_folder(self.folder)

    def add_node(self, node: SimulatedNode) -> None:
        """Add a simulated node to the running cluster and wait until it is Ready.

        Raises:
            ClusterError: the cluster does not run, has a node of that name, or has no room; or kwok does not answer.
        """
        with self._running() as api, locked(self._layout.lock):  # two at once would choose the same addresses
            create_node(api, node, port=self._health().state.ports[KWOK])
            deadline = time.monotonic() + NODE_TIMEOUT
            while not is_ready(api.get(f"{NODES}/{node.name}")):
                if time.monotonic() > deadline:
                    raise ClusterError(
                        f"cluster {self.name}: node {node.name} not ready after {NODE_TIMEOUT:.0f} s;"
                        f" see {self._layout.log(KWOK)}"
                    )
                time.sleep(0.02)

    def remove_node(self, name: str) -> None:
        """Take a node out: no new pods, those on it deleted so that their controllers make others, then the node.

        Raises:
            ClusterError: the cluster does not run or has no node of that name.
        """
        with self._running() as api:
            api.merge(f"{NODES}/{name}", {"spec": {"unschedulable": True}})
            for pod in api.items(f"/api/v1/pods?fieldSelector=spec.nodeName%3D{name}"):
                about = pod["metadata"]
                # Grace 0: the node that would confirm the end of its pods is about to go.
                api.delete(
                    f"/api/v1/namespaces/{about['namespace']}/pods/{about['name']}", options={"gracePeriodSeconds": 0}
                )
            api.delete(f"{NODES}/{name}")
            api.delete(f"{LEASES}/{name}")

    def import_images(self, archives: Iterable[Path], *, report: Callable[[str], None] = _silent) -> list[str]:
        """Import images from files, as `docker save` writes them, into the real node of the running cluster.

        What was imported from a file with the same content is not imported again.

        Args:
            archives: the files.
            report: called with a line for people for each file that is imported.

        Returns:
            The full names of all images in the files, such as "docker.io/library/notebook:1".

        Raises:
            ClusterError: the cluster has no real node or does not run, or a file is no image archive.
        """
        images = images_of(self._health())
        # A lock of its own: large images take longer than any other command waits.
        with locked(self._layout.node / "images.lock", timeout=IMPORT_TIMEOUT):
            return images.ensure(archives, report=report)

    def expose(self, address: str, port: int) -> int:
        """Return a port on this machine's 127.0.0.1 that leads to a TCP port in the network of the real node.

        It is there while the cluster runs and stays the same over restarts, unless somebody else took it meanwhile.
        Whatever is sent is carried as it is.

        Args:
            address: IPv4 address in the cluster's network: a load balancer's, a Service's, a pod's, the node's.
            port: TCP port there. Nothing need listen on it yet.

        Raises:
            ClusterError: the cluster has no real node or does not run.
        """
        with locked(self._layout.lock):
            return exposed_port(self._health(), f"{address}:{port}")

    def expose_service(self, namespace: str, name: str, port: int) -> int:
        """Return a port on this machine's 127.0.0.1 that leads to a Service of type LoadBalancer; as `expose`.

        Raises:
            ClusterError: the cluster has no real node or does not run; or there is no such Service, or it has no
                address yet.
        """
        with self._running() as api:
            service = api.get(f"/api/v1/namespaces/{namespace}/services/{name}")
            ingress = service["status"].get("loadBalancer", {}).get("ingress")
            if not ingress:
                raise ClusterError(f"cluster {self.name}: Service {namespace}/{name} has no load balancer's address")
            return self.expose(ingress[0]["ip"], port)

    @contextmanager
    def _running(self) -> Generator[Api]:
        """Yield the administrator's client; tell its errors in words."""
        port = load_state(self._layout.state).ports.get(plane.API_SERVER)
        try:
            if port is None:
                raise FileNotFoundError
            yield Api(port, pki=Pki(self._layout.pki), identity="admin")
        except ApiError as error:
            raise ClusterError(f"cluster {self.name}: {error}") from error
        except UNREACHABLE as error:
            raise ClusterError(f"cluster {self.name} does not run: `qhub cluster start --name {self.name}`") from error

    def _health(self) -> Health:
        return Health(self.name, self.context, self._layout, self._providers(), load_state(self._layout.state))

    def _providers(self) -> tuple[NodeProvider, ...]:
        if self._given is not None:
            return self._given
        return providers_of(self._kind or load_state(self._layout.state).nodes or "simulated")

    def _settle_kind(self) -> None:
        """Write down what the cluster is started with, so that whoever comes next need not say it.

        Raises:
            ClusterError: it was made with another kind: addresses and keys are different.
        """
        state = load_state(self._layout.state)
        kind = "" if self._given is not None else self._kind or state.nodes or "simulated"
        before = state.nodes or ("simulated" if state.ports else kind)
        if self._given is None and kind != before:
            raise ClusterError(
                f"cluster {self.name} has {before} nodes, which cannot become {kind}: `qhub cluster delete --name"
                f" {self.name}` removes it and its data, or choose another name"
            )
        if state.nodes != kind:
            state.nodes = kind
            self._layout.folder.mkdir(parents=True, exist_ok=True)
            save_state(self._layout.state, state)
