"""What holds where the old file is silent: `nebari init` writes little, and Nebari's own values take the rest.

QHub before Nebari, and Nebari before 2023.10, write all of it into the file, but for the type of storage.

Source of the values: `_nebari/stages/kubernetes_services` and `_nebari/stages/infrastructure` of Nebari, 2023.10 to
2026.3. They were the same in all of these, but for the machines on Google Cloud, which are the newest ones here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qhub.config.monitoring import Monitoring
from qhub.migrate import sizes
from qhub.migrate.moving import Moving, Path

#: `storage.shared_filesystem`.
HOMES = "200Gi"
#: `profiles.jupyterlab`.
SERVERS: list[dict[str, Any]] = [
    {
        "display_name": "Small Instance",
        "description": "Stable environment with 2 cpu / 8 GB ram",
        "default": True,
        "kubespawner_override": {"cpu_limit": 2, "cpu_guarantee": 1.5, "mem_limit": "8G", "mem_guarantee": "5G"},
    },
    {
        "display_name": "Medium Instance",
        "description": "Stable environment with 4 cpu / 16 GB ram",
        "kubespawner_override": {"cpu_limit": 4, "cpu_guarantee": 3, "mem_limit": "16G", "mem_guarantee": "10G"},
    },
]
#: `profiles.dask_worker`, without the limits, which have no counterpart.
WORKERS: dict[str, Any] = {
    "Small Worker": {"worker_cores": 1.5, "worker_memory": "5G", "worker_threads": 2},
    "Medium Worker": {"worker_cores": 3, "worker_memory": "10G", "worker_threads": 4},
}


def _groups(general: str, others: str, least: int = 0) -> dict[str, Any]:
    few = {"instance": others, "min_nodes": least, "max_nodes": 5}
    return {"general": {"instance": general, "min_nodes": 1, "max_nodes": 1}, "user": few, "worker": few}


#: Provider -> `node_groups` of its section.
NODE_GROUPS = {
    "aws": _groups("m5.2xlarge", "m5.xlarge"),
    "gcp": _groups("e2-standard-8", "e2-standard-4"),
    "azure": _groups("Standard_D8_v3", "Standard_D4_v3"),
    "do": _groups("g-8vcpu-32gb", "g-4vcpu-16gb", least=1),
}


def node_groups(moving: Moving, section: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """Return the section of a cloud with Nebari's node groups where it has none."""
    usual = NODE_GROUPS.get(moving.theirs)
    if usual is None or not moving.is_nebari or section.get("node_groups") is not None:
        return section
    machines = ", ".join(f"{name} {group['instance']}" for name, group in usual.items())
    moving.note("changed", path, f"names no node_groups, which were Nebari's own: they are here too, {machines}")
    return {**section, "node_groups": usual}


def usual_values(moving: Moving) -> None:
    """Fill in what the file does not say: each is told."""
    _kind_of_storage(moving)
    if not moving.is_nebari:
        return
    if _silent(moving, "storage", "shared_filesystem"):
        _put(moving, ("storage",), ("storage", "size"), HOMES)
        moving.note("changed", ("storage",), f"names no shared_filesystem, which was {HOMES}: homes have that here too")
    if _silent(moving, "profiles", "jupyterlab"):
        path = ("profiles", "jupyterlab")
        moving.note("changed", path, "names no servers, which were Nebari's own: 2 CPUs and 8G, 4 CPUs and 16G")
        sizes.servers(moving, path, SERVERS, ())
    if _silent(moving, "profiles", "dask_worker"):
        path = ("profiles", "dask_worker")
        moving.note("changed", path, "names no workers, which were Nebari's own: 1.5 CPUs and 5G, 3 CPUs and 10G")
        sizes.workers(moving, path, WORKERS, ())
    if _silent(moving, "monitoring", "enabled"):
        monitoring(moving, ("monitoring",), True, ())
        if moving.get(("monitoring", "enabled")):
            disk = Monitoring().storage
            moving.note(
                "changed", ("monitoring",), f"is on, as in Nebari: Prometheus with a disk of {disk}, and Grafana"
            )


def monitoring(moving: Moving, path: Path, value: bool, under: Path) -> None:
    """`monitoring.enabled`, which is on where the file does not say; not beside theirs on a cluster that is there."""
    if value and moving.provider == "existing":
        moving.note(
            "changed",
            path,
            "is off here: each of two stacks of Prometheus on one cluster takes the same port of every node. Once "
            "Nebari's is gone: qhub:monitoring, `enabled: true`",
        )
        return
    _put(moving, path, ("monitoring", "enabled"), value)


def _kind_of_storage(moving: Moving) -> None:
    """Where homes are: on AWS, EFS, in every version from QHub 0.1 on."""
    if moving.provider == "aws" and _silent(moving, "storage", "type"):
        _put(moving, ("storage",), ("storage", "kind"), "managed")
        moving.note(
            "changed", ("storage",), "names no type, which was EFS on AWS: it is here too, a new one, kind managed"
        )


def _silent(moving: Moving, section: str, key: str) -> bool:
    written = moving.document.data.get(section)
    return not isinstance(written, Mapping) or written.get(key) is None


def _put(moving: Moving, origin: Path, path: Path, value: Any) -> None:
    moving.at = origin
    moving.put(path, value)
