"""What people who start a Dask cluster would notice of the gateway's values."""

from __future__ import annotations

import json
from typing import Any

from qhub.automation.rehearse.dask_pods import gateway_settings
from tests.unit.platform.building import dask_values, make_settings

POOLS = {
    "general": {"node_selector": {"pool": "general"}},
    "worker": {"node_selector": {"pool": "spot"}, "tolerations": [{"key": "spot", "operator": "Exists"}]},
    "gpu": {"node_selector": {"pool": "gpu"}, "gpu": {"count": 1}},
}


def gateway_json(**dask: object) -> dict[str, Any]:
    return gateway_settings(dask_values(make_settings(dask=dask, cluster={"node_pools": POOLS})))


def test_the_gateway_asks_the_hub_for_the_right_to_this_very_service() -> None:
    auth = dask_values(make_settings(namespace={"name": "team"}))["gateway"]["auth"]

    assert auth == {
        "type": "jupyterhub",
        "jupyterhub": {
            "apiToken": "c3" * 32,
            "apiUrl": "http://hub.team:8081/hub/api",
            "jupyterhubServiceName": "dask-gateway",
        },
    }


def test_it_takes_no_load_balancer_of_its_own() -> None:
    service = dask_values(make_settings())["traefik"]["service"]

    assert service["type"] == "ClusterIP"
    assert service["ports"]["tcp"] == {"port": "web"}


def test_schedulers_stay_on_stable_nodes_while_workers_may_be_taken_away() -> None:
    backend = dask_values(make_settings(cluster={"node_pools": POOLS}))["gateway"]["backend"]

    assert backend["scheduler"]["extraPodConfig"]["nodeSelector"] == {"pool": "general"}
    assert backend["worker"]["extraPodConfig"]["nodeSelector"] == {"pool": "spot"}


def test_a_scheduler_that_is_there_is_soon_noticed() -> None:
    values = dask_values(make_settings())
    probe = values["gateway"]["backend"]["scheduler"]["extraContainerConfig"]["readinessProbe"]

    assert probe["periodSeconds"] == 1
    assert probe["periodSeconds"] * probe["failureThreshold"] == 15, "a busy scheduler is given as long as before"
    assert values["traefik"]["additionalArguments"] == ["--providers.providersThrottleDuration=100ms"]


def test_measuring_the_routes_makes_them_no_slower() -> None:
    arguments = dask_values(make_settings(monitoring={"enabled": True}))["traefik"]["additionalArguments"]

    assert arguments == ["--providers.providersThrottleDuration=100ms", "--metrics.prometheus=true"]


def test_profiles_say_size_place_and_gpu() -> None:
    made = gateway_json(
        profiles=[
            {"name": "small", "cores": 1.5, "memory": "3G", "threads": 2},
            {"name": "gpu", "node_pool": "gpu", "gpu": {"count": 1}, "groups": [], "users": ["alice"]},
        ]
    )["profiles"]

    assert made[0] == {
        "name": "small",
        "users": None,
        "groups": None,
        "config": {
            "worker_cores": 1.5,
            "worker_cores_limit": 1.5,
            "worker_memory": "3G",
            "worker_memory_limit": "3G",
            "worker_threads": 2,
            "worker_extra_pod_config": {
                "nodeSelector": {"pool": "spot"},
                "tolerations": [{"key": "spot", "operator": "Exists"}],
            },
        },
    }
    assert made[1]["config"]["worker_extra_container_config"] == {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
    assert (made[1]["users"], made[1]["groups"]) == (["alice"], [])


def test_limits_of_a_cluster_are_handed_on() -> None:
    made = gateway_json(idle_timeout=60, max_workers_per_cluster=3, max_cores_per_cluster=6)

    assert (made["idle_timeout"], made["max_workers"], made["max_cores"]) == (60, 3, 6)


def test_the_same_settings_give_the_same_bytes() -> None:
    settings = make_settings()

    assert json.dumps(dask_values(settings)) == json.dumps(dask_values(settings))
