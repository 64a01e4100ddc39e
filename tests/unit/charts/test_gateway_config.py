"""The Dask gateway's configuration, from the values to the options of dask-gateway-server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.charts.hub_program import Configuration, run
from tests.unit.charts.rendering import changed, every_key, render
from tests.unit.platform.building import dask_values, make_settings


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def configured(
        values: dict[str, Any], part: str = "api", environment: dict[str, str] | None = None
    ) -> Configuration:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        for name, text in render("dask-gateway", values)["ConfigMap", f"{part}-dask-gateway"]["data"].items():
            (folder / name).write_text(text, encoding="utf-8")
        return run(folder / "dask_gateway_config.py", environment or {}, monkeypatch)

    return configured


class TestTheApi:
    def test_asks_the_hub_about_users_for_this_very_service(self, configure: Any) -> None:
        c = configure(every_key("dask-gateway"))

        assert c.DaskGateway.authenticator_class == "dask_gateway_server.auth.JupyterHubAuthenticator"
        assert c.JupyterHubAuthenticator == {
            "jupyterhub_api_url": "http://hub.team:8081/hub/api",
            "jupyterhub_service_name": "dask-gateway",
        }

    def test_finds_the_hub_by_its_service_where_no_address_is_given(self, configure: Any) -> None:
        values = changed(every_key("dask-gateway"), "gateway.auth.jupyterhub.apiUrl", None)
        c = configure(values, environment={"HUB_SERVICE_HOST": "192.0.2.7", "HUB_SERVICE_PORT": "8081"})

        assert c.JupyterHubAuthenticator.jupyterhub_api_url == "http://192.0.2.7:8081/hub/api"

    def test_says_what_to_set_where_there_is_no_hub(self, configure: Any) -> None:
        values = changed(every_key("dask-gateway"), "gateway.auth.jupyterhub.apiUrl", None)

        with pytest.raises(ValueError, match=r"set gateway\.auth\.jupyterhub\.apiUrl"):
            configure(values)

    def test_has_the_defaults_of_clusters(self, configure: Any) -> None:
        cluster = configure(changed(every_key("dask-gateway"), "gateway.extraConfig", {})).KubeClusterConfig

        assert cluster == {
            "image": "registry.example.org/dask:2",
            "image_pull_policy": "Never",
            "image_pull_secrets": [{"name": "registry"}],
            "namespace": "clusters",
            "environment": {"A": "b"},
            "scheduler_cores": 0.1,
            "scheduler_cores_limit": 1,
            "scheduler_memory": "512M",
            "scheduler_memory_limit": "2G",
            "scheduler_extra_pod_config": {"nodeSelector": {"pool": "general"}},
            "scheduler_extra_container_config": {"env": []},
            "worker_cores": 1,
            "worker_cores_limit": 2,
            "worker_memory": "2G",
            "worker_memory_limit": "4G",
            "worker_threads": 2,
            "worker_extra_pod_config": {"nodeSelector": {"pool": "worker"}},
            "worker_extra_container_config": {"env": []},
        }

    def test_leaves_what_the_values_leave_open_to_the_program(self, configure: Any) -> None:
        values = {"gateway": {"auth": {"type": "jupyterhub", "jupyterhub": {"apiUrl": "http://hub"}}}}
        cluster = configure(values).KubeClusterConfig

        assert not {"namespace", "worker_cores", "scheduler_memory", "worker_threads"} & set(cluster)

    def test_runs_extra_config_last_in_the_order_of_its_names(self, configure: Any) -> None:
        cluster = configure(every_key("dask-gateway")).KubeClusterConfig

        assert cluster.idle_timeout == 102
        assert cluster.environment["PREFIX"] == "/services/dask-gateway"

    def test_runs_extra_config_that_is_one_text(self, configure: Any) -> None:
        values = changed(every_key("dask-gateway"), "gateway.extraConfig", "c.KubeClusterConfig.idle_timeout = 5\n")

        assert configure(values).KubeClusterConfig.idle_timeout == 5

    def test_is_known_to_controller_and_schedulers_by_its_service(self, configure: Any) -> None:
        api = configure(every_key("dask-gateway"))
        controller = configure(every_key("dask-gateway"), part="controller")

        assert api.KubeBackend.api_url == controller.KubeController.api_url == "http://api-dask-gateway.qhub:8000/api"
        assert api.KubeBackend.gateway_instance == controller.KubeController.gateway_instance == "dask-gateway"


class TestTheController:
    def test_strips_the_prefix_by_the_middleware_that_the_chart_makes(self, configure: Any) -> None:
        values = every_key("dask-gateway")
        controller = configure(values, part="controller").KubeController
        (middleware,) = controller.proxy_web_middlewares

        assert ("Middleware", middleware["name"]) in render("dask-gateway", values)
        assert middleware["namespace"] == "qhub"
        assert controller.proxy_prefix == "/services/dask-gateway"

    def test_takes_whole_numbers_however_they_are_written(self, configure: Any) -> None:
        # Pulumi sends every number as a float.
        values = changed(every_key("dask-gateway"), "controller.k8sApiRateLimit", 5.0)
        controller = configure(values, part="controller").KubeController

        assert controller.k8s_api_rate_limit == 5
        assert isinstance(controller.k8s_api_rate_limit, int)
        assert controller.completed_cluster_max_age == 60

    def test_shares_the_port_only_where_told_to(self, configure: Any) -> None:
        apart = every_key("dask-gateway")
        together = changed(apart, "traefik.service.ports.tcp.port", "web")

        assert "proxy_tcp_entrypoint" not in configure(apart, part="controller").KubeController
        assert configure(together, part="controller").KubeController.proxy_tcp_entrypoint == "web"
        assert self.ports(apart) == {"web": 8080, "tcp": 8786}
        assert self.ports(together) == {"web": 8080}

    def ports(self, values: dict[str, Any]) -> dict[str, int]:
        ports = render("dask-gateway", values)["Service", "traefik-dask-gateway"]["spec"]["ports"]
        return {port["name"]: port["port"] for port in ports}


class TestTheToken:
    def test_is_in_the_secret_alone(self) -> None:
        objects = render("dask-gateway", every_key("dask-gateway"))
        others = {key: item for key, item in objects.items() if key[0] != "Secret"}

        assert ("Secret", "api-dask-gateway") in objects
        assert "token-of-the-gateway" not in repr(others)

    def test_is_taken_from_the_hubs_secret_where_none_is_given(self) -> None:
        values = {"gateway": {"auth": {"type": "jupyterhub"}}}
        objects = render("dask-gateway", values)
        env = objects["Deployment", "api-dask-gateway"]["spec"]["template"]["spec"]["containers"][0]["env"]

        assert ("Secret", "api-dask-gateway") not in objects
        assert env[-1]["valueFrom"]["secretKeyRef"] == {"name": "hub", "key": "hub.services.dask-gateway.apiToken"}

    def test_of_another_value_restarts_the_api(self) -> None:
        first, second = (
            render("dask-gateway", changed(every_key("dask-gateway"), "gateway.auth.jupyterhub.apiToken", token))
            for token in ("one", "two")
        )
        templates = [item["Deployment", "api-dask-gateway"]["spec"]["template"] for item in (first, second)]

        assert templates[0] != templates[1]


def test_the_platforms_own_code_is_at_the_end(configure: Any) -> None:
    c = configure(dask_values(make_settings()))

    assert callable(c.Backend.cluster_options)
    assert c.KubeClusterConfig.idle_timeout
