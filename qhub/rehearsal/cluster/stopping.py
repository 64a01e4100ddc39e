"""Stopping all of a cluster in the order in which nobody misses anybody."""

from __future__ import annotations

import os

import psutil

from qhub.rehearsal.cluster import control_plane as plane
from qhub.rehearsal.cluster import processes
from qhub.rehearsal.cluster.layout import Layout

#: Seconds that a process gets to end by itself. The API server hands every open watch its end one by one and takes up
#: to a minute; it keeps nothing that etcd does not have, so it is hardly waited for.
PATIENCE = {plane.ETCD: 10.0, plane.API_SERVER: 0.3}
DEFAULT_PATIENCE = 2.0


def stop_everything(layout: Layout) -> None:
    """Stop every process of the cluster, known to the state file or not: controllers, API server, database last.

    The containers of a real node come before all of it, and what its processes leave behind goes after. The keeper
    goes first, unless it is this very process, which makes room for a new start.
    """
    processes.stop([process for name, process in _others(layout) if name == plane.KEEPER], patience=DEFAULT_PATIENCE)
    real = layout.node.exists()
    if real:
        # Here, not above: the node's package is built on this one, and most clusters have none.
        from qhub.rehearsal.node import clearing

        clearing.end_pods(layout)
    found = _others(layout)
    last = (plane.API_SERVER, plane.ETCD)
    processes.stop([process for name, process in found if name not in last], patience=DEFAULT_PATIENCE)
    for wanted in last:
        processes.stop([process for name, process in found if name == wanted], patience=PATIENCE[wanted])
    plane.ready_file(layout, plane.CONTROLLERS).unlink(missing_ok=True)
    if real:
        clearing.clear(layout)


def _others(layout: Layout) -> list[tuple[str, psutil.Process]]:
    """Return name and process of all that the cluster has, but for this very process."""
    return [(name, found) for name, found in processes.find_all(folder=layout.folder) if found.pid != os.getpid()]
