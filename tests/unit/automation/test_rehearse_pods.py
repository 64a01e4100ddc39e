"""The pods of users and of Dask clusters, as they follow from the values of the two releases."""

from __future__ import annotations

from typing import Any

from qhub.automation.rehearse.dask_pods import scheduler_pod, worker_pod, worker_profiles
from qhub.automation.rehearse.looking import reserved
from qhub.automation.rehearse.user_pods import PROFILE_LABEL, ROLE_LABEL, profile_names, size_names, user_pod
from qhub.config import Settings
from qhub.platform.hub.qhub_hub import INIT_CONTAINER
from qhub.platform.merging import deep_merge
from qhub.platform.singleuser_values import USER_TOLERATIONS
from tests.unit.platform.building import dask_values, hub_values, make_settings

GIB = 1024**3
POOL = {
    "node_selector": {"pool": "gpu"},
    "tolerations": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}],
    "gpu": {"count": 4},
}
SETTINGS = make_settings(
    cluster={"node_pools": {"gpu": POOL}},
    users={"ada": {"uid": 1001, "primary_group": "team"}},
    groups={"team": {"gid": 2001}},
    jupyterhub={
        "profiles": [
            {"name": "small", "default": True, "memory": {"limit": "2G", "guarantee": "1G"}, "cpu": {"guarantee": 0.5}},
            {"name": "gpu", "node_pool": "gpu", "gpu": {"count": 2}, "groups": ["team"]},
        ]
    },
    dask={
        "profiles": [{"name": "gpu", "node_pool": "gpu", "gpu": {"count": 1}, "cores": 3, "memory": "6G"}],
        "max_workers_per_cluster": 20,
        "max_cores_per_cluster": 10,
    },
)


def server(profile: str, settings: Settings = SETTINGS) -> dict[str, Any]:
    return user_pod(hub_values(settings), profile, namespace="qhub")


class TestUserPod:
    def test_every_profile_has_one(self) -> None:
        assert profile_names(hub_values(SETTINGS)) == ("small", "gpu")
        labels = [server(name)["metadata"]["labels"] for name in ("small", "gpu")]
        assert [(one[ROLE_LABEL], one[PROFILE_LABEL]) for one in labels] == [("user", "small"), ("user", "gpu")]

    def test_it_reserves_what_the_profile_guarantees(self) -> None:
        assert reserved(server("small")["spec"]) == (0.5, GIB, 0)
        limits = server("small")["spec"]["containers"][0]["resources"]["limits"]
        assert limits == {"cpu": "1", "memory": str(2 * GIB)}

    def test_every_size_that_people_choose_from_has_one(self) -> None:
        sizes = [{"name": "whole", "users_per_node": 1}, {"name": "small", "cpu": {"limit": 0.5}, "default": True}]
        settings = make_settings(
            cluster={"node_pools": {"user": {"cpu": 4, "memory": "8Gi"}}},
            jupyterhub={"profiles": [{"name": "lab", "sizes": sizes}]},
        )
        values = hub_values(settings)
        pods = {size: user_pod(values, "lab", namespace="qhub", size=size) for size in size_names(values, "lab")}

        assert {size: reserved(pod["spec"])[0] for size, pod in pods.items()} == {"whole": 3.5, "small": 0.5}
        assert {pod["metadata"]["name"] for pod in pods.values()} == {"jupyter-lab--whole", "jupyter-lab--small"}
        # Whoever chooses nothing.
        assert reserved(server("lab", settings)["spec"])[0] == 0.5

    def test_a_gpu_profile_goes_to_its_pool_and_asks_for_its_gpus(self) -> None:
        spec = server("gpu")["spec"]
        assert spec["nodeSelector"] == {"pool": "gpu"}
        assert spec["tolerations"][: len(USER_TOLERATIONS)] == list(USER_TOLERATIONS)
        assert {"key": "gpu", "operator": "Equal", "value": "yes", "effect": "NoSchedule"} in spec["tolerations"]
        assert reserved(spec)[2] == 2

    def test_it_belongs_to_somebody_who_may_choose_the_profile(self) -> None:
        spec = server("gpu")["spec"]
        notebook = spec["containers"][0]
        assert notebook["securityContext"]["runAsUser"] == 1001
        assert {"name": "NB_USER", "value": "ada"} in notebook["env"]
        shared = {"name": "home", "mountPath": "/shared/team", "subPath": "shared/team", "readOnly": False}
        assert shared in notebook["volumeMounts"]

    def test_a_profile_of_a_group_whom_only_the_sign_in_fills_has_one_too(self) -> None:
        settings = make_settings(
            groups={"team": {"gid": 2001}}, jupyterhub={"profiles": [{"name": "team", "groups": ["team"]}]}
        )
        spec = server("team", settings)["spec"]

        assert {"name": "NB_USER", "value": "rehearsal"} in spec["containers"][0]["env"]
        assert spec["securityContext"]["supplementalGroups"] == [2001]

    def test_home_is_the_users_own_folder_on_the_claim(self) -> None:
        spec = server("small")["spec"]
        claims = [
            one["persistentVolumeClaim"]["claimName"] for one in spec["volumes"] if "persistentVolumeClaim" in one
        ]
        assert claims == ["home"]
        home = next(one for one in spec["containers"][0]["volumeMounts"] if one["mountPath"] == "/home/jovyan")
        assert home["subPath"] == "home/ada"

    def test_the_hubs_own_init_container_prepares_it(self) -> None:
        assert [one["name"] for one in server("small")["spec"]["initContainers"]][-1] == INIT_CONTAINER

    def test_the_metadata_service_is_blocked_where_the_namespace_takes_it(self) -> None:
        rights = [
            server("small", make_settings(namespace={"pod_security": level}, jupyterhub={
                "profiles": [{"name": "small"}]}))["spec"]["initContainers"][-1]["securityContext"]["capabilities"]
            for level in ("privileged", "baseline")
        ]  # fmt: skip
        assert ["NET_ADMIN" in each["add"] for each in rights] == [True, False]

    def test_a_guard_that_somebody_asks_the_chart_for_is_there_too(self) -> None:
        overrides = {"singleuser": {"cloudMetadata": {"blockWithIptables": True}}}
        pod = user_pod(deep_merge(hub_values(SETTINGS), overrides), "small", namespace="qhub")
        assert [one["name"] for one in pod["spec"]["initContainers"]] == ["block-cloud-metadata", INIT_CONTAINER]

    def test_no_placeholder_is_left(self) -> None:
        assert "{username}" not in str(server("small"))


class TestDaskPods:
    def test_a_cluster_has_as_many_workers_as_workers_and_cores_allow(self) -> None:
        assert worker_profiles(dask_values(SETTINGS)) == {"gpu": 3}

    def test_a_worker_reserves_what_it_may_use_on_the_nodes_of_its_pool(self) -> None:
        pod = worker_pod(dask_values(SETTINGS), "gpu", 2, namespace="qhub")
        assert pod["metadata"]["name"] == "dask-worker-gpu-2"
        assert reserved(pod["spec"]) == (3.0, 6 * GIB, 1)
        assert pod["spec"]["nodeSelector"] == {"pool": "gpu"}
        assert pod["spec"]["tolerations"][0]["key"] == "gpu"

    def test_a_scheduler_is_on_the_general_pool(self) -> None:
        pod = scheduler_pod(dask_values(SETTINGS), "gpu", namespace="qhub")
        assert pod["spec"]["nodeSelector"] == {}
        assert reserved(pod["spec"]) == (0.1, 512 * 1024**2, 0)
