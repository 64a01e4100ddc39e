"""The pods that the real Dask gateway makes of our values, for each worker profile and different people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qhub.platform.dask_gateway import scheduler_policy_spec
from qhub.platform.environments_values import folder as environment_folder
from tests.unit.hub.running import dask_pods_of
from tests.unit.hub.team import SETTINGS
from tests.unit.platform.building import dask_values, make_settings
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
    ("user", "profile", "workers"),
    [("erin", "gpu", 10), ("bob", "small", 30), ("alice", "small", 30), ("dave", "own", 2)],
)
def test_a_cluster_has_the_limits_of_its_user(made: Made, user: str, profile: str, workers: int) -> None:
    assert made[user, profile]["config"]["cluster_max_workers"] == workers


#: Whose cores are how many -> how many workers with that many a cluster has; None for none, which is refused.
WORKERS: dict[tuple[str, float], int | None] = {
    ("ada", 0.05): 50,
    ("ada", 0.5): 50,
    ("ada", 1): 40,
    ("ada", 2): 20,
    ("ada", 4): 10,
    ("ada", 40): 1,
    ("eve", 0.05): 6,
    ("eve", 0.1): 3,
    ("eve", 0.5): None,
    ("max", 4): 1,
    ("max", 40): None,
}


def test_all_workers_together_have_the_cores_of_a_cluster_and_its_scheduler_has_its_own(tmp_path: Path) -> None:
    sizes = {f"c{cores:g}".replace(".", "-"): cores for _, cores in WORKERS}
    settings = make_settings(
        dask={
            "profiles": [{"name": name, "cores": cores} for name, cores in sizes.items()],
            "max_workers_per_cluster": 50,
            "max_cores_per_cluster": 40,
            "limits": [
                {"users": [user], "max_cores_per_cluster": cores} for user, cores in {"eve": 0.3, "max": 4}.items()
            ],
        }
    )
    names = {cores: name for name, cores in sizes.items()}
    asked = [
        {"user": user, "groups": [], "admin": False, "options": {"profile": names[cores]}} for user, cores in WORKERS
    ]
    found = dict(zip(WORKERS, dask_pods_of(dask_values(settings), asked, tmp_path), strict=True))

    assert {key: answer.get("config", {}).get("cluster_max_workers") for key, answer in found.items()} == WORKERS
    assert found["max", 40]["refused"] == (
        "a worker of profile c40 has 40 cores, and all workers of a cluster of yours together may have 4: choose "
        "another profile"
    )
