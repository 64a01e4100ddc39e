"""The pods that the real Dask gateway makes of our values, for each worker profile and different people."""

from __future__ import annotations

from typing import Any

import pytest

from qhub.platform.dask_gateway import scheduler_policy_spec
from qhub.platform.environments_values import folder as environment_folder
from tests.unit.hub.running import dask_pods_of
from tests.unit.hub.team import SETTINGS
from tests.unit.platform.building import dask_values
from tests.unit.platform.plugins import PLUGINS, Place, callers, reaches

Made = dict[tuple[str, str], dict[str, Any]]

#: user, profile, the groups that the hub says the user is in, whether the hub says that the user is an administrator.
ASKED: list[tuple[str, str, list[str], bool]] = [
    ("alice", "small", [], False),
    ("alice", "gpu", [], False),
    ("bob", "small", [], False),
    ("erin", "gpu", [], False),
    ("dave", "own", [], False),
    ("dave", "gpu", ["analyst"], False),
    ("root", "gpu", [], True),
    # The gateway itself puts `user:` before a name with a colon.
    ("user:lab:carol", "own", [], False),
]
#: Which packages people ask for, by profile; others take the image's.
PACKAGES = {"gpu": "geo"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Make all pods in one process: what becomes of each by (user, profile)."""
    asked = [
        {
            "user": user,
            "groups": groups,
            "admin": admin,
            "options": {
                "profile": profile,
                "image": "mine:1",
                "environment": {"A": 1},
                "packages": PACKAGES.get(profile, "image"),
            },
        }
        for user, profile, groups, admin in ASKED
    ]
    found = dask_pods_of(dask_values(SETTINGS), asked, tmp_path_factory.mktemp("dask"))
    return {(user, profile): answer for (user, profile, _, _), answer in zip(ASKED, found, strict=True)}


def test_workers_go_to_the_pool_of_their_profile_and_the_scheduler_stays_on_the_stable_one(made: Made) -> None:
    small, gpu = made["alice", "small"], made["alice", "gpu"]

    assert small["worker"]["spec"]["nodeSelector"] == {"pool": "worker"}
    assert small["worker"]["spec"]["tolerations"] == [{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}]
    assert gpu["worker"]["spec"]["nodeSelector"] == {"pool": "gpu"}
    for answer in (small, gpu):
        assert answer["scheduler"]["spec"]["nodeSelector"] == {"pool": "general"}


def test_a_worker_has_what_its_profile_says(made: Made) -> None:
    [container] = made["alice", "gpu"]["worker"]["spec"]["containers"]

    assert container["resources"]["limits"] == {"cpu": "2.000", "memory": str(8 * 1024**3), "nvidia.com/gpu": "1"}
    assert container["resources"]["requests"] == {"cpu": "2.000", "memory": str(8 * 1024**3)}
    assert made["alice", "gpu"]["config"]["worker_threads"] == 2


def test_image_and_environment_are_those_of_the_notebook(made: Made) -> None:
    [container] = made["alice", "small"]["worker"]["spec"]["containers"]

    assert container["image"] == "mine:1"
    assert {"name": "A", "value": "1"} in container["env"]


@pytest.mark.parametrize("part", ["scheduler", "worker"])
def test_packages_are_those_of_the_environment_that_was_asked_for(made: Made, part: str) -> None:
    place = environment_folder(SETTINGS, "geo")
    [of_image], [of_geo] = (made["alice", profile][part]["spec"]["containers"] for profile in ("small", "gpu"))

    assert of_geo["args"][:3] == [f"{place}/bin/python", "-m", f"distributed.cli.dask_{part}"]
    assert of_image["args"][0] == f"dask-{part}"
    for container in (of_image, of_geo):
        [mounted] = [mount for mount in container["volumeMounts"] if mount["mountPath"] == "/environments"]
        assert mounted["readOnly"] is True


def test_no_pod_has_a_token_for_kubernetes(made: Made) -> None:
    for part in ("worker", "scheduler"):
        assert made["alice", "small"][part]["spec"]["automountServiceAccountToken"] is False


def test_the_policy_of_schedulers_is_that_of_schedulers_alone_and_names_their_ports(made: Made) -> None:
    scheduler, worker = (made["alice", "small"][part] for part in ("scheduler", "worker"))
    spec: Any = scheduler_policy_spec(SETTINGS)
    from_a_worker = Place("10.1.2.9", worker["metadata"]["labels"], same_namespace=True)
    [container] = scheduler["spec"]["containers"]

    chosen = [{"to": [{"pod_selector": spec["pod_selector"]}]}]
    for pod in (scheduler, worker):
        place = Place("10.1.2.9", pod["metadata"]["labels"], same_namespace=True)
        assert reaches(chosen, place, 1, PLUGINS["Cilium"]) is (pod is scheduler)
    open_to_workers = [
        port["name"]
        for port in container["ports"]
        if reaches(callers(spec), from_a_worker, port["containerPort"], PLUGINS["Cilium"])
    ]
    assert open_to_workers == ["scheduler"]


@pytest.mark.parametrize(
    ("user", "profile", "offered"),
    [
        ("alice", "small", ["small", "gpu"]),
        ("bob", "small", ["small"]),
        ("erin", "gpu", ["small", "gpu"]),
        ("dave", "own", ["small", "own"]),
        ("root", "gpu", ["small", "gpu", "own"]),
        ("user:lab:carol", "own", ["small", "own"]),
    ],
)
def test_each_is_offered_what_is_open_to_them(made: Made, user: str, profile: str, offered: list[str]) -> None:
    assert made[user, profile]["profiles"] == offered


def test_what_is_not_offered_is_not_started_either(made: Made) -> None:
    assert "not a valid option for profile" in made["dave", "gpu"]["refused"]


@pytest.mark.parametrize(
    ("user", "profile", "workers", "cores"),
    [("erin", "gpu", 10, 40), ("bob", "small", 30, 40), ("alice", "small", 30, 40), ("dave", "own", 2, 9)],
)
def test_a_cluster_has_the_limits_of_its_user(made: Made, user: str, profile: str, workers: int, cores: float) -> None:
    config = made[user, profile]["config"]

    assert (config["cluster_max_workers"], config["cluster_max_cores"]) == (workers, cores)
