"""Values of chart dask-gateway 2026.3: settings in, plain data out. The chart's schema is closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qhub.config.users import members
from qhub.platform import hub
from qhub.platform.authentication_values import manages_groups
from qhub.platform.environments_values import dask_packages, dask_volumes
from qhub.platform.monitoring_values import TRAEFIK_MEASURED
from qhub.platform.names import DASK_PATH, DASK_SERVICE
from qhub.platform.pods import placement, resources

if TYPE_CHECKING:
    import pulumi

    from qhub.clouds.cluster import NodePool
    from qhub.config import Settings
    from qhub.config.dask import WorkerProfile

#: Key of `gateway.extraConfig` with what `qhub_dask` reads.
SETTINGS_KEY = "00-qhub-settings"
#: The gateway calls a scheduler ready by a probe that asks every 5 seconds, and people waited up to that long for one
#: that was there. This is laid over it. 15: a scheduler that is too busy to answer is still given 15 seconds.
#: Source: `KubeController.make_pod` of dask-gateway-server 2026.3.
SCHEDULER_READY = {"readinessProbe": {"periodSeconds": 1, "failureThreshold": 15}}


def dask_gateway_values(
    settings: Settings, *, node_pools: Mapping[str, NodePool], api_token: pulumi.Input[str], claim_name: str
) -> dict[str, Any]:
    """Return the values of the release `dask-gateway`.

    Args:
        settings: the whole settings.
        node_pools: by name, as in `Cluster`.
        api_token: the token that the hub knows this service by.
        claim_name: claim of the shared storage, for the environments.
    """
    general = placement(node_pools["general"])
    small = resources(cpu="50m", memory="128Mi", memory_limit="512Mi")
    return {
        "gateway": {
            "prefix": DASK_PATH,
            "auth": {
                "type": "jupyterhub",
                "jupyterhub": {
                    "apiToken": api_token,
                    # Said, not found out: the chart would read it from the environment of the pod, which has it only
                    # if the hub's Service was there first.
                    "apiUrl": f"http://hub.{settings.namespace.name}:8081/hub/api",
                    # Without the name, every token of the hub may start clusters.
                    "jupyterhubServiceName": DASK_SERVICE,
                },
            },
            "backend": _backend(settings, node_pools, claim_name),
            # Run in the order of their names.
            "extraConfig": {
                SETTINGS_KEY: hub.constant("QHUB_DASK", gateway_settings(settings, node_pools, claim_name)),
                "10-qhub": hub.source("qhub_dask"),
            },
            "resources": small,
            **general,
        },
        "controller": {"resources": small, **general},
        "traefik": {
            "installTraefik": True,
            # LoadBalancer by default: the gateway is reached through the hub only. `web`: one port for API and TCP.
            "service": {"type": "ClusterIP", "ports": {"web": {"port": 80}, "tcp": {"port": "web"}}},
            # Traefik waits 2 s between two changes of its routes by default; a new cluster is two, and is said to run
            # before the second is there.
            "additionalArguments": [
                "--providers.providersThrottleDuration=100ms",
                *(TRAEFIK_MEASURED if settings.monitoring.enabled else ()),
            ],
            "resources": small,
            **general,
        },
    }


def gateway_settings(settings: Settings, node_pools: Mapping[str, NodePool], claim_name: str) -> dict[str, Any]:
    """Return what the gateway-side code (`qhub.platform.hub.qhub_dask`) reads."""
    dask = settings.dask
    made: dict[str, Any] = {
        "profiles": [
            {
                "name": profile.name,
                "users": None if profile.users is None else list(profile.users),
                "groups": None if profile.groups is None else list(profile.groups),
                "config": worker_config(profile, node_pools, _volumes(settings, claim_name)),
            }
            for profile in dask.profiles
        ],
        "members": members(settings.users, settings.groups),
        "managed_groups": manages_groups(settings),
        "limits": [
            {
                "users": list(limit.users),
                "groups": list(limit.groups),
                "max_workers": limit.max_workers_per_cluster,
                "max_cores": limit.max_cores_per_cluster,
            }
            for limit in dask.limits
        ],
        "idle_timeout": dask.idle_timeout,
        "max_workers": dask.max_workers_per_cluster,
        "max_cores": dask.max_cores_per_cluster,
    }
    return made | {"packages": dask_packages(settings)} if settings.environments.named else made


#: What the pod and the container of a scheduler or worker have besides.
Volumes = tuple[dict[str, Any], dict[str, Any]]


def _volumes(settings: Settings, claim_name: str) -> Volumes:
    return dask_volumes(claim_name) if settings.environments.named else ({}, {})


def worker_config(
    profile: WorkerProfile, node_pools: Mapping[str, NodePool], volumes: Volumes = ({}, {})
) -> dict[str, Any]:
    """Return options of `KubeClusterConfig` for the workers of one profile, with `volumes`.

    Request and limit are the same: a Dask worker spills and pauses by what it believes it has, so it must have it.
    """
    pool = node_pools[profile.node_pool]
    for_pod, for_container = volumes
    config: dict[str, Any] = {
        "worker_cores": profile.cores,
        "worker_cores_limit": profile.cores,
        "worker_memory": profile.memory,
        "worker_memory_limit": profile.memory,
        "worker_threads": profile.threads,
        "worker_extra_pod_config": placement(pool) | for_pod,
    }
    if profile.gpu is not None:
        resource = pool.gpu.resource if pool.gpu else "nvidia.com/gpu"
        for_container = {"resources": {"limits": {resource: str(profile.gpu.count)}}} | for_container
    return config | ({"worker_extra_container_config": for_container} if for_container else {})


def _backend(settings: Settings, node_pools: Mapping[str, NodePool], claim_name: str) -> dict[str, Any]:
    """Return `gateway.backend`: defaults of schedulers and workers, before a profile is laid over them."""
    dask = settings.dask
    for_pod, for_container = _volumes(settings, claim_name)
    return {
        "image": {"name": dask.image.name, "tag": dask.image.tag},
        # A scheduler lost is a computation lost: it stays on the stable nodes, whatever the workers run on.
        "scheduler": {
            "cores": {"request": 0.1, "limit": 1},
            "memory": {"request": "512M", "limit": "2G"},
            "extraPodConfig": placement(node_pools["general"]) | for_pod,
            "extraContainerConfig": SCHEDULER_READY | for_container,
        },
        "worker": {
            "cores": {"request": 1, "limit": 1},
            "memory": {"request": "2G", "limit": "2G"},
            "threads": 1,
            "extraPodConfig": placement(node_pools["worker"]) | for_pod,
            **({"extraContainerConfig": for_container} if for_container else {}),
        },
    }
