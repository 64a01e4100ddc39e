"""What the contract charts refuse, and that they say what."""

from __future__ import annotations

import pytest

from tests.unit.charts.rendering import changed, every_key, refusal

#: Chart, path of a key that it does not know.
UNKNOWN = [
    ("jupyterhub", "cul"),
    ("jupyterhub", "hub.nodeSelektor"),
    ("jupyterhub", "singleuser.storage.static.claim"),
    ("jupyterhub", "hub.networkPolicy.egressAllowRules.everything"),
    ("dask-gateway", "getaway"),
    ("dask-gateway", "gateway.auth.jupyterhub.apiTokan"),
    ("dask-gateway", "traefik.service.ports.udp"),
    ("cert-manager", "installCRD"),
    ("cert-manager", "webhook.replicas"),
    ("cert-manager", "global.leaderElection.nameSpace"),
    ("ingress-nginx", "controler"),
    ("ingress-nginx", "controller.publishService.path"),
    ("ingress-nginx", "controller.admissionWebhooks.patch.nodeselector"),
    ("traefik", "deploy"),
    ("traefik", "providers.kubernetesIngressNginx"),
    ("traefik", "ports.web.exposed"),
    ("kube-prometheus-stack", "prometheus.prometheusSpec.retentionsize"),
    ("kube-prometheus-stack", "grafana.adminPassword"),
]

#: Chart, path, value of a wrong kind or out of range.
WRONG = [
    ("jupyterhub", "cull.timeout", "1h"),
    ("jupyterhub", "hub.db.type", "sqlite"),
    ("jupyterhub", "singleuser.memory.limit", "2Gi"),
    ("jupyterhub", "hub.config.jupyterHub", {"admin_access": True}),
    ("jupyterhub", "proxy.service.type", "LoadBalancr"),
    ("jupyterhub", "fullnameOverride", "mine"),
    ("dask-gateway", "gateway.auth.type", "jupyter"),
    ("dask-gateway", "gateway.backend.environment", {"A": 1}),
    ("dask-gateway", "gateway.prefix", "services/dask-gateway"),
    ("cert-manager", "crds.enabled", "yes"),
    ("ingress-nginx", "controller.config", {"use-proxy-protocol": True}),
    ("ingress-nginx", "controller.publishService.pathOverride", "ingress"),
    ("ingress-nginx", "tcp", {"ssh": "qhub/ssh:22"}),
    ("traefik", "deployment.replicas", "two"),
    ("cluster-autoscaler", "autoscalingGroups", [{"name": "a", "minSize": 1}]),
    ("cluster-autoscaler", "autoscalingGroups", [{"name": "a", "minSize": 1, "maxSize": 2, "region": "b"}]),
    ("traefik", "ports.web.port", 0),
    ("traefik", "ingressRoute.dashboard.enabled", True),
    ("kube-prometheus-stack", "grafana.env", {"GF_USERS_ALLOW_SIGN_UP": False}),
]

#: Chart, path: what the real chart does unless told otherwise, and the contract chart cannot do.
NOT_HERE = [
    ("jupyterhub", "scheduling.userScheduler.enabled"),
    ("jupyterhub", "prePuller.hook.enabled"),
    ("jupyterhub", "prePuller.continuous.enabled"),
    ("traefik", "providers.kubernetesCRD.enabled"),
    ("kube-prometheus-stack", "alertmanager.enabled"),
    ("kube-prometheus-stack", "prometheusOperator.tls.enabled"),
    ("kube-prometheus-stack", "grafana.testFramework.enabled"),
]


@pytest.mark.parametrize(("chart", "path"), UNKNOWN)
def test_an_unknown_key_is_refused_by_its_name(chart: str, path: str) -> None:
    said = refusal(chart, changed(every_key(chart), path, "x"))
    *parents, last = path.split(".")

    assert f"additional properties '{last}' not allowed" in said
    assert f"'/{'/'.join(parents)}'" in said or not parents


@pytest.mark.parametrize(("chart", "path", "value"), WRONG)
def test_a_wrong_value_is_refused_at_its_place(chart: str, path: str, value: object) -> None:
    said = refusal(chart, changed(every_key(chart), path, value))
    # A refused name of a key is told at the map that holds it.
    place = path.replace(".", "/") if path != "hub.config.jupyterHub" else "hub/config"

    assert f"at '/{place}" in said


@pytest.mark.parametrize(("chart", "path"), NOT_HERE)
def test_what_the_real_chart_does_by_default_and_this_one_cannot_is_refused(chart: str, path: str) -> None:
    said = refusal(chart, changed(every_key(chart), path, True))

    assert f"{path} is true, which is the real chart's default" in said
    assert "set it to false" in said


def test_another_way_to_sign_in_at_the_gateway_is_refused() -> None:
    said = refusal("dask-gateway", changed(every_key("dask-gateway"), "gateway.auth.type", "simple"))

    assert "gateway.auth.type is simple" in said
    assert "set it to jupyterhub" in said


def test_keys_that_undo_each_other_are_refused() -> None:
    both = changed(every_key("jupyterhub"), "singleuser.networkPolicy.egressAllowRules.cloudMetadataServer", True)

    assert "one blocks what the other opens" in refusal("jupyterhub", both)


def test_a_file_of_data_needs_a_name_that_says_its_form() -> None:
    values = changed(every_key("jupyterhub"), "singleuser.extraFiles", {"a": {"mountPath": "/etc/a", "data": {"b": 1}}})

    assert "mountPath is /etc/a: use stringData" in refusal("jupyterhub", values)


def test_an_autoscaler_without_a_node_group_is_refused() -> None:
    values = every_key("cluster-autoscaler") | {"autoDiscovery": {"clusterName": None}, "autoscalingGroups": []}

    assert "the autoscaler would find no node group" in refusal("cluster-autoscaler", values)


def test_bounds_that_end_the_autoscaler_are_refused() -> None:
    values = changed(every_key("cluster-autoscaler"), "autoscalingGroups", [{"name": "a", "minSize": 3, "maxSize": 1}])

    assert "a has minSize 3 above maxSize 1" in refusal("cluster-autoscaler", values)
