"""The complete file of each cloud in the real JupyterHub, KubeSpawner and Dask gateway: all that people can start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qhub.config import Settings, load_settings_file
from qhub.config.cloud import POOL_LABEL
from qhub.platform.chart_images import with_registry
from qhub.platform.chart_source import ChartKey
from qhub.platform.merging import deep_merge
from qhub.platform.needed_images import needed_images
from tests.unit.hub.running import dask_pods_of, pods_of
from tests.unit.platform.building import dask_values, hub_values

ASSETS = Path(__file__).parents[2] / "assets"


@pytest.fixture(scope="module", params=["aws", "gcp", "do", "azure"])
def settings(request: pytest.FixtureRequest) -> Settings:
    return load_settings_file(ASSETS / f"config_{request.param}.yaml", stack="prod")


def sent(settings: Settings, chart: ChartKey, values: dict[str, Any]) -> dict[str, Any]:
    """Return what a release is given: images from the registry, and the overrides over all."""
    return deep_merge(with_registry(chart, values, settings.images), getattr(settings.charts, chart).overrides)


def pool_of(pod: dict[str, Any]) -> str:
    return pod["spec"]["nodeSelector"][POOL_LABEL]


def test_whoever_may_starts_each_server_on_its_nodes_and_from_the_registry(settings: Settings, tmp_path: Path) -> None:
    (alice,) = settings.users
    wanted = [
        (profile, {} if size is profile else {"size": getattr(size, "name", "")})
        for profile in settings.jupyterhub.profiles
        for _, size in profile.every_size()
    ]
    asked = [{"user": alice, "groups": [], "profile": profile.name, "options": options} for profile, options in wanted]
    other = settings.jupyterhub.profiles[-1].other_image
    assert other is not None
    own = other.help.replace(" with its tag", ":1")
    typed = {"user": alice, "groups": [], "profile": "choose", "options": {"image--unlisted-choice": own}}
    stranger = {"user": "dave", "groups": [], "profile": "gpu", "options": {}}
    values = sent(settings, "jupyterhub", hub_values(settings))

    *found, chosen, refused = pods_of(values, [*asked, typed, stranger], tmp_path)

    for (profile, _), answer in zip(wanted, found, strict=True):
        assert pool_of(answer["pod"]) == profile.node_pool
        for container in (*answer["pod"]["spec"]["initContainers"], *answer["pod"]["spec"]["containers"]):
            assert container["image"].startswith(f"{settings.images.registry}/")
    assert found[0]["profiles"] == [profile.name for profile in settings.jupyterhub.profiles]
    # What somebody types is taken at its word.
    assert chosen["pod"]["spec"]["containers"][0]["image"] == own
    assert [image for image in needed_images(settings) if "{" in image.source] == []
    assert "pod" not in refused


def test_whoever_may_starts_each_dask_cluster_with_workers_on_its_nodes(settings: Settings, tmp_path: Path) -> None:
    (alice,) = settings.users
    image = settings.images.located(settings.jupyterhub.image.reference)
    asked = [
        {
            "user": user,
            "groups": [],
            "admin": False,
            "options": {"profile": profile.name, "image": image, "environment": {}, "packages": packages},
        }
        for user in (alice, "dave")
        for profile, packages in zip(settings.dask.profiles, ("image", "geo"), strict=True)
    ]
    values = sent(settings, "dask_gateway", dask_values(settings))

    *found, his, refused = dask_pods_of(values, asked, tmp_path)

    for profile, answer in zip(settings.dask.profiles, found, strict=True):
        assert pool_of(answer["worker"]) == profile.node_pool
        assert pool_of(answer["scheduler"]) == "general"
    # Of the three limits that hold for her, the largest count.
    assert found[0]["config"]["cluster_max_workers"] == 40
    assert his["config"]["cluster_max_workers"] == 20
    assert "worker" not in refused
