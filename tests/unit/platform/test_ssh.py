"""The SSH server's objects: what it may reach, and where people find it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from qhub.clouds.cluster import Cluster
from qhub.clouds.node_pools import node_pools
from qhub.config import Settings
from qhub.platform.ssh import deployment_spec, policy_spec, service_spec, ssh_output
from tests.unit.charts.rendering import render
from tests.unit.platform.building import hub_values, make_settings


def settings_of(**service: Any) -> Settings:
    image = {"name": "registry.example.org/qhub/ssh", "tag": "1"}
    return make_settings(ssh={"enabled": True, "image": image, "service": service})


def pod_of(settings: Settings) -> Any:
    return deployment_spec(settings, node_pools(settings.cluster.pools)["general"])["template"]


def test_the_policies_of_both_sides_let_it_reach_the_hubs_proxy_and_no_more() -> None:
    settings = settings_of()
    objects = render("jupyterhub", hub_values(settings), namespace="team")
    proxy = objects["Deployment", "proxy"]["spec"]["template"]["metadata"]["labels"]
    [admitted] = [
        rule for rule in objects["NetworkPolicy", "proxy"]["spec"]["ingress"] if rule["ports"] == [{"port": "http"}]
    ]
    policy: Any = policy_spec()
    [to_proxy, to_dns] = policy["egress"]

    labels = {tuple(peer["podSelector"]["matchLabels"].items()) for peer in admitted["from"] if "podSelector" in peer}
    assert any(set(wanted) <= pod_of(settings)["metadata"]["labels"].items() for wanted in labels)
    [peer] = to_proxy["to"]
    assert peer["pod_selector"]["match_labels"].items() <= proxy.items()
    assert {port["port"] for port in to_dns["ports"]} == {53}


def test_it_runs_where_pods_are_most_restricted() -> None:
    pod = pod_of(settings_of())["spec"]
    [container] = pod["containers"]

    assert pod["security_context"]["run_as_non_root"] is True
    assert container["security_context"]["capabilities"] == {"drop": ["ALL"]}
    assert pod["automount_service_account_token"] is False


@pytest.mark.parametrize(
    ("service", "address", "command"),
    [
        ({}, "203.0.113.7", "ssh NAME@203.0.113.7"),
        ({"port": 2222}, "lb.example.org", "ssh -p 2222 NAME@lb.example.org"),
        ({"type": "NodePort"}, "", "ssh NAME@ADDRESS"),
    ],
)
def test_people_are_told_what_to_type(service: dict[str, Any], address: str, command: str) -> None:
    assert ssh_output(settings_of(**service), address)["command"] == command


def test_only_a_load_balancer_has_what_belongs_to_one() -> None:
    given = {"load_balancer_ip": "203.0.113.7", "source_ranges": ["203.0.113.0/24"], "port": 2222}
    spec: Any = service_spec(settings_of(**given).ssh.service)

    assert spec["load_balancer_source_ranges"] == ["203.0.113.0/24"]
    assert [(port["port"], port["target_port"]) for port in spec["ports"]] == [(2222, "ssh")]
    assert "external_traffic_policy" not in service_spec(settings_of(type="ClusterIP").ssh.service)


def test_two_load_balancers_never_have_one_name() -> None:
    cluster: Any = SimpleNamespace(
        load_balancer_annotations={"name": "team", "type": "network"}, load_balancer_name_key="name"
    )

    assert Cluster.another_load_balancer(cluster, "ssh") == {"name": "team-ssh", "type": "network"}
