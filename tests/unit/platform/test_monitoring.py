"""Monitoring: what Prometheus finds, who is let in, and dashboards that ask for what there is."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import Any

import pytest

from qhub.platform.dashboards import COLUMNS, dashboards
from qhub.platform.jupyterhub_values import JupyterHubSecrets
from qhub.platform.monitoring_values import POD_LABELS, PROXY_METRICS_PORT
from tests.unit.charts.rendering import render
from tests.unit.platform.building import SECRETS, all_values, hub_values, make_settings
from tests.unit.platform.reference import needs_reference, schema_errors, unknown_keys

MONITORED = make_settings(monitoring={"enabled": True}, namespace={"name": "team"})
TOKENS = JupyterHubSecrets(
    cookie_secret=SECRETS.cookie_secret,
    crypt_key=SECRETS.crypt_key,
    proxy_token=SECRETS.proxy_token,
    dask_gateway_token=SECRETS.dask_gateway_token,
    metrics_token="d0" * 32,
    grafana_token="d1" * 32,
)
#: Measurements that something in a monitored stack tells: JupyterHub 5 and Dask by their own names, kube-state-metrics
#: and the kubelet by those that the chart's own dashboards ask for as well.
MEASUREMENTS = {
    *(f"jupyterhub_{name}" for name in ("running_servers", "total_users", "active_users")),
    *(
        f"jupyterhub_{name}_seconds_{part}"
        for name in ("server_spawn_duration", "request_duration", "event_loop_interval", "proxy_add_duration")
        for part in ("bucket", "count")
    ),
    *(f"dask_scheduler_{name}" for name in ("workers", "tasks")),
    "kube_pod_labels",
    "kube_node_labels",
    "kube_pod_status_phase",
    "kube_node_status_allocatable",
    "kube_pod_container_resource_requests",
    "container_memory_working_set_bytes",
    "container_cpu_usage_seconds_total",
    "kubelet_volume_stats_used_bytes",
    "kubelet_volume_stats_capacity_bytes",
}


def hub() -> dict[str, Any]:
    return hub_values(MONITORED, secrets=TOKENS)


class TestTheHubLetsPrometheusIn:
    def test_with_a_token_that_may_read_measurements_and_nothing_else(self) -> None:
        values = hub()["hub"]

        assert values["services"]["prometheus"]["apiToken"] == TOKENS.metrics_token
        assert values["loadRoles"]["prometheus"] == {"scopes": ["read:metrics"], "services": ["prometheus"]}
        # What Dask Gateway needs is still there.
        assert {"dask-gateway", "grafana"} <= values["services"].keys()
        assert {"user", "server"} <= values["loadRoles"].keys()

    def test_from_its_own_namespace_alone(self) -> None:
        objects = render("jupyterhub", hub(), namespace="team")
        for policy, port in (("hub", "http"), ("proxy", PROXY_METRICS_PORT)):
            rule = objects["NetworkPolicy", policy]["spec"]["ingress"][-1]
            selector = rule["from"][0]["namespaceSelector"]["matchLabels"]

            assert selector == {"kubernetes.io/metadata.name": "team-monitoring"}
            assert [one["port"] for one in rule["ports"]] == [port]

    def test_at_a_port_of_the_proxy_that_answers(self) -> None:
        (container,) = render("jupyterhub", hub(), namespace="team")["Deployment", "proxy"]["spec"]["template"]["spec"][
            "containers"
        ]

        assert f"--metrics-port={PROXY_METRICS_PORT}" in container["command"] + container.get("args", [])

    def test_servers_say_which_profile_they_are_of(self) -> None:
        profiles = hub()["custom"]["qhub"]["profiles"]

        assert [one["kubespawner_override"]["extra_labels"] for one in profiles] == [
            {"qhub.dev/profile": "small"},
            {"qhub.dev/profile": "medium"},
        ]


class TestWhatPrometheusLooksFor:
    """A monitor whose labels match nothing measures nothing, and nobody is told."""

    def pods(self) -> dict[str, dict[str, Any]]:
        """Return labels and ports of the pods of every chart, by the name of the workload."""
        values = {**all_values(MONITORED), "jupyterhub": hub()}
        made = {}
        for chart in ("jupyterhub", "dask-gateway", "traefik"):
            for (_, name), item in render(chart, values[chart], namespace="team").items():
                if "template" in item.get("spec", {}):
                    template = item["spec"]["template"]
                    ports = {port["name"] for one in template["spec"]["containers"] for port in one.get("ports", [])}
                    made[f"{chart}/{name}"] = {"labels": template["metadata"]["labels"], "ports": ports}
        return made

    def test_is_there(self) -> None:
        pods = self.pods()
        found = {}
        for monitor in all_values(MONITORED)["kube-prometheus-stack"]["prometheus"]["additionalPodMonitors"]:
            wanted = monitor["selector"].get("matchLabels")
            (endpoint,) = monitor["podMetricsEndpoints"]
            if wanted is not None:
                found[monitor["name"]] = [
                    name
                    for name, pod in pods.items()
                    if wanted.items() <= pod["labels"].items() and endpoint["port"] in pod["ports"]
                ]

        assert found == {
            "qhub-dask-gateway": ["dask-gateway/traefik-dask-gateway"],
            "qhub-ingress": ["traefik/traefik"],
            "qhub-proxy": ["jupyterhub/proxy"],
        }

    def test_the_hubs_service_is_there_too(self) -> None:
        (monitor,) = all_values(MONITORED)["kube-prometheus-stack"]["prometheus"]["additionalServiceMonitors"]
        service = render("jupyterhub", hub(), namespace="team")["Service", "hub"]

        assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        assert monitor["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}
        assert monitor["namespaceSelector"] == {"matchNames": ["team"]}

    def test_dask_clusters_only_where_there_are_some(self) -> None:
        settings = make_settings(monitoring={"enabled": True}, dask={"enabled": False})
        monitors = all_values(settings)["kube-prometheus-stack"]["prometheus"]["additionalPodMonitors"]

        assert [one["name"] for one in monitors] == ["qhub-ingress", "qhub-proxy"]


@pytest.mark.parametrize(
    ("written", "kept"), [({}, "16384MB"), ({"storage": "50Gi", "retention_size": "1Gi"}, "1024MB")]
)
def test_measurements_never_fill_their_disk(written: dict[str, Any], kept: str) -> None:
    settings = make_settings(monitoring={"enabled": True, **written})
    spec = all_values(settings)["kube-prometheus-stack"]["prometheus"]["prometheusSpec"]

    assert spec["retentionSize"] == kept
    assert (
        spec["storageSpec"]["volumeClaimTemplate"]["spec"]["resources"]["requests"]["storage"]
        == settings.monitoring.storage
    )


def test_grafana_is_where_the_hubs_proxy_sends_people() -> None:
    env = all_values(MONITORED)["kube-prometheus-stack"]["grafana"]["env"]
    service = hub()["hub"]["services"]["grafana"]

    assert env["GF_SERVER_ROOT_URL"] == "https://qhub.localhost/services/grafana/"
    assert service["url"] == "http://kube-prometheus-stack-grafana.team-monitoring"
    values = all_values(MONITORED)["kube-prometheus-stack"]
    assert ("Service", "kube-prometheus-stack-grafana") in render("kube-prometheus-stack", values)


@needs_reference
def test_the_real_charts_take_the_values_of_a_monitored_stack() -> None:
    values = {**all_values(MONITORED), "jupyterhub": hub()}

    assert schema_errors("jupyterhub", values["jupyterhub"]) == []
    assert schema_errors("dask-gateway", values["dask-gateway"]) == []
    assert unknown_keys("kube-prometheus-stack", values["kube-prometheus-stack"]) == []


MADE = {name: json.loads(text) for name, text in dashboards("team").items()}


class TestDashboards:
    def expressions(self) -> list[str]:
        return [query["expr"] for one in MADE.values() for panel in one["panels"] for query in panel["targets"]]

    def test_ask_for_measurements_that_there_are(self) -> None:
        named = {
            word
            for expression in self.expressions()
            for word in re.findall(r"\b(?:jupyterhub|dask|kube|kubelet|container)_\w+(?=[{\[)]| \*| /|$)", expression)
        }

        assert named - MEASUREMENTS == set()
        assert len(named) > 12

    def test_ask_for_labels_that_are_collected(self) -> None:
        asked = set(re.findall(r"\blabel_\w+", " ".join(self.expressions())))
        collected = {"label_" + re.sub(r"\W", "_", label) for label in (*POD_LABELS, "qhub.dev/pool")}

        assert asked <= collected

    def test_brackets_close(self) -> None:
        for expression in self.expressions():
            bare = re.sub(r'"[^"]*"', "", expression)
            assert [bare.count(one) for one in "([{"] == [bare.count(one) for one in ")]}"], expression

    @pytest.mark.parametrize("name", MADE)
    def test_panels_do_not_cover_each_other(self, name: str) -> None:
        places = [panel["gridPos"] for panel in MADE[name]["panels"]]

        assert all(place["x"] + place["w"] <= COLUMNS for place in places)
        for one, other in combinations(places, 2):
            beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
            above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
            assert beside or above, (one, other)

    def test_speak_of_the_namespace_of_this_stack(self) -> None:
        assert 'namespace="team"' in " ".join(self.expressions())
        assert len({one["uid"] for one in MADE.values()}) == len(MADE) == 3
