"""Seats that are kept free: what the chart makes of them, and who gives way to whom."""

from __future__ import annotations

from typing import Any

import pytest

from qhub.config.quantities import parse_quantity
from qhub.platform.singleuser_values import USER_TOLERATIONS
from tests.unit.charts.rendering import Objects, render
from tests.unit.platform.building import hub_values, make_settings

TAINT = {"key": "qhub.dev/pool", "operator": "Equal", "value": "user", "effect": "NoSchedule"}
POOLS: dict[str, Any] = {
    "user": {"node_selector": {"pool": "user"}, "tolerations": [TAINT], "cpu": 4, "memory": "16Gi"},
    "gpu": {"gpu": {"count": 1}},
}
SIZES = [{"name": "whole", "users_per_node": 1}, {"name": "half", "users_per_node": 2, "default": True}]
PROFILES: list[dict[str, Any]] = [
    {"name": "gpu", "node_pool": "gpu", "gpu": {"count": 1}},
    {"name": "lab", "default": True, "sizes": SIZES},
]


def values(placeholders: int, profiles: list[dict[str, Any]]) -> dict[str, Any]:
    settings = make_settings(
        cluster={"node_pools": POOLS}, jupyterhub={"placeholders": placeholders, "profiles": profiles}
    )
    return hub_values(settings)


@pytest.fixture(scope="module")
def objects() -> Objects:
    return render("jupyterhub", values(3, PROFILES), namespace="team")


def seats(objects: Objects) -> dict[str, Any]:
    return objects["StatefulSet", "user-placeholder"]["spec"]


class TestPlaceholders:
    def test_there_are_none_where_nobody_asks_for_them(self) -> None:
        kinds = {kind for kind, _ in render("jupyterhub", values(0, PROFILES), namespace="team")}

        assert not kinds & {"StatefulSet", "PriorityClass"}

    def test_each_holds_the_place_of_a_server_of_the_default_profile_and_size(self, objects: Objects) -> None:
        pod = seats(objects)["template"]["spec"]
        server = hub_values_of_default(values(3, PROFILES))

        assert seats(objects)["replicas"] == 3
        assert pod["nodeSelector"] == {"pool": "user"} == server["node_selector"]
        assert TAINT in pod["tolerations"]
        [container] = pod["containers"]
        assert container["resources"]["requests"] == container["resources"]["limits"]
        # (4 - 0.5) / 2 cores and (16384 - 768) / 2 MiB.
        assert container["resources"]["requests"] == {"cpu": "1.75", "memory": str(7808 * 2**20)}
        assert (server["cpu_guarantee"], server["mem_guarantee"]) == (1.75, "7808M")

    def test_one_for_a_gpu_server_holds_its_gpu(self) -> None:
        made = render("jupyterhub", values(1, [PROFILES[0]]), namespace="team")
        [container] = seats(made)["template"]["spec"]["containers"]

        assert parse_quantity(container["resources"]["limits"]["nvidia.com/gpu"]) == 1

    def test_they_give_way_to_servers_and_the_autoscaler_still_adds_nodes_for_them(self, objects: Objects) -> None:
        lowest = objects["PriorityClass", seats(objects)["template"]["spec"]["priorityClassName"]]["value"]
        others = [item["value"] for (kind, _), item in objects.items() if kind == "PriorityClass"]

        # cluster-autoscaler ignores pods below --expendable-pods-priority-cutoff, -10.
        assert lowest == -10
        assert max(others) == 0

    def test_servers_of_other_profiles_do_not_get_onto_the_nodes_that_are_kept_for_them(self) -> None:
        made = values(3, PROFILES)
        [gpu] = [one for one in made["custom"]["qhub"]["profiles"] if one["slug"] == "gpu"]

        # What the chart tolerates for all servers is replaced, also where a pool has no taint.
        assert made["singleuser"]["extraTolerations"] == [TAINT]
        assert gpu["kubespawner_override"]["tolerations"] == list(USER_TOLERATIONS)


def hub_values_of_default(made: dict[str, Any]) -> dict[str, Any]:
    return next(one["kubespawner_override"] for one in made["custom"]["qhub"]["profiles"] if one["default"])
