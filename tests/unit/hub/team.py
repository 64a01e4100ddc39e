"""Settings of a team of which everybody is somebody else, and who starts what."""

from __future__ import annotations

from typing import Any

from tests.unit.platform.building import make_settings

#: Pools with everything that decides where a pod goes.
POOLS: dict[str, Any] = {
    "general": {"node_selector": {"pool": "general"}},
    "user": {
        "node_selector": {"pool": "user"},
        "tolerations": [{"key": "for", "value": "users", "effect": "NoSchedule"}],
    },
    "gpu": {
        "node_selector": {"pool": "gpu"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "gpu": {"count": 2},
    },
    "worker": {
        "node_selector": {"pool": "worker"},
        "tolerations": [{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}],
        "spot": True,
    },
}

SETTINGS = make_settings(
    cluster={"node_pools": POOLS},
    # alice is in two groups, bob in one, erin may only read; dave is not listed at all.
    users={
        "alice": {"uid": 1001, "primary_group": "analyst", "secondary_groups": ["developer"]},
        "bob": {"secondary_groups": ["developer"]},
    },
    groups={"analyst": {"gid": 1100, "read_only_members": ["erin"]}, "developer": {"gid": 1101}},
    jupyterhub={
        "profiles": [
            {
                "name": "small",
                "default": True,
                "cpu": {"limit": 2, "guarantee": 0.5},
                "memory": {"limit": "2G", "guarantee": "1G"},
            },
            {
                "name": "gpu",
                "node_pool": "gpu",
                "gpu": {"count": 1},
                "groups": ["developer"],
                "image": {"name": "quay.io/jupyter/pytorch-notebook", "tag": "2026-05-26"},
            },
            {"name": "own", "users": ["dave"]},
        ]
    },
    environments={"named": {"geo": {"packages": ["geo==1.0"]}}},
    dask={
        "profiles": [
            {"name": "small", "cores": 1, "memory": "2G"},
            {"name": "gpu", "cores": 2, "memory": "8G", "node_pool": "gpu", "gpu": {"count": 1}, "groups": ["analyst"]},
            {"name": "own", "cores": 4, "memory": "8G", "users": ["dave", "lab:carol"]},
        ],
        "max_workers_per_cluster": 10,
        "max_cores_per_cluster": 40,
        "limits": [
            {"groups": ["developer"], "max_workers_per_cluster": 30},
            {"users": ["dave"], "max_workers_per_cluster": 2, "max_cores_per_cluster": 9},
        ],
    },
)
