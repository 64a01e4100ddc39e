"""The pods that the real JupyterHub and KubeSpawner make of our values, for each profile and different people."""

from __future__ import annotations

from typing import Any

import pytest

from qhub.platform.hub import qhub_hub
from qhub.platform.singleuser_values import USER_TOLERATIONS
from tests.unit.hub.running import pods_of
from tests.unit.hub.team import SETTINGS
from tests.unit.platform.building import hub_values

Made = dict[tuple[str, str], dict[str, Any]]

#: user, profile, and the groups that the hub still knows somebody in from before.
ASKED = [
    ("alice", "small", []),
    ("alice", "gpu", []),
    ("bob", "gpu", []),
    ("erin", "small", []),
    ("dave", "small", []),
    ("dave", "own", []),
    ("dave", "gpu", ["developer"]),
    ("dave", "none", []),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Make all pods in one process: what becomes of each by (user, profile)."""
    asked = [{"user": user, "groups": groups, "profile": profile} for user, profile, groups in ASKED]
    found = pods_of(hub_values(SETTINGS), asked, tmp_path_factory.mktemp("pods"))
    return {(user, profile): answer for (user, profile, _), answer in zip(ASKED, found, strict=True)}


def spec(made: Made, user: str, profile: str) -> dict[str, Any]:
    return made[user, profile]["pod"]["spec"]


def notebook(made: Made, user: str, profile: str) -> dict[str, Any]:
    [container] = spec(made, user, profile)["containers"]
    return container


def variables(container: dict[str, Any]) -> dict[str, str]:
    return {item["name"]: item.get("value", "") for item in container["env"]}


def mounts(container: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {mount["mountPath"]: mount for mount in container["volumeMounts"]}


class TestWhoSomebodyIs:
    @pytest.mark.parametrize(
        ("user", "profile", "numbers"),
        [
            ("alice", "small", (1001, 1100, [100, 1101])),
            ("bob", "gpu", (qhub_hub.derived_uid("bob"), 100, [1101])),
            ("erin", "small", (qhub_hub.derived_uid("erin"), 100, [1100])),
            ("dave", "small", (qhub_hub.derived_uid("dave"), 100, [])),
        ],
    )
    def test_numbers_are_those_of_the_settings_or_ones_own(
        self, made: Made, user: str, profile: str, numbers: tuple[int, int, list[int]]
    ) -> None:
        uid, gid, others = numbers
        pod = spec(made, user, profile).get("securityContext", {})
        container = notebook(made, user, profile)["securityContext"]

        assert (container["runAsUser"], container["runAsGroup"]) == (uid, gid)
        assert pod.get("supplementalGroups", []) == others
        # With one, the kubelet would give everybody's homes to this group where the volume's driver asks for it.
        assert "fsGroup" not in pod

    def test_names_are_there_for_the_terminal(self, made: Made) -> None:
        prepare = next(
            item for item in spec(made, "alice", "small")["initContainers"] if item["name"] == qhub_hub.INIT_CONTAINER
        )

        assert "alice:x:1001:1100::/home/jovyan:/bin/bash\n" in variables(prepare)["QHUB_PASSWD"]
        assert "developer:x:1101:alice\n" in variables(prepare)["QHUB_GROUP"]
        places = mounts(notebook(made, "alice", "small"))
        assert {places[path]["subPath"] for path in ("/etc/passwd", "/etc/group")} == {"passwd", "group"}

    def test_new_files_may_be_changed_by_the_group(self, made: Made) -> None:
        container = notebook(made, "alice", "small")

        # KubeSpawner makes of the command what Kubernetes calls `args` where the image has an entry point.
        assert container["args"][:2] == ["sh", "-c"]
        assert container["args"][2].startswith("umask 0002 && exec ")
        assert variables(container)["NB_UMASK"] == "0002"


class TestFolders:
    def test_everyone_has_a_home_of_their_own(self, made: Made) -> None:
        homes = {user: mounts(notebook(made, user, "small"))["/home/jovyan"]["subPath"] for user in ("alice", "dave")}

        assert homes == {"alice": "home/alice", "dave": "home/dave"}

    @pytest.mark.parametrize(
        ("user", "profile", "folders"),
        [
            ("alice", "small", {"/shared/analyst": False, "/shared/developer": False}),
            ("bob", "gpu", {"/shared/developer": False}),
            ("erin", "small", {"/shared/analyst": True}),
            ("dave", "small", {}),
        ],
    )
    def test_members_write_in_the_folders_of_their_groups_and_readers_read(
        self, made: Made, user: str, profile: str, folders: dict[str, bool]
    ) -> None:
        places = mounts(notebook(made, user, profile))

        assert {
            path: mount.get("readOnly", False) for path, mount in places.items() if path.startswith("/shared/")
        } == folders

    def test_root_prepares_no_folder_of_others(self, made: Made) -> None:
        prepare = next(
            item for item in spec(made, "bob", "gpu")["initContainers"] if item["name"] == qhub_hub.INIT_CONTAINER
        )

        assert {mount.get("subPath") for mount in prepare["volumeMounts"]} == {None, "home/bob", "shared/developer"}
        assert prepare["securityContext"]["capabilities"]["drop"] == ["ALL"]
        # KubeSpawner has put the user's name in, and found nothing else to put in.
        assert not {"{", "}"} & set("".join(prepare["command"]))

    def test_the_metadata_service_is_cut_off_by_the_same_container(self, made: Made) -> None:
        [prepare] = spec(made, "alice", "gpu")["initContainers"]

        assert "--destination 169.254.169.254" in prepare["command"][-1]
        assert "NET_ADMIN" in prepare["securityContext"]["capabilities"]["add"]
        assert not prepare["securityContext"].get("privileged")


class TestProfiles:
    @pytest.mark.parametrize(
        ("user", "profile", "offered"),
        [
            ("alice", "small", ["small", "gpu"]),
            ("bob", "gpu", ["small", "gpu"]),
            ("erin", "small", ["small"]),
            ("dave", "own", ["small", "own"]),
        ],
    )
    def test_each_is_offered_what_is_open_to_them(
        self, made: Made, user: str, profile: str, offered: list[str]
    ) -> None:
        assert made[user, profile]["profiles"] == offered

    @pytest.mark.parametrize("profile", ["gpu", "none"])
    def test_what_is_not_offered_is_not_started_either(self, made: Made, profile: str) -> None:
        # dave was a developer once, and the hub never forgot; the settings say otherwise.
        assert "pod" not in made["dave", profile]
        assert made["dave", profile]["refused"]

    def test_sizes_are_requests_and_limits(self, made: Made) -> None:
        resources = notebook(made, "alice", "small")["resources"]

        assert resources == {
            "requests": {"cpu": 0.5, "memory": 1024**3},
            "limits": {"cpu": 2.0, "memory": 2 * 1024**3},
        }

    def test_a_gpu_server_goes_to_the_gpu_pool_with_its_image_and_its_gpu(self, made: Made) -> None:
        pod, container = spec(made, "bob", "gpu"), notebook(made, "bob", "gpu")

        assert pod["nodeSelector"] == {"pool": "gpu"}
        assert container["image"] == "quay.io/jupyter/pytorch-notebook:2026-05-26"
        assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
        assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in pod["tolerations"]
        assert all(toleration in pod["tolerations"] for toleration in USER_TOLERATIONS)

    def test_a_small_server_goes_to_the_user_pool(self, made: Made) -> None:
        pod = spec(made, "alice", "small")

        assert pod["nodeSelector"] == {"pool": "user"}
        assert {"key": "for", "operator": "Equal", "value": "users", "effect": "NoSchedule"} in pod["tolerations"]


class TestDask:
    def test_the_notebook_finds_the_gateway_and_runs_its_own_image_there(self, made: Made) -> None:
        found = variables(notebook(made, "bob", "gpu"))

        assert found["DASK_GATEWAY__ADDRESS"] == "http://proxy-public/services/dask-gateway"
        assert found["DASK_GATEWAY__CLUSTER__OPTIONS__IMAGE"] == "{JUPYTER_IMAGE_SPEC}"
        assert found["JUPYTER_IMAGE_SPEC"] == "quay.io/jupyter/pytorch-notebook:2026-05-26"

    def test_the_servers_token_reaches_the_gateway_and_its_own_server_only(self, made: Made) -> None:
        scopes = made["dave", "small"]["scopes"]

        assert "access:services!service=dask-gateway" in scopes
        assert not [scope for scope in scopes if scope.startswith(("admin", "list:users", "servers"))]
