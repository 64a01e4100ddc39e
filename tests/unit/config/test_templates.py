"""The complete file of each cloud uses all there is: whoever looks for a key finds it, chosen and explained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qhub.config import load_settings_file
from qhub.config.document import read_document
from qhub.config.settings import SECTIONS, Settings
from tests.unit.config.unwritten import unwritten

ASSETS = Path(__file__).parents[2] / "assets"
CLOUDS = ("aws", "gcp", "do", "azure")

#: Sections that stand in no template, and why.
SECTIONS_LEFT_OUT = {"base": "a file that is complete has nothing laid under it"}
#: Keys below the sections in `EVERY_KEY_OF` that stand in no template, and why.
KEYS_LEFT_OUT = {
    "namespace.pod_security": "what it is by itself keeps servers from the cloud's metadata best",
    "namespace.quota.pods": "CPU and memory are what is paid for",
    "namespace.quota.storage": "disks are few, and homes have a size of their own",
    "jupyterhub.cull.enabled": "on by itself",
    "jupyterhub.cull.every": "follows from the timeout",
    "jupyterhub.cull.users": "the hub forgets who works there only where somebody wants that",
    "jupyterhub.cull.admins": "belongs to cull.users",
    "jupyterhub.theme.logo": "a file that nobody else has; it stands there as a comment",
    "jupyterhub.profiles.users_per_node": "stands in a list of sizes, beside which it cannot stand",
    "jupyterhub.profiles.burst": "stands beside users_per_node",
    "jupyterhub.profiles.image.architectures": "only where a pool has others than amd64",
    "jupyterhub.profiles.images.image.architectures": "only where a pool has others than amd64",
    "jupyterhub.profiles.images.default": "the first one is",
    "jupyterhub.profiles.sizes.default": "the first one is",
    "jupyterhub.profiles.sizes.cpu": "said by users_per_node, which excludes it",
    "jupyterhub.profiles.sizes.memory": "said by users_per_node, which excludes it",
    "jupyterhub.hub.resources.limits.cpu": "a hub that is held back answers nobody",
    "dask.enabled": "on by itself",
    "dask.image": "notebooks ask for their own image",
    "dask.profiles.users": "groups say it",
    "dask.profiles.threads": "follow from the cores",
    "dask.profiles.gpu": "schedulers would need an image with CUDA too",
    "environments.index_url": "not beside the public index; it stands there as a comment",
    "environments.named.on_top_of_image": "on by itself",
    "environments.resources.limits.cpu": "more CPU while others leave it",
}
EVERY_KEY_OF = ("namespace", "users", "groups", "jupyterhub", "dask", "environments")


def written(cloud: str) -> dict[str, Any]:
    """Return what a template says, by section."""
    config = read_document(ASSETS / f"config_{cloud}.yaml").data["config"]
    return {key.removeprefix("qhub:"): value for key, value in config.items()}


@pytest.mark.parametrize("cloud", CLOUDS)
class TestEachTemplate:
    def test_has_every_section_with_something_in_it(self, cloud: str) -> None:
        sections = written(cloud)

        assert {name for name in SECTIONS if not sections.get(name)} == SECTIONS_LEFT_OUT.keys()

    def test_has_every_key_of_the_sections_that_mean_the_same_on_every_cloud(self, cloud: str) -> None:
        lacking = (path.removeprefix("settings.") for path in unwritten(Settings, [written(cloud)], "settings"))

        assert {path for path in lacking if path.partition(".")[0] in EVERY_KEY_OF} == KEYS_LEFT_OUT.keys()

    def test_switches_on_what_is_off_by_itself(self, cloud: str) -> None:
        settings = load_settings_file(ASSETS / f"config_{cloud}.yaml", stack="prod")

        assert settings.monitoring.enabled
        assert settings.ssh.enabled
        assert settings.images.registry is not None


def test_their_sections_stand_in_one_order() -> None:
    assert len({tuple(written(cloud)) for cloud in CLOUDS}) == 1
