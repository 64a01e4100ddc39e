"""Free TCP ports on 127.0.0.1, and who holds one that is not free."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable

import psutil

from qhub.rehearsal.cluster.errors import ClusterError

#: Ports are taken from here: above the well-known ones, below 32768, where Linux begins to hand out ports to outgoing
#: connections. A stopped cluster finds its ports free again unless somebody chose the same on purpose.
PORT_RANGE = range(20000, 32000)


class PortTakenError(ClusterError):
    """A port that was free a moment ago is not any more."""


def is_free(port: int) -> bool:
    """Tell whether a server could listen on `port` now. Connections that still wind down do not count as taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
        return True


def free_port(taken: Iterable[int] = ()) -> int:
    """Return a free port that is not in `taken`.

    Raises:
        ClusterError: no free one was found.
    """
    left = list(set(PORT_RANGE).difference(taken))
    for port in random.sample(left, len(left)):  # in no order, so that two starts at once seldom try the same
        if is_free(port):
            return port
    raise ClusterError(f"no free port between {PORT_RANGE.start} and {PORT_RANGE.stop - 1} on 127.0.0.1")


def port_in_use(port: int) -> ClusterError:
    """Return the error for a port that the user asked for and that somebody else holds."""
    return ClusterError(f"port {port} on 127.0.0.1 is in use by {holder(port)}: stop that, or choose another port")


def holder(port: int) -> str:
    """Name the process that listens on `port`, as well as this user may see it."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status != psutil.CONN_LISTEN or not connection.laddr or connection.laddr.port != port:
                continue
            if connection.pid is None:
                return "a process of another user"
            process = psutil.Process(connection.pid)
            return f"{process.name()} (pid {process.pid})"
    except psutil.Error:
        pass  # the process ended meanwhile, or the system does not let this user look
    return "a process that this user cannot see"
