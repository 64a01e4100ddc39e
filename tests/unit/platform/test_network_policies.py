"""Who reaches what, by each kind of network plug-in there is."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from qhub.platform.monitoring import policy_spec
from tests.unit.charts.rendering import render
from tests.unit.platform.building import all_values, hub_values, make_settings
from tests.unit.platform.plugins import PLUGINS, Place, Plugin, reaches

SETTINGS = make_settings(monitoring={"enabled": True}, namespace={"name": "team"})
INSIDE = "10.1.2.3"
API_SERVER = Place("10.0.0.5", node=True)

#: What the hub's proxy hands on to: chart, workload, namespace, port of its pods.
SERVICES = {
    "Dask Gateway": ("dask-gateway", "traefik-dask-gateway", "team", 8000),
    "Grafana": ("kube-prometheus-stack", "kube-prometheus-stack-grafana", "team-monitoring", 3000),
}

each_plugin = pytest.mark.parametrize("plugin", PLUGINS.values(), ids=PLUGINS)
each_service = pytest.mark.parametrize("service", SERVICES)


@cache
def pod_of(chart: str, workload: str, namespace: str) -> tuple[Place, set[int]]:
    """Return where the pods of a workload are, as the hub's namespace sees them, and what they listen on."""
    objects = render(chart, all_values(SETTINGS)[chart], namespace=namespace)
    template = objects["Deployment", workload]["spec"]["template"]
    ports = {port["containerPort"] for one in template["spec"]["containers"] for port in one.get("ports", [])}
    name = {"kubernetes.io/metadata.name": namespace}
    return Place(INSIDE, template["metadata"]["labels"], name, same_namespace=namespace == "team"), ports


@cache
def egress(policy: str, *, services: bool = True) -> list[Any]:
    """Return the egress rules of a policy of chart jupyterhub, with all services of the proxy or with none."""
    settings = SETTINGS if services else make_settings(dask={"enabled": False})
    return render("jupyterhub", hub_values(settings), namespace="team")["NetworkPolicy", policy]["spec"]["egress"]


class TestServicesBehindTheProxy:
    """By default the chart lets proxy and hub out to other pods by address ranges, which Cilium keeps for outside."""

    @each_plugin
    @each_service
    @pytest.mark.parametrize("policy", ["hub", "proxy"])
    def test_are_reached(self, policy: str, service: str, plugin: Plugin) -> None:
        *where, port = SERVICES[service]
        place, ports = pod_of(*where)

        assert port in ports
        assert reaches(egress(policy), place, port, plugin)

    @each_service
    def test_are_not_opened_where_they_are_not_there(self, service: str) -> None:
        *where, port = SERVICES[service]

        assert not reaches(egress("proxy", services=False), pod_of(*where)[0], port, PLUGINS["Cilium"])

    @pytest.mark.parametrize("workload", ["hub", "proxy"])
    def test_grafana_lets_both_in(self, workload: str) -> None:
        spec: Any = policy_spec("team")
        let_in = [{"to": rule["from_"], "ports": rule["ports"]} for rule in spec["ingress"] if "ports" in rule]
        caller, _ = pod_of("jupyterhub", workload, "team")

        assert reaches(let_in, caller, 3000, PLUGINS["Cilium"])


@each_plugin
@pytest.mark.parametrize("port", [443, 6443])
def test_the_hub_reaches_an_api_server_that_runs_on_a_node(port: int, plugin: Plugin) -> None:
    assert reaches(egress("hub"), API_SERVER, port, plugin)
