"""What people choose when they start a server, besides the profile: the pods that the real hub and KubeSpawner make."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from qhub.config.sizes import SYSTEM_CORES, SYSTEM_MEMORY
from qhub.platform.hub import qhub_choices
from tests.unit.hub.running import pods_of
from tests.unit.platform.building import hub_values, make_settings

GIB, MIB = 1024**3, 1024**2
REGISTRY = "quay.io/jupyter"
NODE: dict[str, Any] = {"cpu": 7.9, "memory": str(29 * GIB), "node_selector": {"pool": "user"}}
PROFILES: list[dict[str, Any]] = [
    {
        "name": "lab",
        "display_name": "R & D <lab> {x}",
        "default": True,
        "images": [
            {"name": "scipy", "image": {"name": f"{REGISTRY}/scipy-notebook", "tag": "2026-05-26"}},
            {"name": "base", "image": {"name": f"{REGISTRY}/base-notebook", "tag": "2026-05-26"}, "default": True},
        ],
        "other_image": {"pattern": r"quay\.io/team/[a-z]+:[0-9]+"},
        # Not in the order of the alphabet.
        "sizes": [
            {"name": "small", "cpu": {"limit": 1}, "memory": {"limit": "512M"}},
            {"name": "large", "cpu": {"limit": 4, "guarantee": 2}, "memory": {"limit": "8G", "guarantee": "4G"}},
            {"name": "half", "users_per_node": 2, "burst": {"cpu": 1.5, "memory": 4}},
        ],
    },
    {"name": "shared", "users_per_node": 4},
    {"name": "own", "other_image": {"pattern": "team/.+:.+"}},
]
SETTINGS = make_settings(cluster={"node_pools": {"user": NODE}}, jupyterhub={"profiles": PROFILES})

#: Name of what is asked for -> profile, and what was chosen besides.
ASKED: dict[str, tuple[str | None, dict[str, Any]]] = {
    "nothing": (None, {}),
    "large": ("lab", {"size": "large", "image": "scipy"}),
    "half": ("lab", {"size": "half"}),
    "another image": ("lab", {"image--unlisted-choice": "quay.io/team/deep:7", "size": "small"}),
    "shared": ("shared", {}),
    "own": ("own", {}),
    # What the start page never sends, and the hub's API takes from anybody.
    "no such size": ("lab", {"size": "huge"}),
    "no such size without a profile": (None, {"size": "huge"}),
    "a typed size": ("lab", {"size--unlisted-choice": "huge"}),
    "a typed size without a profile": (None, {"size--unlisted-choice": "huge"}),
    "an image of others": ("lab", {"image--unlisted-choice": "docker.io/eve/miner:1"}),
    "an image of others without a profile": (None, {"image--unlisted-choice": "docker.io/eve/miner:1"}),
    "an image that only begins well": ("lab", {"image--unlisted-choice": "quay.io/team/deep:7.eve.org/miner"}),
    "an image with a new line": ("lab", {"image--unlisted-choice": "quay.io/team/deep:7\n"}),
    "an image with a placeholder": ("own", {"image--unlisted-choice": "team/{username}:1"}),
    "a list": ("lab", {"size": ["large"]}),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What became of each request. Every one is somebody else's, whose server has never run."""
    asked = [
        {"user": f"user{place}", "groups": [], "profile": profile, "options": options}
        for place, (profile, options) in enumerate(ASKED.values())
    ]
    found = pods_of(hub_values(SETTINGS), asked, tmp_path_factory.mktemp("choices"))
    return dict(zip(ASKED, found, strict=True))


def notebook(made: dict[str, dict[str, Any]], what: str) -> dict[str, Any]:
    [container] = made[what]["pod"]["spec"]["containers"]
    return container


def amounts(made: dict[str, dict[str, Any]], what: str) -> tuple[float, float, int, int]:
    """Return CPU reserved and at most, memory reserved and at most."""
    found = notebook(made, what)["resources"]
    requests, limits = found["requests"], found["limits"]
    return requests["cpu"], limits["cpu"], requests["memory"], limits["memory"]


class TestSizes:
    def test_the_first_is_taken_where_nothing_is_chosen_and_reserves_its_limit(self, made: Any) -> None:
        # 512M is less than what the chart guarantees where nothing is said.
        assert amounts(made, "nothing") == (1, 1, 512 * MIB, 512 * MIB)

    def test_the_chosen_one_is_what_the_server_gets(self, made: Any) -> None:
        assert amounts(made, "large") == (2, 4, 4 * GIB, 8 * GIB)
        assert made["large"]["pod"]["spec"]["nodeSelector"] == {"pool": "user"}

    def test_a_share_of_a_node_is_guaranteed_and_more_may_be_used(self, made: Any) -> None:
        assert amounts(made, "shared") == (1.85, 3.7, 7232 * MIB, 7232 * MIB)
        # Four times half a node would be two nodes: a server cannot have more than there is.
        assert amounts(made, "half") == (3.7, 5.55, 14464 * MIB, 29 * GIB)

    def test_as_many_fit_on_a_node_as_are_to_share_it(self, made: Any) -> None:
        cores, _, memory, _ = amounts(made, "shared")

        assert 4 * cores <= 7.9 - SYSTEM_CORES < 5 * cores
        assert 4 * memory <= 29 * GIB - SYSTEM_MEMORY < 5 * memory


class TestImages:
    @pytest.mark.parametrize(
        ("what", "image"),
        [
            ("nothing", f"{REGISTRY}/base-notebook:2026-05-26"),
            ("large", f"{REGISTRY}/scipy-notebook:2026-05-26"),
            ("another image", "quay.io/team/deep:7"),
            ("own", SETTINGS.jupyterhub.image.reference),
        ],
    )
    def test_the_chosen_one_runs(self, made: Any, what: str, image: str) -> None:
        assert notebook(made, what)["image"] == image


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("no such size", "Size huge is none of those that profile lab has: small, large, half."),
        ("no such size without a profile", "Size huge is none of those"),
        ("a typed size", "Size: only what is in the list can be had."),
        ("a typed size without a profile", "Size: only what is in the list can be had."),
        ("an image of others", r"it has to match quay\.io/team/[a-z]+:[0-9]+."),
        ("an image of others without a profile", "docker.io/eve/miner:1 is no image that you may run"),
        ("an image that only begins well", "is no image that you may run"),
        ("an image with a new line", "is no image that you may run"),
        ("an image with a placeholder", "is no image that you may run"),
        ("a list", "is none of those"),
    ],
)
def test_what_is_not_offered_is_not_started_whichever_way_it_is_asked_for(made: Any, what: str, reason: str) -> None:
    assert "pod" not in made[what]
    assert reason in made[what]["refused"]


def test_a_hub_that_would_not_ask_does_not_start() -> None:
    with pytest.raises(RuntimeError, match=r"charts\.jupyterhub\.version"):
        qhub_choices.install(SimpleNamespace(), SimpleNamespace())
