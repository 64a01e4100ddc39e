"""What `EmbeddedCluster.status()` returns, and how it is shown to a person."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class ProcessStatus:
    """One process of a cluster. `pid` is None when it does not run, `port` None when it listens nowhere."""

    name: str
    pid: int | None
    ready: bool
    port: int | None
    log: Path

    @property
    def running(self) -> bool:
        """Whether the process is there, ready or not."""
        return self.pid is not None


@dataclass(frozen=True)
class NodeStatus:
    """One node of a cluster. `kind`: "real" when containers run on it, else "simulated"."""

    name: str
    kind: str
    ready: bool


@dataclass(frozen=True)
class ClusterStatus:
    """A cluster at one moment.

    Attributes:
        name: the cluster's name.
        folder: where all of it lies.
        kubeconfig_path: the administrator's kubeconfig; it is there after the first start.
        context: the context in that file, `qhub-NAME`.
        version: the API server's version, such as "v1.34.4"; empty when it does not answer.
        nodes_ready: nodes that are Ready.
        nodes_total: all nodes.
        processes: one per process, in the order of their start.
        nodes: one per node; none when the API server does not answer.
    """

    name: str
    folder: Path
    kubeconfig_path: Path
    context: str
    version: str
    nodes_ready: int
    nodes_total: int
    processes: tuple[ProcessStatus, ...]
    nodes: tuple[NodeStatus, ...] = ()

    @property
    def running(self) -> bool:
        """Whether every process is there."""
        return all(process.running for process in self.processes)

    @property
    def stopped(self) -> bool:
        """Whether no process is there."""
        return not any(process.running for process in self.processes)

    @property
    def ready(self) -> bool:
        """Whether every process and every node is ready."""
        return all(process.ready for process in self.processes) and self.nodes_ready == self.nodes_total

    @property
    def summary(self) -> str:
        """One line: what the cluster is at."""
        if self.stopped:
            return f"cluster {self.name}: stopped"
        word = "ready" if self.ready else "not ready"
        kubernetes = f"Kubernetes {self.version}" if self.version else "the API server does not answer"
        counts = Counter(node.kind for node in self.nodes)
        kinds = f" ({', '.join(f'{count} {kind}' for kind, count in sorted(counts.items()))})" if counts else ""
        return f"cluster {self.name}: {word}, {kubernetes}, nodes ready {self.nodes_ready}/{self.nodes_total}{kinds}"


def status_table(status: ClusterStatus) -> Table:
    """Return the processes as a table for a terminal."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("process", "state", "pid", "port", "log"):
        table.add_column(heading, no_wrap=True)
    for process in status.processes:
        state = "ready" if process.ready else "not ready" if process.running else "stopped"
        table.add_row(process.name, state, str(process.pid or ""), str(process.port or ""), process.log.name)
    return table
