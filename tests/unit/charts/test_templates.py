"""What the contract charts make of values."""

from __future__ import annotations

from typing import Any

import pytest

from qhub.config.charts import Charts
from qhub.platform.ingress_values import PROXY_BODY_SIZE
from tests.graph.configurations import CONFIGURATIONS
from tests.unit.charts import rendering
from tests.unit.charts.rendering import CHARTS, NAMES, chart_yaml, every_key, helm, pods, render, text
from tests.unit.platform.building import all_values, make_settings

FAULT = {"rehearsal.qhub.dev/fault": "NotReady"}

#: Where each chart takes annotations for pods, and whose pods get them.
ANNOTATIONS = [
    ("jupyterhub", "hub.annotations", ("Deployment", "hub")),
    ("jupyterhub", "proxy.annotations", ("Deployment", "proxy")),
    ("jupyterhub", "scheduling.userPlaceholder.annotations", ("StatefulSet", "user-placeholder")),
    ("dask-gateway", "gateway.annotations", ("Deployment", "api-dask-gateway")),
    ("dask-gateway", "controller.annotations", ("Deployment", "controller-dask-gateway")),
    ("dask-gateway", "traefik.annotations", ("Deployment", "traefik-dask-gateway")),
    ("cert-manager", "podAnnotations", ("Deployment", "cert-manager")),
    ("cert-manager", "webhook.podAnnotations", ("Deployment", "cert-manager-webhook")),
    ("cert-manager", "cainjector.podAnnotations", ("Deployment", "cert-manager-cainjector")),
    ("cert-manager", "startupapicheck.podAnnotations", ("Job", "cert-manager-startupapicheck")),
    ("ingress-nginx", "controller.podAnnotations", ("Deployment", "ingress-nginx-controller")),
    ("ingress-nginx", "controller.admissionWebhooks.patch.podAnnotations", ("Job", "ingress-nginx-admission-create")),
    ("traefik", "deployment.podAnnotations", ("Deployment", "traefik")),
    ("cluster-autoscaler", "podAnnotations", ("Deployment", "cluster-autoscaler-aws-cluster-autoscaler")),
    ("nvidia-device-plugin", "podAnnotations", ("DaemonSet", "nvidia-device-plugin")),
    ("kube-prometheus-stack", "prometheusOperator.podAnnotations", ("Deployment", "kube-prometheus-stack-operator")),
    ("kube-prometheus-stack", "grafana.podAnnotations", ("Deployment", "kube-prometheus-stack-grafana")),
    (
        "kube-prometheus-stack",
        "prometheus.prometheusSpec.podMetadata.annotations",
        ("StatefulSet", "prometheus-kube-prometheus-stack-prometheus"),
    ),
    (
        "kube-prometheus-stack",
        "kube-state-metrics.podAnnotations",
        ("Deployment", "kube-prometheus-stack-kube-state-metrics"),
    ),
    (
        "kube-prometheus-stack",
        "prometheus-node-exporter.podAnnotations",
        ("DaemonSet", "kube-prometheus-stack-prometheus-node-exporter"),
    ),
]


def ours(chart: str, **sections: Any) -> dict[str, Any]:
    """Return the values that the platform sends to a chart."""
    return all_values(make_settings(**sections))[chart]


class TestAContractChart:
    @pytest.mark.parametrize("chart", NAMES)
    def test_says_that_it_is_one(self, chart: str) -> None:
        about = chart_yaml(chart)

        assert about["annotations"]["qhub.dev/contract-chart"] == "true"
        assert about["description"].startswith("Contract chart of the QHub project")
        assert "NOT the chart of the" in (CHARTS / chart / "templates" / "NOTES.txt").read_text(encoding="utf-8")

    @pytest.mark.parametrize("chart", NAMES)
    def test_has_name_and_version_that_the_settings_ask_for(self, chart: str) -> None:
        wanted = getattr(Charts(), chart.replace("-", "_"))
        about = chart_yaml(chart)

        assert (about["name"], about["version"]) == (wanted.chart_name, wanted.version)

    @pytest.mark.parametrize("chart", NAMES)
    def test_passes_helms_own_check(self, chart: str) -> None:
        values = CHARTS.parents[2] / "tests" / "unit" / "charts" / "values" / f"{chart}.yaml"
        done = helm("lint", str(CHARTS / chart), "--values", str(values), "--kube-version", rendering.KUBERNETES)

        assert done.returncode == 0, done.stdout
        assert "WARNING" not in done.stdout

    @pytest.mark.parametrize("chart", NAMES)
    def test_renders_the_same_text_each_time(self, chart: str) -> None:
        values = ours(chart)
        first = text(chart, values)
        rendering._template.cache_clear()

        assert text(chart, values) == first

    @pytest.mark.parametrize("chart", NAMES)
    def test_has_no_webhook_that_nobody_would_answer(self, chart: str) -> None:
        kinds = {kind for kind, _ in render(chart, every_key(chart))}

        assert not kinds & {"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "APIService"}


class TestTheValuesOfThePlatform:
    @pytest.mark.parametrize("chart", NAMES)
    @pytest.mark.parametrize("name", CONFIGURATIONS)
    def test_are_taken(self, name: str, chart: str) -> None:
        assert pods(render(chart, all_values(make_settings(**CONFIGURATIONS[name]))[chart]))

    # The device plugin follows the GPUs instead.
    @pytest.mark.parametrize("chart", [name for name in NAMES if name != "nvidia-device-plugin"])
    def test_put_every_pod_on_the_general_pool(self, chart: str) -> None:
        pool = {"node_selector": {"team": "general"}, "tolerations": [{"key": "general", "operator": "Exists"}]}
        made = pods(render(chart, ours(chart, cluster={"node_pools": {"general": pool}})))

        for (kind, _), pod in made.items():
            if kind == "DaemonSet":
                continue  # on every node
            assert pod["spec"]["nodeSelector"]["team"] == "general"
            assert {"key": "general", "operator": "Exists"} in pod["spec"]["tolerations"]

    @pytest.mark.parametrize("chart", NAMES)
    def test_give_every_container_requests_so_that_a_quota_lets_it_in(self, chart: str) -> None:
        for key, pod in pods(render(chart, ours(chart))).items():
            for container in pod["spec"]["containers"]:
                assert container["resources"]["requests"], key

    @pytest.mark.parametrize("chart", ["ingress-nginx", "traefik"])
    def test_put_either_controller_behind_the_one_load_balancer(self, chart: str) -> None:
        (pod,) = [pod for (kind, _), pod in pods(render(chart, ours(chart))).items() if kind == "Deployment"]
        ports = {port["containerPort"] for port in pod["spec"]["containers"][0]["ports"]}
        arguments = pod["spec"]["containers"][0]["args"]

        assert pod["metadata"]["labels"]["qhub.dev/ingress"] == "true"
        assert {8000, 8443} <= ports
        assert any(argument.lower().endswith("publish-service=qhub-ingress/ingress") for argument in arguments) or any(
            argument.endswith(".publishservice=qhub-ingress/ingress") for argument in arguments
        )
        assert "--controller-class=qhub.dev/ingress" in arguments or (
            "--providers.kubernetesingressnginx.controllerClass=qhub.dev/ingress" in arguments
        )

    @pytest.mark.parametrize("entry_point", ["web", "websecure"])
    def test_let_the_largest_body_come_over_a_slow_line(self, entry_point: str) -> None:
        arguments = pods(render("traefik", ours("traefik")))["Deployment", "traefik"]["spec"]["containers"][0]["args"]
        start = f"--entryPoints.{entry_point}.transport.respondingTimeouts.readTimeout="
        (seconds,) = [int(word.removeprefix(start).rstrip("s")) for word in arguments if word.startswith(start)]
        bits = int(PROXY_BODY_SIZE.removesuffix("m")) * 8 * 2**20

        assert bits / seconds < 1_500_000

    def test_name_every_node_group_with_its_bounds_to_the_autoscaler_and_let_it_look_for_none(self) -> None:
        (pod,) = pods(render("cluster-autoscaler", ours("cluster-autoscaler"))).values()
        command = pod["spec"]["containers"][0]["command"]

        assert [word for word in command if word.startswith("--node")] == [
            "--nodes=1:3:eks-general-0a1b", "--nodes=0:10:eks-user-0a1b",
        ]  # fmt: skip
        assert "--enforce-node-group-min-size=true" in command

    def test_leave_the_class_to_the_platform(self) -> None:
        for chart in ("ingress-nginx", "traefik"):
            assert "IngressClass" not in {kind for kind, _ in render(chart, ours(chart))}


class TestAnnotationsOfPods:
    """A rehearsal makes a release fail by annotating its pods."""

    @pytest.mark.parametrize(("chart", "path", "workload"), ANNOTATIONS)
    def test_get_to_the_pods_and_no_further(self, chart: str, path: str, workload: tuple[str, str]) -> None:
        values = rendering.changed(ours(chart), path, FAULT)
        if chart == "jupyterhub":
            values["scheduling"]["userPlaceholder"]["enabled"] = True
        annotated = {
            key
            for key, pod in pods(render(chart, values)).items()
            if FAULT.items() <= (pod["metadata"].get("annotations") or {}).items()
        }

        assert annotated == {workload}

    @pytest.mark.parametrize("chart", NAMES)
    def test_are_listed_here_for_every_workload(self, chart: str) -> None:
        values = (
            rendering.changed(ours(chart), "scheduling.userPlaceholder.enabled", True)
            if chart == "jupyterhub"
            else ours(chart)
        )

        assert set(pods(render(chart, values))) == {workload for name, _, workload in ANNOTATIONS if name == chart}


@pytest.mark.parametrize("values_of", ["every key", "the platform"])
@pytest.mark.parametrize("chart", NAMES)
class TestObjectsFitTogether:
    def objects(self, chart: str, values_of: str) -> rendering.Objects:
        return render(chart, every_key(chart) if values_of == "every key" else ours(chart))

    def test_a_workload_selects_its_own_pods(self, chart: str, values_of: str) -> None:
        for key, item in self.objects(chart, values_of).items():
            if key[0] in ("Deployment", "StatefulSet"):
                labels = item["spec"]["template"]["metadata"]["labels"]
                assert item["spec"]["selector"]["matchLabels"].items() <= labels.items(), key

    def test_workloads_do_not_select_each_others_pods(self, chart: str, values_of: str) -> None:
        objects = self.objects(chart, values_of)
        for key, item in objects.items():
            if key[0] in ("Deployment", "StatefulSet"):
                chosen = item["spec"]["selector"]["matchLabels"].items()
                others = [name for name, pod in pods(objects).items() if chosen <= pod["metadata"]["labels"].items()]
                assert others == [key]

    def test_a_service_leads_to_ports_that_its_pods_have(self, chart: str, values_of: str) -> None:
        objects = self.objects(chart, values_of)
        for key, item in objects.items():
            if key[0] != "Service":
                continue
            behind = [
                pod
                for pod in pods(objects).values()
                if item["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
            ]
            assert behind, key
            for pod in behind:
                open_ports = [port for container in pod["spec"]["containers"] for port in container.get("ports", [])]
                known = {port["containerPort"] for port in open_ports} | {port.get("name") for port in open_ports}
                assert {port.get("targetPort", port["port"]) for port in item["spec"]["ports"]} <= known, key

    def test_probes_ask_ports_by_names_that_exist(self, chart: str, values_of: str) -> None:
        for key, pod in pods(self.objects(chart, values_of)).items():
            for container in pod["spec"]["containers"]:
                named = {port.get("name") for port in container.get("ports", [])}
                for probe in ("livenessProbe", "readinessProbe"):
                    port = container.get(probe, {}).get("httpGet", {}).get("port")
                    assert port is None or isinstance(port, int) or port in named, (key, probe)

    def test_mounts_have_volumes(self, chart: str, values_of: str) -> None:
        objects = self.objects(chart, values_of)
        for key, pod in pods(objects).items():
            volumes = {volume["name"] for volume in pod["spec"].get("volumes", [])}
            volumes |= {claim["metadata"]["name"] for claim in objects[key]["spec"].get("volumeClaimTemplates", [])}
            for container in pod["spec"]["containers"]:
                assert {mount["name"] for mount in container.get("volumeMounts", [])} <= volumes, key

    def test_a_role_binding_names_a_role_and_an_account_that_are_there(self, chart: str, values_of: str) -> None:
        objects = self.objects(chart, values_of)
        accounts = {pod["spec"].get("serviceAccountName") for pod in pods(objects).values()}
        for key, item in objects.items():
            if key[0].endswith("RoleBinding"):
                assert (item["roleRef"]["kind"], item["roleRef"]["name"]) in objects, key
                assert {subject["name"] for subject in item["subjects"]} <= accounts, key


def test_a_large_number_stays_a_whole_one() -> None:
    """Helm reads every number of a file as a float, and prints large ones as 1e+06."""
    objects = render("jupyterhub", every_key("jupyterhub"))

    assert objects["PriorityClass", "jupyterhub-default-priority"]["value"] == 1_000_000
