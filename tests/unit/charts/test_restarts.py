"""What a change of settings starts anew: workloads whose pods would differ. `docs/upgrades.md` has it as a table."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from qhub.platform.helm import deep_merge
from tests.real_charts import VARIABLE, charts_folder
from tests.unit.charts.rendering import CHARTS, pods, render
from tests.unit.platform.building import SECRETS, all_values, hub_values, make_settings

REAL = charts_folder()
BEFORE: dict[str, Any] = {
    "ingress": {"controller": "traefik"},
    "groups": {"analyst": {"gid": 1100}},
    "users": {"alice": {"uid": 1001}},
}
HUB, PROXY, SEATS, INGRESS = "hub", "proxy", "user-placeholder", "traefik"
API, CONTROLLER, GATEWAY_TRAEFIK = "api-dask-gateway", "controller-dask-gateway", "traefik-dask-gateway"
OIDC = {
    "type": "oidc",
    "client_id": "hub",
    "client_secret": "a secret",
    "authorize_url": "https://sso.example.org/authorize",
    "token_url": "https://sso.example.org/token",
    "userinfo_url": "https://sso.example.org/userinfo",
}

#: What is changed -> sections that are laid over those of before, and what is started anew.
CHANGES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "image of notebooks": ({"jupyterhub": {"image": {"name": "example.org/notebook", "tag": "2"}}}, {HUB}),
    "profiles": ({"jupyterhub": {"profiles": [{"name": "one", "display_name": "One"}]}}, {HUB}),
    "culling": ({"jupyterhub": {"cull": {"timeout": 900}}}, {HUB}),
    "who administers": ({"authentication": {"type": "dummy", "admin_users": ["alice"]}}, {HUB}),
    "somebody joins a group": ({"users": {"alice": {"uid": 1001, "secondary_groups": ["analyst"]}}}, {HUB, API}),
    "image of Dask": ({"dask": {"image": {"name": "example.org/dask", "tag": "2"}}}, {API}),
    "worker profiles": ({"dask": {"profiles": [{"name": "one", "display_name": "One"}]}}, {API}),
    "seats that are kept free": ({"jupyterhub": {"placeholders": 2}}, {HUB, PROXY, SEATS}),
    "how people sign in": ({"authentication": {**OIDC, "allow_all": True}}, {HUB}),
    "groups come from the provider": ({"authentication": {**OIDC, "allowed_groups": ["staff"]}}, {HUB, API}),
    "environments": ({"environments": {"named": {"geo": {"packages": ["geopandas==1.0.1"]}}}}, {HUB, API}),
    "monitoring": ({"monitoring": {"enabled": True}}, {HUB, PROXY, GATEWAY_TRAEFIK}),
    "limits of Dask": ({"dask": {"max_workers_per_cluster": 3}}, {API}),
}

#: Chart -> what a new version of it starts anew, where nothing else changes.
VERSIONS = {"jupyterhub": {HUB}, "dask-gateway": {API, CONTROLLER, GATEWAY_TRAEFIK}, "traefik": {INGRESS}}

#: Image -> chart, the value that says its tag, and what a new one starts anew.
IMAGES = {
    "hub": ("jupyterhub", {"hub": {"image": {"tag": "next"}}}, {HUB}),
    "proxy": ("jupyterhub", {"proxy": {"chp": {"image": {"tag": "next"}}}}, {HUB, PROXY}),
    "gateway": (
        "dask-gateway",
        {"gateway": {"image": {"tag": "next"}}, "controller": {"image": {"tag": "next"}}},
        {API, CONTROLLER},
    ),
    "gateway's Traefik": ("dask-gateway", {"traefik": {"image": {"tag": "3.9.9"}}}, {GATEWAY_TRAEFIK}),
    "ingress": ("traefik", {"image": {"tag": "v3.9.9"}}, {INGRESS}),
}

Folder = Path


@pytest.fixture(
    params=[
        CHARTS,
        pytest.param(REAL, marks=pytest.mark.skipif(REAL is None, reason=f"NOT CHECKED: {VARIABLE} names no folder")),
    ],
    ids=["contract charts", "real charts"],
)
def charts(request: pytest.FixtureRequest) -> Folder:
    return request.param


def started_anew(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """Return the workloads of two renderings whose pods differ."""
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def pods_of(charts: Folder, chart: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: pod for (_, name), pod in pods(render(chart, values, charts=charts)).items()}


def values(**sections: Any) -> dict[str, dict[str, Any]]:
    settings = make_settings(**{**BEFORE, **sections})
    tokens = {"metrics_token": "d0" * 32, "grafana_token": "d1" * 32} if settings.monitoring.enabled else {}
    return {**all_values(settings), "jupyterhub": hub_values(settings, secrets=replace(SECRETS, **tokens))}


@pytest.mark.parametrize("change", CHANGES)
def test_a_setting(change: str, charts: Folder) -> None:
    sections, expected = CHANGES[change]
    before, after = values(), values(**sections)

    found = {
        workload
        for chart in VERSIONS
        for workload in started_anew(pods_of(charts, chart, before[chart]), pods_of(charts, chart, after[chart]))
    }

    assert found == expected


@pytest.mark.parametrize("chart", VERSIONS)
def test_a_version_of_a_chart(chart: str, charts: Folder, tmp_path: Path) -> None:
    shutil.copytree(charts / chart, tmp_path / chart)
    file = tmp_path / chart / "Chart.yaml"
    about = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**about, "version": f"{about['version']}9"}), encoding="utf-8")
    sent = values()[chart]

    assert started_anew(pods_of(charts, chart, sent), pods_of(tmp_path, chart, sent)) == VERSIONS[chart]


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_of_the_platform(image: str, charts: Folder) -> None:
    chart, overrides, expected = IMAGES[image]
    sent = values()[chart]

    after = pods_of(charts, chart, deep_merge(sent, overrides))

    assert started_anew(pods_of(charts, chart, sent), after) == expected
