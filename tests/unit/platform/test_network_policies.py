"""Who reaches what, by each kind of network plug-in there is."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from qhub.clouds.node_pools import node_pools
from qhub.platform import environments
from qhub.platform.dask_gateway import cluster_policy_spec
from qhub.platform.monitoring import policy_spec
from tests.unit.charts.rendering import render
from tests.unit.platform.building import all_values, hub_values, make_settings
from tests.unit.platform.plugins import PLUGINS, Place, Plugin, reaches

SETTINGS = make_settings(monitoring={"enabled": True}, namespace={"name": "team"})
INSIDE, OUTSIDE = "10.1.2.3", "203.0.113.7"
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


def rules_of(spec: Any) -> list[Any]:
    return spec["egress"]


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


#: Destination -> ports that are reached by any plug-in, those reached where ranges are known, those never reached.
NEARLY_EVERYWHERE: dict[str, tuple[Place, set[int], set[int], set[int]]] = {
    "a pod of another namespace": (
        Place(INSIDE, {"app": "anything"}, {"kubernetes.io/metadata.name": "other"}),
        {53, 80, 443},
        {22, 8080},
        {2049},
    ),
    "outside": (Place(OUTSIDE), {53, 80, 443}, {22, 8080, 65535}, {2049}),
    "outside, by IPv6": (Place("2001:db8::7"), {53, 80, 443}, {22, 8080}, {2049}),
    "the metadata service": (Place("169.254.169.254"), {53}, set(), {80, 443, 8080, 2049}),
    "the metadata service of AWS by IPv6": (Place("fd00:ec2::254"), set(), set(), {53, 80, 443, 2049}),
}


@each_plugin
@pytest.mark.parametrize("where", NEARLY_EVERYWHERE)
@pytest.mark.parametrize("spec", [cluster_policy_spec(), environments.policy_spec()], ids=["Dask", "environments"])
def test_pods_that_run_what_others_sent_go_nearly_everywhere(spec: Any, where: str, plugin: Plugin) -> None:
    place, always, with_ranges, never = NEARLY_EVERYWHERE[where]
    rules = rules_of(spec)
    reached = {port for port in always | with_ranges | never if reaches(rules, place, port, plugin)}

    assert reached == always | (with_ranges if plugin.ranges else set())
    # NFS version 3 speaks UDP as well.
    assert not reaches(rules, place, 2049, plugin, "UDP")
    assert reaches(rules, place, 53, plugin, "UDP") is (53 in always)


@each_plugin
@pytest.mark.parametrize(
    "labels",
    [
        {"gateway.dask.org/cluster": "3f2a", "app.kubernetes.io/component": "dask-worker"},
        {"app.kubernetes.io/name": "dask-gateway", "app.kubernetes.io/component": "api"},
    ],
)
def test_dask_clusters_reach_their_own_and_the_gateway_at_any_port(labels: dict[str, str], plugin: Plugin) -> None:
    # 8786 and 8787 of the scheduler, 8000 of the gateway; workers draw theirs.
    for port in (8000, 8786, 8787, 41235):
        assert reaches(rules_of(cluster_policy_spec()), Place(INSIDE, labels, same_namespace=True), port, plugin)


def test_the_policy_of_environments_is_that_of_their_jobs() -> None:
    settings = make_settings(environments={"named": {"geo": {"packages": ["geo==1.0"]}}})
    pool = node_pools(settings.cluster.pools)["user"]
    job: Any = environments.job_spec(settings, "geo", claim_name="home", pool=pool)
    policy: Any = environments.policy_spec()

    assert policy["policy_types"] == ["Egress"]
    assert policy["pod_selector"]["match_labels"].items() <= job["template"]["metadata"]["labels"].items()
