"""One start of a cluster: ports, keys, processes in their order, and the wait for each."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

from qhub.rehearsal.cluster import control_plane as plane
from qhub.rehearsal.cluster import processes
from qhub.rehearsal.cluster.api import UNREACHABLE, Api, ApiError
from qhub.rehearsal.cluster.errors import ClusterError
from qhub.rehearsal.cluster.health import Health
from qhub.rehearsal.cluster.kubeconfig import write_kubeconfig
from qhub.rehearsal.cluster.layout import Layout
from qhub.rehearsal.cluster.manifests import cluster_manifests
from qhub.rehearsal.cluster.network import Place
from qhub.rehearsal.cluster.pki import IDENTITIES, Identity
from qhub.rehearsal.cluster.ports import PortTakenError, free_port, is_free, port_in_use
from qhub.rehearsal.cluster.processes import ProcessSpec
from qhub.rehearsal.cluster.provider import Ground, NodeProvider
from qhub.rehearsal.cluster.state import load_state, save_state
from qhub.rehearsal.cluster.stopping import stop_everything

#: Seconds until a start counts as failed. It takes 3 to 5; ten times that and more on a machine full of builds.
START_TIMEOUT = 120.0

#: What a program says when its port is taken, in small letters.
PORT_TAKEN = "address already in use"


class Starter:
    """Starts what of a cluster does not run. Used under the cluster's lock, for one start."""

    def __init__(
        self,
        name: str,
        layout: Layout,
        providers: Sequence[NodeProvider],
        *,
        port: int | None,
        report: Callable[[str], None],
    ) -> None:
        """Remember what to start; nothing happens yet."""
        self._name = name
        self._layout = layout
        self._providers = providers
        self._port = port
        self._report = report
        self._context = f"qhub-{name}"
        self._state = load_state(layout.state)
        self._health = Health(name, self._context, layout, providers, self._state)
        self._deadline = time.monotonic() + START_TIMEOUT

    def start(self) -> None:
        """Start everything that does not run, and wait until all is ready.

        Raises:
            PortTakenError: somebody took a port meanwhile; stop and try again.
            ClusterError: a process ended or did not get ready, or this machine cannot run such nodes.
            ToolchainError: a tool is missing.
        """
        # Here, not above: with it comes all that builds the tools, and a cluster that runs needs none of that.
        from qhub.rehearsal import toolchain

        for provider in self._providers:
            if why := provider.why_not():
                raise ClusterError(f"cluster {self._name}: no {provider.kind} node can run here: {why}")
        for tool in (*plane.TOOLS, *(tool for provider in self._providers for tool in provider.tools)):
            toolchain.tool_path(tool)
        self._layout.make_folders()
        self._find_strays()
        self._choose_ports()
        self._report(f"Starting Kubernetes for the cluster {self._name}: a few seconds; logs in {self._layout.logs}")
        self._bring_up()

    def repair(self) -> None:
        """Start what has ended of a cluster that was started before, and wait until all is ready.

        Ports stay as they are, and nothing that runs is stopped.

        Raises:
            PortTakenError: somebody took a port meanwhile.
            ClusterError: a process ended or did not get ready.
            ToolchainError: a tool is missing.
        """
        self._find_strays()
        self._bring_up()

    def _bring_up(self) -> None:
        from qhub.rehearsal import toolchain

        host = plane.Host(
            layout=self._layout,
            ports=self._state.ports,
            tool=toolchain.tool_path,
            place=self._enter(self._health.ground) if self._health.ground else Place(),
            node=next((provider.node for provider in self._providers if provider.node), ""),
            context=self._context,
        )
        self._write_keys(host)
        self._run(plane.etcd(host))
        fresh = self._run(plane.api_server(host))
        self._wait(plane.API_SERVER, lambda: self._health.ready(plane.API_SERVER))
        api = Api(host.ports[plane.API_SERVER], pki=host.pki, identity="admin")
        if fresh or not self._state.set_up:
            self._set_up(api)
        self._run(plane.controller_manager(host))
        self._run(plane.scheduler(host))
        self._run_own(plane.controllers(host))
        self._run_nodes(api, host)
        if plane.KEEPER in self._health.names():
            self._run_own(plane.keeper(host, self._name))
        self._wait_for_all(api)

    def _find_strays(self) -> None:
        """Adopt our processes that the state file does not know: a start may have been killed before it noted them."""
        known = {name: pid for name in self._health.names() if (pid := self._health.pid(name))}
        strays = []
        for name, process in processes.find_all(folder=self._layout.folder):
            if known.setdefault(name, process.pid) != process.pid:
                strays.append(process)
        processes.stop(strays, patience=2.0)
        self._state.pids = known

    def _choose_ports(self) -> None:
        """Keep the ports of the last start where they are free, choose others where not."""
        ports = self._state.ports
        names = [*plane.PORTS, *(name for provider in self._providers for name in provider.ports)]
        if self._port and ports.get(plane.API_SERVER) != self._port:
            if not is_free(self._port):
                raise port_in_use(self._port)
            self._stop_all()
            ports[plane.API_SERVER] = self._port
        for name in names:
            if name in ports and (self._holds(name) or is_free(ports[name])):
                continue
            if name == plane.API_SERVER and self._port:
                raise port_in_use(self._port)
            if name in ports:
                self._report(f"Port {ports[name]} of {name} is in use by now; choosing another")
                self._stop_all()
            ports[name] = free_port([*ports.values(), *self._state.exposed.values()])
        for target, port in self._state.exposed.items():
            if not (self._holds(target) or is_free(port)):
                self._report(f"Port {port}, which leads to {target}, is in use by now; choosing another")
                self._state.exposed[target] = free_port([*ports.values(), *self._state.exposed.values()])
        save_state(self._layout.state, self._state)

    def _holds(self, name: str) -> bool:
        """Tell whether the port of that name is held by a process of ours."""
        if self._health.ground:  # all of them are the relay's, on this machine
            return self._health.pid(self._health.ground.names[-1]) is not None
        return self._health.pid(plane.ETCD if name == plane.ETCD_PEER else name) is not None

    def _enter(self, ground: Ground) -> Place:
        """Have the place that the cluster lives in, and the relay to it; tell how the others get there."""
        holder, relay = ground.names
        if not self._health.pid(holder):
            spec = ground.holder()
            if spec is None:
                self._stop_all()  # what may still run is cut off from the place to come
                spec = ground.new_holder()
            self._run(spec)
        self._wait(holder, lambda: self._health.ready(holder))
        pid = self._state.pids[holder]
        if not self._health.pid(relay):
            self._run(ground.relay(pid, ports=self._state.ports, exposed=self._state.exposed))
        self._wait(relay, lambda: self._health.ready(relay))
        return ground.place(pid)

    def _stop_all(self) -> None:
        """Stop what still runs but this very process: it was told what changes."""
        stop_everything(self._layout)
        self._state.pids = {name: pid for name, pid in self._state.pids.items() if pid == os.getpid()}

    def _write_keys(self, host: plane.Host) -> None:
        identities: dict[str, Identity] = dict(IDENTITIES)
        for provider in self._providers:
            identities.update(provider.identities)
        host.pki.ensure(identities)
        port = host.ports[plane.API_SERVER]
        for identity in identities:
            path = self._layout.kubeconfig if identity == "admin" else host.kubeconfig(identity)
            write_kubeconfig(path, context=self._context, port=port, pki=host.pki, identity=identity)

    def _run(self, spec: ProcessSpec) -> bool:
        """Start a process unless it runs; tell whether it was started."""
        if self._health.pid(spec.name):
            return False
        self._state.pids[spec.name] = processes.spawn(spec, folder=self._layout.folder)
        save_state(self._layout.state, self._state)
        return True

    def _run_own(self, spec: ProcessSpec) -> None:
        """Start a process of ours that says in a file that it is ready; the file of the one before goes."""
        if not self._health.pid(spec.name):
            plane.ready_file(self._layout, spec.name).unlink(missing_ok=True)
        self._run(spec)

    def _set_up(self, api: Api) -> None:
        """Apply our own objects; at every start, so that a newer version of ours brings its rights along."""
        manifests = cluster_manifests()
        for provider in self._providers:
            manifests.update(provider.manifests)
        for path, manifest in manifests.items():
            api.apply(path, manifest)

    def _run_nodes(self, api: Api, host: plane.Host) -> None:
        for provider in self._providers:
            specs = provider.processes(host)
            if not all(self._health.pid(spec.name) for spec in specs) or not self._state.set_up:
                provider.attach(api, host=host, first=not self._state.set_up)
            for spec in specs:
                if self._health.pid(spec.name):
                    continue
                for needed in provider.needs(spec.name):
                    self._wait(needed, lambda name=needed: self._health.ready(name))
                provider.before(spec.name, host, report=self._report)
                self._run(spec)
        self._state.set_up = True
        save_state(self._layout.state, self._state)

    def _wait_for_all(self, api: Api) -> None:
        for name in self._health.names():
            self._wait(name, lambda name=name: self._health.ready(name))
        self._wait("the nodes", self._nodes_ready)
        # Pods cannot be made before this; its controller has just been started.
        self._wait(
            "the default service account", lambda: _exists(api, "/api/v1/namespaces/default/serviceaccounts/default")
        )

    def _nodes_ready(self) -> bool:
        try:
            nodes = self._health.nodes()
        except (ApiError, *UNREACHABLE):
            return False
        expected = {provider.node for provider in self._providers if provider.node}
        return all(node.ready for node in nodes) and expected <= {node.name for node in nodes}

    def _wait(self, what: str, check: Callable[[], bool]) -> None:
        """Wait until `check` holds; stop waiting when a process that should run does not."""
        while not check():
            for name in self._state.pids:
                if not self._health.pid(name):
                    raise self._died(name)
            if time.monotonic() > self._deadline:
                log = self._layout.log(what if what in self._state.pids else self._health.names()[-1])
                raise ClusterError(
                    f"cluster {self._name}: {what} not ready after {START_TIMEOUT:.0f} s."
                    f" Last lines of {log}:\n{processes.tail(log)}"
                )
            time.sleep(0.03)

    def _died(self, name: str) -> ClusterError:
        log = self._layout.log(name)
        last = processes.tail(log)
        message = f"cluster {self._name}: {name} ended while the cluster was starting. Last lines of {log}:\n{last}"
        if PORT_TAKEN in last.lower():
            return PortTakenError(message)
        return ClusterError(message)


def _exists(api: Api, path: str) -> bool:
    try:
        api.get(path)
    except (ApiError, *UNREACHABLE):
        return False
    return True
