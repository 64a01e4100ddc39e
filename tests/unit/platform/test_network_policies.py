"""Who reaches what, by each kind of network plug-in there is."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from qhub.clouds.node_pools import node_pools
from qhub.platform import environments
from qhub.platform.dask_gateway import cluster_policy_spec, scheduler_policy_spec
from qhub.platform.merging import deep_merge
from qhub.platform.monitoring import policy_spec
from tests.unit.charts.rendering import render
from tests.unit.platform.building import all_values, hub_values, make_settings
from tests.unit.platform.plugins import PLUGINS, Place, Plugin, callers, reaches

SETTINGS = make_settings(monitoring={"enabled": True}, namespace={"name": "team"})
INSIDE, OUTSIDE = "10.1.2.3", "203.0.113.7"
API_SERVER = Place("10.0.0.5", node=True)

#: What the hub's proxy hands on to: chart, workload, namespace, port of its pods.
SERVICES = {
    "Dask Gateway": ("dask-gateway", "traefik-dask-gateway", "team", 8000),
    "Grafana": ("kube-prometheus-stack", "kube-prometheus-stack-grafana", "team-monitoring", 3000),
}

#: The gateway gives the pods of clusters its own name too (`common_labels` of dask-gateway-server).
OF_A_CLUSTER = {"app.kubernetes.io/name": "dask-gateway", "gateway.dask.org/cluster": "3f2a"}

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
        let_in = [rule for rule in callers(policy_spec("team")) if "ports" in rule]
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


#: How the file server is to be kept from notebooks -> sections of the settings.
FILE_SERVERS: dict[str, dict[str, Any]] = {
    "ours, on a cluster of one's own": {},
    "somebody's, at any address": {"storage": {"kind": "managed", "server": "files.example.org"}},
    "Azure Files": {"cluster": {"provider": "azure", "region": "westeurope"}, "storage": {"kind": "managed"}},
    "somebody's, on Google Cloud": {
        "cluster": {"provider": "gcp", "project": "my-team-1234", "region": "europe-west1"},
        "storage": {"kind": "managed", "server": "130.83.1.2", "path": "/homes"},
    },
    "a claim of somebody's, on DigitalOcean": {
        "cluster": {"provider": "digitalocean", "region": "fra1"},
        "storage": {"kind": "existing-claim", "claim_name": "homes"},
    },
}
#: Those where every port of the internet is open: no file server of ours has such an address there.
APART = {
    "Filestore": {
        "cluster": {"provider": "gcp", "project": "my-team-1234", "region": "europe-west1"},
        "storage": {"kind": "managed", "size": "1Ti"},
    },
    "ours, on DigitalOcean": {"cluster": {"provider": "digitalocean", "region": "fra1"}},
}
POD_OF_THE_NFS_SERVER = {"app.kubernetes.io/name": "nfs-server"}, {"kubernetes.io/metadata.name": "team-storage"}


class TestNotebooks:
    """What a program that speaks NFS by itself could read from a notebook: every home."""

    @staticmethod
    @cache
    def egress(server: str) -> list[Any]:
        values = hub_values(make_settings(**(FILE_SERVERS | APART)[server]))
        return render("jupyterhub", values, namespace="team")["NetworkPolicy", "singleuser"]["spec"]["egress"]

    @each_plugin
    @pytest.mark.parametrize("server", FILE_SERVERS)
    def test_never_reach_a_file_server_wherever_it_is(self, server: str, plugin: Plugin) -> None:
        # Azure Files with its service endpoint, a university's own, EFS of a network in the shared range.
        outside = [Place("20.60.1.2"), Place("130.83.1.2"), Place("100.64.3.9"), Place("10.1.3.9")]
        pods = [Place(address, *POD_OF_THE_NFS_SERVER) for address in ("10.1.3.9", "100.64.3.9", "130.83.1.2")]
        reached = [
            (place.address, protocol)
            for place in (*outside, *pods)
            for protocol in ("TCP", "UDP")
            if reaches(self.egress(server), place, 2049, plugin, protocol)
        ]

        assert not reached

    @pytest.mark.parametrize("server", APART)
    @pytest.mark.parametrize("plugin", ["Cilium", "old Cilium"])
    def test_reach_every_port_where_no_file_server_has_an_address_of_the_internet(
        self, server: str, plugin: str
    ) -> None:
        rules, applied = self.egress(server), PLUGINS[plugin]
        shared = [Place("100.64.3.9"), Place("10.1.3.9"), Place("130.83.1.2", *POD_OF_THE_NFS_SERVER)]

        assert all(reaches(rules, Place("20.60.1.2"), port, applied) for port in (22, 4222, 27017, 50000))
        assert not any(reaches(rules, place, port, applied) for place in shared for port in (2049, 443))

    @each_plugin
    @pytest.mark.parametrize("server", FILE_SERVERS)
    def test_reach_the_internet(self, server: str, plugin: Plugin) -> None:
        rules, outside = self.egress(server), Place("20.60.1.2")

        assert all(reaches(rules, outside, port, plugin) for port in (22, 80, 443, 5432, 8080))
        assert all(reaches(rules, outside, port, plugin, "UDP") for port in (53, 123, 443))
        assert reaches(rules, outside, 4222, plugin) is plugin.ranges
        assert not any(reaches(rules, Place("169.254.169.254"), port, plugin) for port in (80, 443))

    @each_plugin
    @pytest.mark.parametrize("address", ["10.0.0.2", "100.64.0.2", "169.254.169.254", "203.0.113.53"])
    def test_find_names_wherever_these_are_kept(self, address: str, plugin: Plugin) -> None:
        rules = self.egress("ours, on a cluster of one's own")

        assert all(reaches(rules, Place(address), 53, plugin, protocol) for protocol in ("TCP", "UDP"))

    @pytest.mark.parametrize("opened", [True, False])
    def test_overrides_of_the_charts_own_rule_have_the_last_word(self, opened: bool) -> None:
        overrides = {"singleuser": {"networkPolicy": {"egressAllowRules": {"nonPrivateIPs": opened}}}}
        values = hub_values(make_settings(charts={"jupyterhub": {"overrides": overrides}}))
        rules = render("jupyterhub", deep_merge(values, overrides))["NetworkPolicy", "singleuser"]["spec"]["egress"]

        assert reaches(rules, Place(OUTSIDE), 443, PLUGINS["by the book"]) is opened

    def test_fit_into_what_eks_takes_for_one_range_of_addresses(self) -> None:
        ports = [len(rule["ports"]) for rule in self.egress("ours, on a cluster of one's own") if "ports" in rule]

        assert max(ports) <= 24


@each_plugin
@pytest.mark.parametrize(
    "labels",
    [
        {**OF_A_CLUSTER, "app.kubernetes.io/component": "dask-worker"},
        {"app.kubernetes.io/name": "dask-gateway", "app.kubernetes.io/component": "api"},
    ],
)
def test_dask_clusters_reach_their_own_and_the_gateway_at_any_port(labels: dict[str, str], plugin: Plugin) -> None:
    # 8786 and 8787 of the scheduler, 8000 of the gateway; workers draw theirs.
    for port in (8000, 8786, 8787, 41235):
        assert reaches(rules_of(cluster_policy_spec()), Place(INSIDE, labels, same_namespace=True), port, plugin)


class TestSchedulers:
    """A dashboard asks nobody who they are: no worker, which runs what its user sends, sees that of another person."""

    WORKER = Place("10.1.2.9", {**OF_A_CLUSTER, "app.kubernetes.io/component": "dask-worker"}, same_namespace=True)
    PROMETHEUS = Place("10.1.2.8", {"app": "prometheus"}, {"kubernetes.io/metadata.name": "team-monitoring"})

    @each_plugin
    def test_let_workers_in_at_the_port_with_tls_alone(self, plugin: Plugin) -> None:
        rules = callers(scheduler_policy_spec(SETTINGS))

        assert [port for port in (8786, 8787, 8788) if reaches(rules, self.WORKER, port, plugin)] == [8786]

    @each_plugin
    @pytest.mark.parametrize("part", ["traefik", "api", "controller"])
    def test_let_the_gateway_in(self, part: str, plugin: Plugin) -> None:
        rules = callers(scheduler_policy_spec(SETTINGS))
        gateway, _ = pod_of("dask-gateway", f"{part}-dask-gateway", "team")

        assert all(reaches(rules, gateway, port, plugin) for port in (8786, 8787, 8788))

    @each_plugin
    @pytest.mark.parametrize("monitored", [True, False])
    def test_let_prometheus_in_where_there_is_one(self, monitored: bool, plugin: Plugin) -> None:
        settings = make_settings(monitoring={"enabled": monitored}, namespace={"name": "team"})
        rules = callers(scheduler_policy_spec(settings))

        assert [port for port in (8786, 8787, 8788) if reaches(rules, self.PROMETHEUS, port, plugin)] == (
            [8787] if monitored else []
        )


def test_the_policy_of_environments_is_that_of_their_jobs() -> None:
    settings = make_settings(environments={"named": {"geo": {"packages": ["geo==1.0"]}}})
    pool = node_pools(settings.cluster.pools)["user"]
    job: Any = environments.job_spec(settings, "geo", claim_name="home", pool=pool)
    policy: Any = environments.policy_spec()

    assert policy["policy_types"] == ["Egress"]
    assert policy["pod_selector"]["match_labels"].items() <= job["template"]["metadata"]["labels"].items()
