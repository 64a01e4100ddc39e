"""The end of a real node: its pods first, while everything that serves them still runs."""

from __future__ import annotations

from qhub.rehearsal.cluster import processes
from qhub.rehearsal.cluster.layout import Layout
from qhub.rehearsal.node import groups
from qhub.rehearsal.node.parts import KUBELET

#: Seconds that containers get to end by themselves: enough to close a database, little to wait for.
POD_PATIENCE = 5.0
#: Seconds that kubelet gets: it only has to leave off starting what we end.
KUBELET_PATIENCE = 1.0


def end_pods(layout: Layout) -> None:
    """End every container of the node; kubelet goes first, since it would start them again."""
    kubelet = [process for name, process in processes.find_all(folder=layout.folder) if name == KUBELET]
    processes.stop(kubelet, patience=KUBELET_PATIENCE)
    groups.end_processes(groups.group_name(layout.folder), patience=POD_PATIENCE)


def clear(layout: Layout) -> None:
    """End what the cluster's processes left, and remove its control groups; namespaces and mounts go by themselves."""
    processes.stop(processes.find_children(folder=layout.folder), patience=0.0)
    group = groups.group_name(layout.folder)
    groups.end_processes(group, patience=0.0)
    groups.remove_group(group)
