"""What a cluster remembers between two commands: its ports, its processes, what was set up."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from qhub.rehearsal.cluster.errors import ClusterError
from qhub.rehearsal.cluster.layout import write_private

#: Raised when the file's shape changes in a way that an older version cannot read.
VERSION = 1


@dataclass
class State:
    """The content of `state.json`.

    Attributes:
        ports: TCP port on 127.0.0.1 by process name; kept over a stop, so that the kubeconfig stays the same.
        pids: process id by process name, written right after each start.
        set_up: roles, storage class and the first nodes were made in this cluster's database.
        nodes: kind of its nodes: "simulated", "real" or "both"; empty before the first start, or for nodes that only
            the caller knows.
        exposed: port on 127.0.0.1 by what is reached there in the cluster's own network, as `ADDRESS:PORT`.
    """

    ports: dict[str, int] = field(default_factory=dict)
    pids: dict[str, int] = field(default_factory=dict)
    set_up: bool = False
    nodes: str = ""
    exposed: dict[str, int] = field(default_factory=dict)


def load_state(path: Path) -> State:
    """Read the state file; an empty state where there is none.

    Raises:
        ClusterError: the file is damaged or from another version.
    """
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return State()
    except ValueError as error:
        raise _unreadable(path, "is not JSON") from error
    if not isinstance(content, dict) or content.pop("version", None) != VERSION:
        raise _unreadable(path, f"is not of version {VERSION}")
    try:
        return State(**content)
    except TypeError as error:
        raise _unreadable(path, "has keys that this version does not know") from error


def save_state(path: Path, state: State) -> None:
    """Write the state file whole or not at all."""
    write_private(path, json.dumps({"version": VERSION, **asdict(state)}, indent=2) + "\n")


def _unreadable(path: Path, reason: str) -> ClusterError:
    return ClusterError(
        f"{path} {reason}: it belongs to another version of qhub or was damaged. `qhub cluster delete` with this"
        " cluster's name removes the cluster and its data; the next start makes a new one"
    )
