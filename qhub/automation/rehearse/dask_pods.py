"""The pods of a Dask cluster, as the gateway makes them from the values that it was deployed with. Pure functions.

Left out: the Secret with the cluster's certificates, which the gateway's controller makes and no scheduler looks at.

Source: `KubeBackend.make_pod` of dask-gateway-server 2026.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qhub.automation.rehearse.user_pods import PROFILE_LABEL, ROLE_LABEL, bytes_of
from qhub.platform import hub
from qhub.platform.dask_gateway import CLUSTER_LABEL
from qhub.platform.dask_gateway_values import SETTINGS_KEY
from qhub.platform.hub.qhub_dask import most_workers

Json = dict[str, Any]


def gateway_settings(values: Mapping[str, Any]) -> Json:
    """Return what the gateway-side code reads: profiles and limits."""
    return hub.data_of(values["gateway"]["extraConfig"][SETTINGS_KEY])


def worker_profiles(values: Mapping[str, Any]) -> dict[str, int]:
    """Return for each profile how many workers a cluster of it may have."""
    settings = gateway_settings(values)
    return {
        profile["name"]: most_workers(profile["config"]["worker_cores"], settings["max_workers"], settings["max_cores"])
        for profile in settings["profiles"]
    }


def scheduler_pod(values: Mapping[str, Any], profile: str, *, namespace: str) -> Json:
    """Return the scheduler of a cluster of a profile."""
    part = values["gateway"]["backend"]["scheduler"]
    resources = {
        "requests": _amounts(part["cores"]["request"], part["memory"]["request"]),
        "limits": _amounts(part["cores"]["limit"], part["memory"]["limit"]),
    }
    container = _container(values, "scheduler", resources)
    name = f"dask-scheduler-{profile}"
    return _pod("scheduler", profile, {"name": name, "namespace": namespace}, container, part.get("extraPodConfig", {}))


def worker_pod(values: Mapping[str, Any], profile: str, number: int, *, namespace: str) -> Json:
    """Return one worker of a cluster of a profile."""
    config = next(one["config"] for one in gateway_settings(values)["profiles"] if one["name"] == profile)
    part = values["gateway"]["backend"]["worker"]
    resources = {
        "requests": _amounts(config["worker_cores"], config["worker_memory"]),
        "limits": _amounts(config["worker_cores_limit"], config["worker_memory_limit"]),
    }
    pod_config = config.get("worker_extra_pod_config", part.get("extraPodConfig", {}))
    container = merged(_container(values, "worker", resources), config.get("worker_extra_container_config", {}))
    name = f"dask-worker-{profile}-{number}"
    return _pod("worker", profile, {"name": name, "namespace": namespace}, container, pod_config)


def _amounts(cores: float, memory: str | int) -> Json:
    return {"cpu": f"{cores:.3g}", "memory": str(bytes_of(memory))}


def _container(values: Mapping[str, Any], role: str, resources: Json) -> Json:
    image = values["gateway"]["backend"]["image"]
    return {
        "name": f"dask-{role}",
        "image": f"{image['name']}:{image['tag']}",
        "args": [f"dask-{role}"],
        "resources": resources,
    }


def _pod(role: str, profile: str, about: Json, container: Json, pod_config: Mapping[str, Any]) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **about,
            "labels": {
                "app.kubernetes.io/name": "dask-gateway",
                "app.kubernetes.io/component": f"dask-{role}",
                CLUSTER_LABEL: f"rehearsal-{profile}",
                ROLE_LABEL: role,
                PROFILE_LABEL: profile,
            },
        },
        "spec": {
            "restartPolicy": "OnFailure" if role == "scheduler" else "Always",
            "automountServiceAccountToken": False,
            **pod_config,
            "containers": [container],
        },
    }


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Json:
    """Return `base` with `over` laid on it, map by map, as the gateway does."""
    made = dict(base)
    for key, value in over.items():
        below = made.get(key)
        made[key] = merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return made
