"""The namespaces in which a cluster with a real node lives: one network and one set of mounts of its own.

The first process (`setup.sh`) makes and holds them. No file and no mount on the machine holds them beside processes, so
that they end with the last of these, however it ends: there is nothing to clean up after a crash or a reboot. When only
the first process is gone, another one takes its place beside those that are left, and pods notice nothing.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from qhub.rehearsal.cluster import control_plane as plane
from qhub.rehearsal.cluster import processes
from qhub.rehearsal.cluster.layout import Layout, write_private
from qhub.rehearsal.cluster.network import NODE, Network, Place
from qhub.rehearsal.cluster.processes import ProcessSpec
from qhub.rehearsal.node import groups
from qhub.rehearsal.node.files import relay_table

HOLDER = "namespaces"
RELAY = "relay"
SETUP = Path(__file__).with_name("setup.sh")

#: Ports that nobody outside asks for.
NOT_RELAYED = (plane.ETCD_PEER,)


@dataclass(frozen=True)
class Ground:
    """The namespaces of the cluster in a folder. Used under the cluster's lock.

    Attributes:
        layout: the cluster's files.
    """

    layout: Layout

    @property
    def network(self) -> Network:
        """The addresses in it."""
        return NODE

    @property
    def names(self) -> Sequence[str]:
        """Its processes, in the order of their start; all others come after them."""
        return (HOLDER, RELAY)

    def mark(self, name: str) -> Path:
        """Return the file in which a process of the ground says that it is ready."""
        return self.layout.run / f"{name}.ready"

    def ready(self, name: str, pid: int | None) -> bool:
        """Tell whether a process of the ground is ready."""
        try:
            said = json.loads(self.mark(name).read_text())
        except (FileNotFoundError, ValueError):
            return False
        return pid is not None and (said["pid"] if isinstance(said, dict) else said) == pid

    def inhabited(self) -> bool:
        """Tell whether a process lives in the namespaces."""
        return bool(self._inhabitants())

    def holder(self) -> ProcessSpec | None:
        """Return the process that holds the namespaces: beside those that live in them, or None to begin anew."""
        mark = self.mark(HOLDER)
        mark.unlink(missing_ok=True)
        for process in self._inhabitants():
            beside = ("nsenter", f"--net=/proc/{process.pid}/ns/net", f"--mount=/proc/{process.pid}/ns/mnt")
            script = 'printf %s $$ > "$1"; exec sleep infinity'
            command = (*beside, "sh", "-euc", script, "sh", str(mark))
            return ProcessSpec(HOLDER, command, self.layout.log(HOLDER))
        return None

    def new_holder(self) -> ProcessSpec:
        """Return the process that makes the namespaces; nothing of the cluster runs. Folders and groups are made."""
        for folder in ("kubelet", "containerd", "volumes", "log"):  # first: by them it is known that there is a group
            (self.layout.node / folder).mkdir(parents=True, exist_ok=True)
        groups.make_group(groups.group_name(self.layout.folder))
        command = ("unshare", "--net", "--mount", "--propagation", "private", "sh", str(SETUP))
        return ProcessSpec(
            HOLDER, (*command, str(self.layout.node), str(self.mark(HOLDER))), self.layout.log(HOLDER)
        )  # fmt: skip

    def place(self, holder: int) -> Place:
        """Return where the other processes are started."""
        network = f"--net=/proc/{holder}/ns/net"
        return Place(
            network=NODE,
            enter=("nsenter", network),
            enter_node=("nsenter", network, f"--mount=/proc/{holder}/ns/mnt"),
        )

    def relay(self, holder: int, *, ports: Mapping[str, int], exposed: Mapping[str, int]) -> ProcessSpec:
        """Return the relay; its table is written here."""
        self.mark(RELAY).unlink(missing_ok=True)
        self.write_table(ports, exposed)
        module = (sys.executable, "-P", "-m", "qhub.rehearsal.node.relay")
        command = (*module, f"--network={holder}", f"--table={self.table}", f"--mark={self.mark(RELAY)}")
        return ProcessSpec(RELAY, command, self.layout.log(RELAY))

    @property
    def table(self) -> Path:
        """What the relay serves."""
        return self.layout.run / "relay.json"

    def write_table(self, ports: Mapping[str, int], exposed: Mapping[str, int]) -> None:
        """Write what the relay is to serve."""
        inside = {name: port for name, port in ports.items() if name not in NOT_RELAYED}
        write_private(self.table, json.dumps(relay_table(inside, exposed), indent=1))

    def renew_relay(self, pid: int) -> None:
        """Make the relay read its table again."""
        os.kill(pid, signal.SIGHUP)

    def served(self) -> set[int]:
        """Return the ports that the relay serves."""
        try:
            return set(json.loads(self.mark(RELAY).read_text())["ports"])
        except (FileNotFoundError, ValueError):
            return set()

    def _inhabitants(self) -> list[psutil.Process]:
        """Return the processes that have both the node's network and its mounts; pods have their own of each."""
        ours = [process for _, process in processes.find_all(folder=self.layout.folder)]
        found = [*ours, *processes.find_children(folder=self.layout.folder)]
        outside = _namespaces(os.getpid())
        apart = {process: spaces for process in found if (spaces := _namespaces(process.pid))}
        return [
            process
            for process, spaces in apart.items()
            if all(mine != theirs for mine, theirs in zip(outside, spaces, strict=True))
        ]


def _namespaces(pid: int) -> tuple[str, ...]:
    """Return what names the network and the mounts of a process; nothing when it is gone."""
    try:
        return tuple(str(Path(f"/proc/{pid}/ns/{kind}").readlink()) for kind in ("net", "mnt"))
    except OSError:
        return ()
