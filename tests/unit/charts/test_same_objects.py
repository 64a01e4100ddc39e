"""The contract charts make the objects that the real charts make, but for a list of differences with their reasons."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.unit.charts.rendering import NAMES, Objects, example_values, render
from tests.unit.platform.reference import REFERENCE, needs_reference

pytestmark = needs_reference

#: chart -> (kind, name) that the real chart makes and ours does not -> why not.
LEFT_OUT: dict[str, dict[tuple[str, str], str]] = {
    "jupyterhub": {},
    "dask-gateway": {},
    "traefik": {},
    "cluster-autoscaler": {},
    "nvidia-device-plugin": {},
    "cert-manager": {
        ("MutatingWebhookConfiguration", "cert-manager-webhook"): "nothing answers on simulated nodes",
        ("ValidatingWebhookConfiguration", "cert-manager-webhook"): "nothing answers on simulated nodes",
    },
    "ingress-nginx": {
        ("ValidatingWebhookConfiguration", "ingress-nginx-admission"): "nothing answers on simulated nodes",
        ("Job", "ingress-nginx-admission-patch"): "writes a certificate into the webhook's configuration",
        ("ClusterRole", "ingress-nginx-admission"): "only the patch job needs it",
        ("ClusterRoleBinding", "ingress-nginx-admission"): "only the patch job needs it",
    },
}

#: The table of objects was made with these values; chart -> file.
VALUES = {name: name for name in NAMES} | {"ingress-nginx": "ingress-nginx.base"}


def table(chart: str) -> list[tuple[str, str, str]]:
    """Return (kind, name, notes) of every object that the reference lists for a chart."""
    text = (REFERENCE / "objects.md").read_text(encoding="utf-8")
    section = re.split(rf"^## {re.escape(chart)}$", text, flags=re.MULTILINE)[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in section.splitlines() if "|" in line]
    # A note on the namespace stands behind some names.
    return [(row[0], re.sub(r" \(ns .*\)$", "", row[1]), "|".join(row[2:])) for row in rows[2:]]


def objects(chart: str) -> Objects:
    return render(chart, example_values(VALUES[chart]), namespace="dev")


LISTED = ["jupyterhub", "dask-gateway", "cert-manager", "ingress-nginx"]  # those that the reference lists


@pytest.mark.parametrize("chart", LISTED)
class TestEveryListedObject:
    def test_is_there_under_its_kind_and_name(self, chart: str) -> None:
        listed = {(kind, name) for kind, name, _ in table(chart)}
        assert len(listed) > 5

        assert set(objects(chart)) == listed - set(LEFT_OUT[chart])
        assert set(LEFT_OUT[chart]) <= listed

    def test_service_has_type_ports_and_selector(self, chart: str) -> None:
        made = objects(chart)
        for kind, name, notes in table(chart):
            if kind == "Service":
                assert described_service(made[kind, name]) == notes.replace("{", "").replace("}", "").replace("'", "")

    def test_workload_has_images_and_ports(self, chart: str) -> None:
        made = objects(chart)
        for kind, name, notes in table(chart):
            if kind in ("Deployment", "StatefulSet"):
                spec = made[kind, name]["spec"]["template"]["spec"]
                container = spec["containers"][0]
                described = re.match(r"(\S+) ports (\S*) ?; volumes (.*)$", notes + " ")
                assert described, notes
                image, ports, volumes = described.groups()
                assert f"{container['name']}={container['image']}" == image
                assert {str(port["containerPort"]) for port in container.get("ports", [])} == set(ports.split(",")) - {
                    ""
                }
                assert {volume["name"] for volume in spec.get("volumes", [])} == set(volumes.strip().split(",")) - {""}

    def test_hook_runs_when_the_real_one_does(self, chart: str) -> None:
        made = objects(chart)
        for kind, name, notes in table(chart):
            wanted = re.match(r"hook ([a-z,-]+)", notes)
            if (kind, name) not in made:
                continue
            hook = made[kind, name]["metadata"].get("annotations", {}).get("helm.sh/hook")
            if wanted is None:
                assert hook is None, (kind, name)
            else:
                # What only served the job that is left out is not made for that job.
                assert set(hook.split(",")) <= set(wanted[1].split(","))


def described_service(item: dict[str, Any]) -> str:
    """Return a Service as the reference writes it."""
    spec = item["spec"]
    ports = ", ".join(f"{port.get('name', '')}:{port['port']}→{port.get('targetPort', '')}" for port in spec["ports"])
    selector = ", ".join(f"{key}: {value}" for key, value in spec["selector"].items())
    return f"{spec.get('type', 'ClusterIP')} {ports} selector {selector}"
