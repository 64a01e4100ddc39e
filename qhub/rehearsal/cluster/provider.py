"""What brings nodes to a cluster, and where a cluster lives because of them: two interfaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from qhub.rehearsal.cluster.api import Api
from qhub.rehearsal.cluster.control_plane import Host
from qhub.rehearsal.cluster.layout import Layout
from qhub.rehearsal.cluster.network import Network, Place
from qhub.rehearsal.cluster.pki import Identity
from qhub.rehearsal.cluster.processes import ProcessSpec
from qhub.rehearsal.cluster.state import State

Json = dict[str, Any]


class Ground(Protocol):
    """Where a cluster has to live because of its nodes, when that is not the machine's loopback."""

    @property
    def network(self) -> Network:
        """Its addresses."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """Its two processes: the one that holds it, and the relay from this machine's 127.0.0.1."""
        ...

    def ready(self, name: str, pid: int | None) -> bool:
        """Tell whether one of these is ready."""
        ...

    def inhabited(self) -> bool:
        """Tell whether a process lives in it."""
        ...

    def holder(self) -> ProcessSpec | None:
        """Return the process that holds it beside those that live in it; None when nobody does."""
        ...

    def new_holder(self) -> ProcessSpec:
        """Return the process that makes it anew."""
        ...

    def place(self, holder: int) -> Place:
        """Return how the other processes get there, from the id of the holder."""
        ...

    def relay(self, holder: int, *, ports: Mapping[str, int], exposed: Mapping[str, int]) -> ProcessSpec:
        """Return the relay, which serves the cluster's own ports and the exposed ones."""
        ...

    def write_table(self, ports: Mapping[str, int], exposed: Mapping[str, int]) -> None:
        """Write down what the relay is to serve."""
        ...

    def renew_relay(self, pid: int) -> None:
        """Make the relay take what was written down."""
        ...

    def served(self) -> set[int]:
        """Return the ports that the relay serves."""
        ...


class NodeProvider(Protocol):
    """What brings nodes to a control plane. Several can serve one."""

    @property
    def kind(self) -> str:
        """What its nodes are called: "simulated" or "real"."""
        ...

    @property
    def node(self) -> str:
        """Name of the node on which containers run; empty without one."""
        ...

    @property
    def tools(self) -> Sequence[str]:
        """Names of the tools that it needs beside the control plane's."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """Names of its processes, in the order of their start."""
        ...

    @property
    def identities(self) -> Mapping[str, Identity]:
        """Clients of the API server that this provider needs, by the name of their certificate."""
        ...

    @property
    def ports(self) -> Sequence[str]:
        """Names of the ports on 127.0.0.1 that it needs."""
        ...

    @property
    def manifests(self) -> Mapping[str, Json]:
        """Objects to apply before its processes start, by path."""
        ...

    def why_not(self) -> str | None:
        """Say in one line why its nodes cannot run on this machine; None when they can."""
        ...

    def ground(self, layout: Layout) -> Ground | None:
        """Return where the whole cluster has to live because of these nodes; None: they do not mind."""
        ...

    def processes(self, host: Host) -> Sequence[ProcessSpec]:
        """Return what to run beside the control plane; files that it reads are written here."""
        ...

    def needs(self, name: str) -> Sequence[str]:
        """Return those of its processes that have to be ready before another one starts."""
        ...

    def before(self, name: str, host: Host, *, report: Callable[[str], None]) -> None:
        """Do what has to be done before one of its processes starts; those that it needs are ready."""
        ...

    def ready(self, name: str, *, layout: Layout, state: State) -> bool:
        """Tell whether one of its processes answers that it is healthy."""
        ...

    def attach(self, api: Api, *, host: Host, first: bool) -> None:
        """Make the nodes ready for the processes that start next; `first`: the cluster has no nodes yet."""
        ...
