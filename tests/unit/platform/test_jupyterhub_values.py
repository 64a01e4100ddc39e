"""What people of a hub would notice of its values."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest

from qhub.platform.jupyterhub_values import JupyterHubSecrets
from qhub.platform.singleuser_values import USER_TOLERATIONS
from tests.unit.platform.building import SECRETS, hub_values, make_settings
from tests.unit.platform.reference import defaults, needs_reference

GPU_POOL = {
    "node_selector": {"pool": "gpu"},
    "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoExecute", "toleration_seconds": 60}],
    "gpu": {"count": 4, "resource": "amd.com/gpu"},
}
GITHUB = {"type": "github", "client_id": "id", "client_secret": "s", "organizations": ["team", "team:data"]}


def profile(name: str, **changes: object) -> dict[str, object]:
    return {"name": name, "default": name == "small", **changes}


def profiles(*written: dict[str, object], **sections: object) -> dict[str, dict[str, Any]]:
    """Return the built profiles by slug."""
    settings = make_settings(jupyterhub={"profiles": list(written)}, **sections)
    return {entry["slug"]: entry for entry in hub_values(settings)["custom"]["qhub"]["profiles"]}


class TestProfiles:
    def test_limits_and_guarantees_reach_the_spawner(self) -> None:
        made = profiles(profile("small", cpu={"limit": 2, "guarantee": 0.5}, memory={"limit": "4G", "guarantee": "1G"}))

        assert made["small"]["kubespawner_override"] == {
            "cpu_limit": 2,
            "cpu_guarantee": 0.5,
            "mem_limit": "4G",
            "mem_guarantee": "1G",
            "node_selector": {},
        }

    def test_a_gpu_profile_asks_for_the_resource_of_its_pool(self) -> None:
        made = profiles(
            profile("small"),
            profile("gpu", node_pool="gpu", gpu={"count": 2}),
            cluster={"node_pools": {"gpu": GPU_POOL}},
        )["gpu"]["kubespawner_override"]

        assert made["extra_resource_limits"] == made["extra_resource_guarantees"] == {"amd.com/gpu": "2"}
        assert made["node_selector"] == {"pool": "gpu"}

    def test_tolerations_repeat_the_charts_own_since_they_replace_them(self) -> None:
        made = profiles(profile("gpu", node_pool="gpu"), cluster={"node_pools": {"gpu": GPU_POOL}})["gpu"]

        assert made["kubespawner_override"]["tolerations"] == [
            *USER_TOLERATIONS,
            {"key": "gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},
        ]

    @needs_reference
    def test_the_charts_own_tolerations_are_what_we_repeat(self) -> None:
        assert defaults("jupyterhub")["scheduling"]["userPods"]["tolerations"] == list(USER_TOLERATIONS)

    def test_the_selector_is_said_by_profiles_only(self) -> None:
        # KubeSpawner merges selectors: a second one here would send a GPU server to no node at all.
        settings = make_settings(
            jupyterhub={"profiles": [profile("small")]},
            cluster={"node_pools": {"user": {"node_selector": {"pool": "user"}}}},
        )

        assert "nodeSelector" not in hub_values(settings)["singleuser"]

    def test_who_may_choose_a_profile_is_handed_to_the_hub(self) -> None:
        made = profiles(profile("small"), profile("big", users=["alice"], groups=[]))

        assert "users" not in made["small"]
        assert (made["big"]["users"], made["big"]["groups"]) == (["alice"], [])


class TestSignIn:
    def test_github_calls_back_to_the_domain_and_asks_for_teams(self) -> None:
        config = hub_values(make_settings(domain="hub.team.org", authentication=GITHUB))["hub"]["config"]

        assert config["JupyterHub"]["authenticator_class"] == "github"
        assert config["GitHubOAuthenticator"] == {
            "client_id": "id",
            "client_secret": SECRETS.sign_in,
            "oauth_callback_url": "https://hub.team.org/hub/oauth_callback",
            "allowed_organizations": ["team", "team:data"],
            "scope": ["read:org"],
        }
        assert config["Authenticator"]["allow_all"] is False

    def test_the_secret_of_the_settings_is_not_used_in_its_place(self) -> None:
        # Values get secrets from the caller only, as outputs; the settings hold the plain text.
        assert "'s'" not in str(hub_values(make_settings(authentication=GITHUB)))

    def test_one_password_for_all(self) -> None:
        config = hub_values(make_settings(authentication={"password": "p"}))["hub"]["config"]

        assert config["DummyAuthenticator"] == {"password": SECRETS.sign_in}
        assert config["Authenticator"]["allow_all"] is True

    def test_no_password_at_all(self) -> None:
        secrets = JupyterHubSecrets(cookie_secret="a", crypt_key="b", proxy_token="c")
        config = hub_values(make_settings(), secrets=secrets)["hub"]["config"]

        assert "DummyAuthenticator" not in config

    def test_groups_of_the_settings_are_groups_of_the_hub(self) -> None:
        settings = make_settings(
            groups={"analyst": {"gid": 1100}, "empty": {"gid": 1101}},
            users={"alice": {"primary_group": "analyst"}, "bob": {"secondary_groups": ["analyst"]}},
        )

        assert hub_values(settings)["hub"]["config"]["JupyterHub"]["load_groups"] == {
            "analyst": {"users": ["alice", "bob"]},
            "empty": {"users": []},
        }


class TestTheWayIn:
    def test_cert_manager_is_asked_for_a_certificate(self) -> None:
        ingress = hub_values(make_settings())["ingress"]

        assert ingress["ingressClassName"] == "qhub"
        assert ingress["annotations"]["cert-manager.io/cluster-issuer"] == "qhub-self-signed"
        assert ingress["tls"] == [{"hosts": ["qhub.localhost"], "secretName": "hub-tls"}]

    def test_a_certificate_of_ones_own_is_used_as_it_is(self) -> None:
        settings = make_settings(certificates={"issuer": "existing-secret", "secret_name": "mine"})
        ingress = hub_values(settings, cluster_issuer=None)["ingress"]

        assert ingress["tls"][0]["secretName"] == "mine"
        assert "cert-manager.io/cluster-issuer" not in ingress["annotations"]

    def test_plain_http_has_no_certificate(self) -> None:
        assert "tls" not in hub_values(make_settings(certificates={"issuer": "none"}), cluster_issuer=None)["ingress"]


class TestStorage:
    def test_homes_are_on_the_claim(self) -> None:
        storage = hub_values(make_settings(), claim_name="team-files")["singleuser"]["storage"]

        assert storage["type"] == "static"
        assert storage["static"] == {"pvcName": "team-files", "subPath": "home/{username}"}

    @pytest.mark.parametrize(("protect", "kept"), [(True, True), (False, False)])
    def test_the_hubs_database_outlives_the_release_where_data_is_protected(self, protect: bool, kept: bool) -> None:
        disk = hub_values(make_settings(storage={"protect": protect}))["hub"]["db"]["pvc"]

        assert (disk.get("annotations") == {"helm.sh/resource-policy": "keep"}) is kept

    def test_the_hubs_database_is_on_the_block_class(self) -> None:
        made = hub_values(make_settings(), block_storage_class="fast")["hub"]["db"]["pvc"]

        assert made["storageClassName"] == "fast"
        assert "storageClassName" not in hub_values(make_settings())["hub"]["db"]["pvc"]

    def test_new_files_may_be_changed_by_the_group_in_any_image(self) -> None:
        command = hub_values(make_settings())["singleuser"]["cmd"]

        assert command[-1] == "jupyterhub-singleuser"
        # In the server's place, something that says what a terminal would inherit.
        done = subprocess.run(
            [*command[:-1], "sh", "-c", "umask"],
            preexec_fn=lambda: os.umask(0o077),
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == "0002"


class TestDask:
    def test_the_hub_knows_the_gateway_by_our_token(self) -> None:
        hub = hub_values(make_settings())["hub"]

        assert hub["services"]["dask-gateway"] == {
            "apiToken": SECRETS.dask_gateway_token,
            "url": "http://traefik-dask-gateway.qhub",
            "display": False,
        }
        for role in ("user", "server"):
            assert "access:services!service=dask-gateway" in hub["loadRoles"][role]["scopes"]

    def test_notebooks_reach_the_gateway_through_the_hub_and_the_schedulers_directly(self) -> None:
        user = hub_values(make_settings(namespace={"name": "team"}))["singleuser"]

        assert user["extraEnv"]["DASK_GATEWAY__ADDRESS"] == "http://proxy-public/services/dask-gateway"
        assert user["extraEnv"]["DASK_GATEWAY__PROXY_ADDRESS"] == "gateway://traefik-dask-gateway.team:80"
        assert user["extraLabels"]["hub.jupyter.org/network-access-proxy-http"] == "true"
        assert user["networkPolicy"]["egress"][0]["ports"] == [{"port": 8000, "protocol": "TCP"}]

    def test_without_dask_there_is_no_trace_of_it(self) -> None:
        secrets = JupyterHubSecrets(cookie_secret="a", crypt_key="b", proxy_token="c")
        values = hub_values(make_settings(dask={"enabled": False}), secrets=secrets)
        values["hub"].pop("extraConfig")

        assert "dask" not in str(values).lower()


class TestMetadataService:
    def test_is_blocked_where_the_namespace_allows_firewall_rules(self) -> None:
        managed = {"kind": "managed", "server": "files.example.org"}
        baseline = make_settings(namespace={"pod_security": "baseline"}, storage=managed)

        assert hub_values(make_settings())["custom"]["qhub"]["blocked"] == "169.254.169.254"
        assert "blocked" not in hub_values(baseline)["custom"]["qhub"]

    def test_the_charts_privileged_init_container_does_not_come_besides(self) -> None:
        assert hub_values(make_settings())["singleuser"]["cloudMetadata"] == {"blockWithIptables": False}


class TestPlacement:
    def test_hub_and_proxy_run_on_the_general_pool(self) -> None:
        general = {"node_selector": {"pool": "general"}, "tolerations": [{"key": "t", "operator": "Exists"}]}
        values = hub_values(make_settings(cluster={"node_pools": {"general": general}}))

        for part in (values["hub"], values["proxy"]["chp"]):
            assert part["nodeSelector"] == {"pool": "general"}
            assert part["tolerations"] == [{"key": "t", "operator": "Exists"}]
            assert part["resources"]["requests"]

    def test_culling_is_handed_on(self) -> None:
        cull = {"enabled": True, "timeout": 900, "every": 300, "max_age": 7200, "users": True, "admins": False}

        assert hub_values(make_settings(jupyterhub={"cull": cull}))["cull"] == {
            "enabled": True,
            "timeout": 900,
            "every": 300,
            "maxAge": 7200,
            "users": True,
            "adminUsers": False,
        }
