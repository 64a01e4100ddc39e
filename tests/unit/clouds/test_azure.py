"""The pure parts of a cluster on Azure."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qhub.clouds.azure.file_system import gibibytes, host_of
from qhub.clouds.azure.identity import ACR_PULL, NETWORK_CONTRIBUTOR, assignment_name, role_definition_id
from qhub.clouds.azure.kubeconfig import kubeconfig
from qhub.clouds.azure.naming import agent_pool_name, dns_prefix
from qhub.clouds.azure.node_pools import taint_text
from qhub.clouds.kubeconfig import minify
from qhub.config.cloud import Taint
from qhub.errors import InputError

SCOPE = "/subscriptions/1111/resourceGroups/team/providers/Microsoft.ContainerRegistry/registries/team"
CERTIFICATE = {"client-certificate-data": "Y2VydA==", "client-key-data": "a-key"}
EXEC = {"exec": {"command": "kubelogin", "args": ["get-token", "--login", "devicecode"]}}


def handed_out(user: Mapping[str, object]) -> str:
    """Return a kubeconfig as Azure hands it out: YAML in base64."""
    text = {
        "clusters": [{"name": "c", "cluster": {"server": "https://example.org", "certificate-authority-data": "Y2E="}}],
        "users": [{"name": "clusterUser_team_c", "user": user}],
    }
    return base64.b64encode(json.dumps(text).encode()).decode()


class TestKubeconfig:
    @pytest.mark.parametrize(("user", "entra"), [(CERTIFICATE, False), (EXEC, True)])
    def test_it_is_one_that_kubectl_reads(self, user: Mapping[str, object], entra: bool) -> None:
        loaded = json.loads(kubeconfig(handed_out(user), name="team", entra=entra))
        inner = {"clusters": "cluster", "users": "user", "contexts": "context"}
        by_name = {part: {one["name"]: one[key] for one in loaded[part]} for part, key in inner.items()}

        # Cut down to its current context it is the same.
        assert json.loads(minify({**loaded, **by_name}, None)) == loaded

    def test_with_entra_it_holds_no_key(self) -> None:
        user = json.loads(kubeconfig(handed_out(EXEC), name="team", entra=True))["users"][0]["user"]

        assert user.keys() == {"exec"}
        assert user["exec"]["args"][:3] == ["get-token", "--login", "azurecli"]

    def test_without_it_holds_the_certificate(self) -> None:
        user = json.loads(kubeconfig(handed_out({**CERTIFICATE, "token": "x"}), name="team", entra=False))["users"][0]

        assert user == {"name": "team", "user": CERTIFICATE}

    def test_a_cluster_without_local_accounts_is_told(self) -> None:
        with pytest.raises(InputError, match=r"cluster\.admin_groups"):
            kubeconfig(handed_out(EXEC), name="team", entra=False)


class TestNames:
    @given(pool=st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True), spot=st.booleans())
    def test_every_pool_gets_a_name_that_aks_takes(self, pool: str, spot: bool) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9]{0,11}", agent_pool_name(pool, fixed=("Standard_D2s_v5", spot)))

    def test_what_cannot_be_changed_changes_the_name(self) -> None:
        before = agent_pool_name("general", fixed=("Standard_D2s_v5", 100, ["1"]))

        assert before == agent_pool_name("general", fixed=("Standard_D2s_v5", 100, ["1"]))
        assert before != agent_pool_name("general", fixed=("Standard_D2s_v5", 100, ["1", "2"]))
        assert before.startswith("general")

    def test_pools_of_like_names_do_not_get_the_same(self) -> None:
        assert agent_pool_name("workers-a", fixed=()) != agent_pool_name("workers-b", fixed=())

    def test_a_dns_name_ends_in_time(self) -> None:
        assert dns_prefix("team") == "team"
        assert dns_prefix(f"{'x' * 53}-{'y' * 9}") == "x" * 53


class TestRights:
    def test_an_assignment_is_named_by_what_it_is(self) -> None:
        name = assignment_name(ACR_PULL, SCOPE, "nodes")

        assert str(uuid.UUID(name)) == name == assignment_name(ACR_PULL, SCOPE.upper(), "nodes")
        others = {
            assignment_name(NETWORK_CONTRIBUTOR, SCOPE, "nodes"),
            assignment_name(ACR_PULL, f"{SCOPE}2", "nodes"),
            assignment_name(ACR_PULL, SCOPE, "others"),
        }
        assert len(others | {name}) == 4

    def test_a_role_is_that_of_the_scopes_subscription(self) -> None:
        assert role_definition_id(ACR_PULL, SCOPE) == (
            f"/subscriptions/1111/providers/Microsoft.Authorization/roleDefinitions/{ACR_PULL}"
        )


@pytest.mark.parametrize(
    ("taint", "text"),
    [
        (Taint(key="a", value="b"), "a=b:NoSchedule"),
        (Taint(key="example.org/a", effect="NoExecute"), "example.org/a:NoExecute"),
    ],
)
def test_a_taint_is_written_as_the_kubelet_reads_it(taint: Taint, text: str) -> None:
    assert taint_text(taint) == text


@pytest.mark.parametrize(("size", "gib"), [("100Gi", 100), ("1Ti", 1024), ("100G", 94), ("102401Mi", 101)])
def test_a_share_is_never_smaller_than_asked_for(size: str, gib: int) -> None:
    assert gibibytes(size) == gib


def test_the_server_is_the_host_of_the_endpoint() -> None:
    assert host_of("https://files1a.file.core.chinacloudapi.cn/") == "files1a.file.core.chinacloudapi.cn"
