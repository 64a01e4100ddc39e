"""The way in: what must be equal on both controllers for the address to survive a switch."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from qhub.clouds.cluster import NodePool
from qhub.config.ingress import IngressService
from qhub.platform.ingress import load_balancer_address, service_spec
from qhub.platform.ingress_values import CONTROLLER, POD_LABELS, ingress_nginx_values, traefik_values

ARGUMENTS: dict[str, Any] = {
    "class_name": "qhub",
    "publish_service": "qhub-ingress/ingress",
    "replicas": 2,
    "pool": NodePool(node_selector={"pool": "general"}),
}


class TestBothControllers:
    nginx = ingress_nginx_values(**ARGUMENTS)["controller"]
    traefik = traefik_values(**ARGUMENTS)

    def test_their_pods_are_found_by_one_selector(self) -> None:
        assert self.nginx["podLabels"] == self.traefik["deployment"]["podLabels"] == POD_LABELS
        assert service_spec(IngressService())["selector"] == POD_LABELS

    def test_they_listen_where_the_service_sends(self) -> None:
        ports: Any = service_spec(IngressService())["ports"]
        wanted = [port["target_port"] for port in ports]

        assert wanted == [self.nginx["containerPort"]["http"], self.nginx["containerPort"]["https"]]
        assert wanted == [int(self.nginx["extraArgs"]["http-port"]), int(self.nginx["extraArgs"]["https-port"])]
        assert wanted == [self.traefik["ports"]["web"]["port"], self.traefik["ports"]["websecure"]["port"]]

    def test_no_two_listeners_of_ingress_nginx_share_a_port(self) -> None:
        ports = [*self.nginx["containerPort"].values(), self.nginx["admissionWebhooks"]["port"]]

        assert len(set(ports)) == len(ports)

    def test_the_control_plane_of_gke_reaches_the_webhook(self) -> None:
        # To private nodes and the pods on them, the firewall rule that Google makes lets it in at these alone.
        assert self.nginx["admissionWebhooks"]["port"] in {443, 10250}

    def test_they_serve_our_class_and_make_none(self) -> None:
        nginx_class = self.nginx["ingressClassResource"]
        provider = self.traefik["providers"]["kubernetesIngressNGINX"]

        assert nginx_class == {"enabled": False, "name": "qhub", "controllerValue": CONTROLLER}
        assert (provider["ingressClass"], provider["controllerClass"]) == ("qhub", CONTROLLER)
        assert self.traefik["ingressClass"]["enabled"] is False

    def test_they_publish_the_address_of_our_service(self) -> None:
        for publish in (
            self.nginx["publishService"],
            self.traefik["providers"]["kubernetesIngressNGINX"]["publishService"],
        ):
            assert publish == {"enabled": True, "pathOverride": "qhub-ingress/ingress"}

    def test_neither_takes_a_load_balancer_of_its_own(self) -> None:
        assert self.nginx["service"]["type"] == "ClusterIP"
        assert self.traefik["service"]["spec"]["type"] == "ClusterIP"

    def test_traefik_serves_each_ingress_once(self) -> None:
        assert self.traefik["providers"]["kubernetesIngress"]["enabled"] is False


class TestService:
    def test_a_load_balancer_keeps_the_clients_address(self) -> None:
        assert service_spec(IngressService())["external_traffic_policy"] == "Local"

    def test_its_own_settings_are_handed_on(self) -> None:
        made = service_spec(
            IngressService(
                load_balancer_ip="203.0.113.7", load_balancer_class="example.org/nlb", source_ranges=("203.0.113.0/24",)
            )
        )

        assert made["load_balancer_ip"] == "203.0.113.7"
        assert made["load_balancer_class"] == "example.org/nlb"
        assert made["load_balancer_source_ranges"] == ["203.0.113.0/24"]

    def test_a_cluster_ip_has_no_traffic_policy_which_the_api_would_refuse(self) -> None:
        assert "external_traffic_policy" not in service_spec(IngressService(type="ClusterIP"))


@pytest.mark.parametrize(
    ("status", "address"),
    [
        (SimpleNamespace(load_balancer=SimpleNamespace(ingress=[SimpleNamespace(ip="192.0.2.1")])), "192.0.2.1"),
        (
            SimpleNamespace(
                load_balancer=SimpleNamespace(ingress=[SimpleNamespace(ip=None, hostname="lb.example.org")])
            ),
            "lb.example.org",
        ),
        ({"load_balancer": {"ingress": [{"ip": "192.0.2.1"}]}}, "192.0.2.1"),
        (SimpleNamespace(load_balancer=SimpleNamespace(ingress=None)), ""),
        (SimpleNamespace(load_balancer=None), ""),
        (None, ""),
    ],
)
def test_the_address_is_an_ip_a_host_name_or_nothing(status: object, address: str) -> None:
    assert load_balancer_address(status) == address
