"""The hub's configuration: services, roles, secrets, and the layers that win over one another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.charts.hub_program import ENVIRONMENT, LEAST, unpack_hub, with_least
from tests.unit.charts.rendering import changed, every_key, render
from tests.unit.platform.building import hub_values, make_settings


class TestCulling:
    def test_has_the_limits_and_rights_of_the_values(self, configure_hub: Any) -> None:
        hub = configure_hub(every_key("jupyterhub")).JupyterHub
        service, role = hub.services[0], hub.load_roles[0]

        assert service["command"][:3] == [sys.executable, "-m", "jupyterhub_idle_culler"]
        assert set(service["command"][3:]) == {
            "--url=http://localhost:8081/team/hub/api",
            "--timeout=60",
            "--cull-every=30",
            "--max-age=90",
            "--concurrency=3",
            "--cull-users",
            "--cull-admin-users=false",
            "--remove-named-servers",
        }
        assert role["services"] == [service["name"]]
        assert "admin:users" in role["scopes"]

    def test_by_default_may_stop_servers_but_touch_no_user(self, configure_hub: Any) -> None:
        hub = configure_hub(LEAST).JupyterHub

        assert hub.services[0]["command"][3:] == [
            "--url=http://localhost:8081/hub/api",
            "--timeout=3600",
            "--cull-every=600",
            "--concurrency=10",
        ]
        assert hub.load_roles[0]["scopes"] == ["list:users", "read:users:activity", "read:servers", "delete:servers"]

    def test_can_be_off(self, configure_hub: Any) -> None:
        hub = configure_hub(with_least("cull", {"enabled": False})).JupyterHub

        assert (hub.services, hub.load_roles) == ([], [])


class TestServicesRolesAndSecrets:
    def test_a_service_gets_its_token_from_the_secret(self, configure_hub: Any) -> None:
        hub = configure_hub(every_key("jupyterhub")).JupyterHub

        assert hub.services[1] == {
            "name": "reporter",
            "api_token": "token-of-the-reporter",
            "url": "http://reporter",
            "admin": False,
        }
        assert hub.load_roles[1] == {"name": "reporter", "scopes": ["list:users"], "services": ["reporter"]}

    def test_secrets_are_those_of_the_values_and_the_proxy_has_the_same_token(self, configure_hub: Any) -> None:
        values = every_key("jupyterhub")
        c = configure_hub(values)
        objects = render("jupyterhub", values)

        assert c.CryptKeeper["keys"] == ["key-one", "key-two"]
        assert c.JupyterHub.cookie_secret == values["hub"]["cookieSecret"]
        tokens = [
            [
                item["valueFrom"]
                for item in objects["Deployment", name]["spec"]["template"]["spec"]["containers"][0]["env"]
                if item["name"] == "CONFIGPROXY_AUTH_TOKEN"
            ]
            for name in ("hub", "proxy")
        ]
        assert tokens[0] == tokens[1]
        assert "auth_token" not in c.ConfigurableHTTPProxy

    def test_no_secret_is_in_a_config_map(self) -> None:
        values = every_key("jupyterhub")
        text = repr(render("jupyterhub", values)["ConfigMap", "hub"])

        for secret in ("token-of", "key-one", "secret-of", values["hub"]["cookieSecret"]):
            assert secret not in text


class TestLayers:
    def test_hub_config_wins_over_what_the_keys_mean(self, configure_hub: Any) -> None:
        values = with_least("hub.config.KubeSpawner", {"start_timeout": 7})

        assert configure_hub(values).KubeSpawner.start_timeout == 7

    def test_extra_config_comes_last_in_the_order_of_its_names(self, configure_hub: Any) -> None:
        assert configure_hub(every_key("jupyterhub")).KubeSpawner.environment["ORDER"] == "first 60 second"

    def test_a_mistake_in_extra_config_is_told_with_its_entry_and_line(self, configure_hub: Any) -> None:
        with pytest.raises(ZeroDivisionError) as raised:
            configure_hub(with_least("hub.extraConfig", {"10-mine": "a = 1\n1 / 0\n"}))

        last = raised.traceback[-1]
        assert (str(last.path), last.lineno) == ("hub.extraConfig.10-mine", 1)

    def test_explicit_null_command_leaves_it_to_the_image(self, configure_hub: Any) -> None:
        assert configure_hub(LEAST).Spawner.cmd == "jupyterhub-singleuser"
        assert configure_hub(with_least("singleuser.cmd", None)).Spawner.cmd is None


class TestThePlatformsOwnHubCode:
    def test_prepares_a_pod_beside_the_charts_own_init_container(self, configure_hub: Any) -> None:
        """The chart's one is an object, as in the real chart; the platform's are dicts."""
        values = changed(hub_values(make_settings()), "singleuser.cloudMetadata.blockWithIptables", True)
        set_up = configure_hub(values).KubeSpawner
        spawner = SimpleNamespace(
            user=SimpleNamespace(name="alice", groups=[]),
            environment=set_up.environment,
            volumes=set_up.volumes,
            volume_mounts=set_up.volume_mounts,
            init_containers=set_up.init_containers,
        )
        set_up.pre_spawn_hook(spawner)
        block, *others = spawner.init_containers

        assert block.name == "block-cloud-metadata"
        assert [made["name"] for made in others] == ["qhub-prepare"]
        assert {mount["name"] for mount in spawner.volume_mounts.values()} <= set(spawner.volumes)


def test_the_real_programs_read_it_and_make_a_pod(tmp_path: Path) -> None:
    """With JupyterHub and KubeSpawner themselves; `tests/unit/hub` looks at what they make."""
    folder = tmp_path / "hub"
    folder.mkdir()
    unpack_hub(render("jupyterhub", hub_values(make_settings()), namespace="team"), folder)
    program = Path(__file__).parent / "spawn_once.py"
    done = subprocess.run(
        [sys.executable, str(program), str(folder)],
        cwd=tmp_path,
        env={**os.environ, **ENVIRONMENT, "CONFIGPROXY_AUTH_TOKEN": "c2" * 32, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
    assert "jupyter-alice" in done.stdout
