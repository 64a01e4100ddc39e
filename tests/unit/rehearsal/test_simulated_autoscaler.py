"""The autoscaler as a function: what it asks for, and what it never does."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qhub.rehearsal.cluster.controllers.autoscaler import slot_of
from qhub.rehearsal.cluster.controllers.fitting import misfit
from qhub.rehearsal.cluster.controllers.pods import is_unschedulable, read_pod
from qhub.rehearsal.cluster.controllers.pools import ZONE_LABEL
from tests.unit.rehearsal.simulated_world import World, pod, pool

TAINT = {"key": "pool", "value": "user", "effect": "NoSchedule"}
TOLERATION = {"key": "pool", "operator": "Equal", "value": "user"}


def schedule(world: World) -> None:
    """Put waiting pods on nodes that have booted, first come, first served: no better than the real scheduler."""
    for item in list(world.pods.values()):
        slots = [slot_of(node, on(world, name), []) for name, node in world.nodes.items() if is_up(node)]
        waiting = read_pod(item)
        home = next((slot.name for slot in slots if is_unschedulable(item) and not misfit(waiting, slot, slots)), "")
        if home:
            item["spec"]["nodeName"] = home
            item["status"] = {"phase": "Running"}


def on(world: World, node: str) -> list[dict[str, Any]]:
    return [one for one in world.pods.values() if one["spec"].get("nodeName") == node]


def is_up(node: dict[str, Any]) -> bool:
    up = node["status"]["conditions"][0]["status"] == "True"
    return up and not node["spec"].get("unschedulable")


def check_sizes(world: World) -> None:
    for one in world.pools.values():
        nodes = world.of(one.name)
        assert len(nodes) <= one.max
        assert sum(node["status"]["conditions"][0]["status"] == "True" for node in nodes) >= one.min


class TestGrowing:
    def test_waiting_pods_get_as_many_nodes_as_they_fill_and_are_told(self) -> None:
        world = World(pool("user", max=5))
        world.put(*(pod(f"p{number}", cpu="1500m") for number in range(5)))
        world.step()
        assert len(world.of("user")) == 3
        assert world.reasons("p0") == {"TriggeredScaleUp": "pod triggered scale-up: [{user 0->3 (max: 5)}]"}
        purposes = ["for default/p0, default/p1", "for default/p2, default/p3", "for default/p4"]
        assert [one.why for one in world.log] == purposes
        world.settle()
        assert len(world.of("user")) == 3, "what boots is counted on"

    def test_a_node_boots_after_its_pools_time(self) -> None:
        world = World(pool("user"))
        world.put(pod("p", cpu="1"))
        world.settle(seconds=59)
        assert not is_up(world.of("user")[0])
        world.settle(seconds=1)
        assert is_up(world.of("user")[0])
        assert [one.change for one in world.log] == [1, 0]

    def test_the_pool_that_wastes_the_least_grows(self) -> None:
        world = World(pool("large", cores=16, gib=64), pool("small", cores=4, gib=16), pool("lean", cores=4, gib=64))
        world.put(pod("p", cpu="3", memory="12Gi"))
        world.settle()
        assert len(world.of("small")) == len(world.nodes) == 1

    def test_of_two_that_waste_the_same_the_cheaper_grows(self) -> None:
        world = World(pool("a", usd=2.0), pool("b", usd=1.0))
        world.put(pod("p", cpu="1"))
        world.settle()
        assert len(world.of("b")) == len(world.nodes) == 1

    def test_selector_taint_and_gpu_decide(self) -> None:
        world = World(pool("plain"), pool("user", taints=[TAINT]), pool("gpu", gpus=2))
        world.put(
            pod("picky", cpu="1", nodeSelector={"pool": "user"}, tolerations=[TOLERATION]),
            *(pod(f"gpu-{number}", cpu="1", **{"nvidia.com/gpu": "1"}) for number in range(3)),
        )
        world.settle()
        assert Counter(node["metadata"]["labels"]["pool"] for node in world.nodes.values()) == {"user": 1, "gpu": 2}

    def test_a_pod_for_nobody_is_told_by_each_pool(self) -> None:
        world = World(pool("full", max=0), pool("small", cores=1), pool("user", taints=[TAINT]))
        world.put(pod("p", cpu="2"))
        world.settle()
        assert not world.nodes
        assert world.reasons("p") == {
            "NotTriggerScaleUp": "pod didn't trigger scale-up: full: max node group size reached (0);"
            " small: Insufficient cpu; user: node(s) had untolerated taint {pool: user}"
        }

    def test_nodes_are_spread_over_the_zones_and_a_pod_can_choose_its_zone(self) -> None:
        world = World(pool("user", min=3, max=6, zones=("a", "b", "c")))
        world.settle()
        assert {node["metadata"]["labels"][ZONE_LABEL] for node in world.nodes.values()} == {"a", "b", "c"}
        world.put(*(pod(name, cpu="3500m", nodeSelector={ZONE_LABEL: "b"}) for name in "pq"))
        world.settle()
        zones = Counter(node["metadata"]["labels"][ZONE_LABEL] for node in world.nodes.values())
        assert zones == {"a": 1, "b": 2, "c": 1}

    def test_what_a_daemon_set_takes_of_each_node_is_counted(self) -> None:
        world = World(pool("user", max=5))
        template = {"metadata": {}, "spec": pod("agent", cpu="1")["spec"]}
        world.daemon_sets = [
            {"metadata": {"uid": "agents", "namespace": "default", "name": "agent"}, "spec": {"template": template}}
        ]
        world.put(pod("p", cpu="2"), pod("q", cpu="2"))
        world.settle()
        assert len(world.nodes) == 2

    def test_pods_of_no_importance_wait(self) -> None:
        world = World(pool("user"))
        world.put(pod("filler", cpu="1", priority=-11))
        world.settle()
        assert not world.nodes


class TestIdleNodes:
    def test_an_empty_node_goes_after_the_idle_time_and_min_nodes_stay(self) -> None:
        world = World(pool("user", min=1, max=5), idle_seconds=600)
        world.put(*(pod(f"p{number}", cpu="3") for number in range(3)))
        world.settle(seconds=60)
        schedule(world)
        world.pods.clear()
        world.settle(seconds=599)
        assert len(world.of("user")) == 3
        world.settle(seconds=2)
        assert [is_up(node) for node in world.of("user")] == [True]
        assert [one.change for one in world.log].count(1) == 3, "none was taken away only to be asked for again"

    def test_a_node_that_a_waiting_pod_will_go_to_stays(self) -> None:
        world = World(pool("user"), idle_seconds=600)
        world.put(pod("p", cpu="1"))
        world.settle(seconds=60)
        [name] = world.nodes
        for _ in range(20):  # the scheduler is away
            world.settle(seconds=100)
        assert list(world.nodes) == [name]

    def test_a_node_is_kept_by_a_pod_and_not_by_a_daemon_sets_or_one_that_has_ended(self) -> None:
        world = World(pool("user"), idle_seconds=600)
        world.put(*(pod(name, cpu="3") for name in ("busy", "agent", "done")))
        world.settle(seconds=60)
        schedule(world)
        kept = world.pods["busy"]["spec"]["nodeName"]
        world.daemon_sets = [
            {
                "metadata": {"uid": "agents", "namespace": "default", "name": "agent"},
                "spec": {"template": {"metadata": {}, "spec": {"containers": [], "nodeSelector": {"pool": "none"}}}},
            }
        ]
        world.pods["agent"]["metadata"]["ownerReferences"] = [{"uid": "agents", "controller": True}]
        world.pods["done"]["status"] = {"phase": "Succeeded"}
        world.settle(seconds=700)
        assert list(world.nodes) == [kept]

    @pytest.mark.parametrize(
        ("left", "nodes"),
        [
            ({"cpu": "1", "priority": -10, "owner": "seats"}, 1),
            ({"cpu": "1", "priority": 0, "owner": "seats"}, 2),  # works
            ({"cpu": "1", "priority": -10}, 2),  # nobody would make it anew
            ({"cpu": "2", "priority": -10, "owner": "seats"}, 2),  # fills half of its node
        ],
    )
    def test_seats_that_people_left_scattered_are_brought_together(self, left: dict[str, Any], nodes: int) -> None:
        world = World(pool("user"), idle_seconds=600)
        world.put(*(pod(f"p{number}", cpu="3") for number in range(2)))
        world.settle(seconds=60)
        first, second = world.nodes
        world.pods.clear()
        world.put(pod("seat-0", node=first, **left), pod("seat-1", node=second, **left))
        world.settle(seconds=599)
        assert len(world.nodes) == 2
        world.settle(seconds=2)
        assert len(world.nodes) == nodes
        assert len(world.pods) == nodes, "its controller makes another"

    def test_a_pod_that_comes_at_the_last_moment_saves_its_node(self) -> None:
        world = World(pool("user"), idle_seconds=600)
        world.put(pod("p", cpu="1"))
        world.settle(seconds=60)
        schedule(world)
        [name] = world.nodes
        world.pods.clear()
        world.step()
        world.now += 600
        world.step()
        assert world.nodes[name]["spec"]["unschedulable"]
        world.put(pod("late", node=name, cpu="1"))
        world.settle(seconds=5)
        assert "unschedulable" not in world.nodes[name]["spec"]
        world.pods.clear()
        world.settle(seconds=599)
        assert list(world.nodes) == [name], "the idle time begins anew"


class TestChangedPools:
    def test_new_labels_replace_every_node_and_never_pass_max(self) -> None:
        world = World(pool("user", min=2, max=2))
        world.settle(seconds=60)
        before = set(world.nodes)
        world.pools["user"] = pool("user", min=2, max=2, labels={"pool": "other"})
        sizes = set()
        for _ in range(40):
            world.step()
            sizes.add((len(world.nodes), sum(map(is_up, world.nodes.values()))))
            world.now += 10
        assert not before & set(world.nodes)
        assert len(world.nodes) == 2
        assert all(total <= 2 and up >= 1 for total, up in sizes), "one at a time"

    def test_where_there_is_room_the_new_nodes_come_first(self) -> None:
        world = World(pool("user", min=2, max=4))
        world.settle(seconds=60)
        world.pools["user"] = pool("user", min=2, max=4, labels={"pool": "other"})
        for _ in range(40):
            world.step()
            assert sum(map(is_up, world.nodes.values())) >= 2
            world.now += 10
        assert all(node["metadata"]["labels"]["pool"] == "other" for node in world.nodes.values())

    def test_zones_and_prices_change_nothing(self) -> None:
        world = World(pool("user", min=1, zones=("a",), usd=1.0))
        world.settle(seconds=60)
        before = set(world.nodes)
        world.pools["user"] = pool("user", min=1, zones=("a", "b"), usd=2.0)
        world.settle(seconds=60)
        assert set(world.nodes) == before

    def test_a_removed_pool_takes_its_nodes_and_their_pods_along(self) -> None:
        world = World(pool("user", min=2), pool("other", min=1))
        world.settle(seconds=60)
        gone = next(iter(world.of("user")))["metadata"]["name"]
        world.put(pod("on-it", node=gone))
        del world.pools["user"]
        world.settle()
        assert not world.of("user")
        assert not world.pods
        assert len(world.of("other")) == 1

    def test_a_smaller_max_takes_the_nodes_with_fewest_pods(self) -> None:
        world = World(pool("user", min=3, max=3))
        world.settle(seconds=60)
        busy = next(iter(world.nodes))
        world.put(pod("p", node=busy))
        world.pools["user"] = pool("user", min=1, max=1)
        world.settle()
        assert list(world.nodes) == [busy]

    def test_more_nodes_than_a_cluster_holds_are_not_promised(self) -> None:
        world = World(pool("user", max=1000))
        world.put(*(pod(f"p{number}", cpu="4") for number in range(255)))
        world.step()
        assert len(world.nodes) == 254
        assert sum("at most 254 nodes" in one.message for one in world.told) == 1


REQUESTS = st.builds(
    lambda cpu, memory, gpus, chosen: {
        "cpu": f"{cpu}m",
        "memory": f"{memory}Mi",
        **({"nvidia.com/gpu": str(gpus)} if gpus else {}),
        **({"nodeSelector": {"pool": chosen}} if chosen else {}),
    },
    st.integers(1, 5000), st.integers(1, 20000), st.sampled_from((0, 0, 0, 1, 2)), st.sampled_from(("", "", "a", "b")),
)  # fmt: skip

POOLS = st.lists(
    st.builds(
        lambda size, spread, cores, gib, gpus, zones: {
            "min": size, "max": size + spread, "cores": cores, "gib": gib, "gpus": gpus, "zones": zones,
        },
        st.integers(0, 2), st.integers(0, 3), st.sampled_from((2.0, 4.0)), st.sampled_from((4.0, 16.0)),
        st.sampled_from((0, 0, 2)), st.sampled_from(((), ("x", "y"))),
    ),
    min_size=1, max_size=3,
)  # fmt: skip


class TestWhateverComes:
    @given(sizes=POOLS, asked=st.lists(REQUESTS, max_size=12), killed=st.integers(0, 5))
    def test_sizes_stay_in_bounds_and_every_pod_that_fits_a_node_gets_one(
        self, sizes: list[dict[str, Any]], asked: list[dict[str, Any]], killed: int
    ) -> None:
        pools = [pool(name, **size) for name, size in zip("abc", sizes, strict=False)]
        world = World(*pools, idle_seconds=60)
        world.settle(seconds=60)
        world.after_step = lambda: check_sizes(world)
        world.put(*(pod(f"p{number:02}", **requests) for number, requests in enumerate(asked)))
        for _ in range(8):  # the last nodes come after the idle ones went
            world.settle(seconds=60)
            schedule(world)
        for item in world.pods.values():
            told = world.reasons(item["metadata"]["name"])
            if is_unschedulable(item):
                assert set(told["NotTriggerScaleUp"].split(": ", 1)[1].split("; ")) == self.excuses(world, item)
        for name in sorted(world.pods)[:killed]:
            del world.pods[name]
        world.settle(seconds=200)
        used = {item["spec"].get("nodeName") for item in world.pods.values()}
        for one in pools:
            own = {node["metadata"]["name"] for node in world.of(one.name)}
            waiting = any(is_unschedulable(item) for item in world.pods.values())
            assert waiting or len(own - used) <= one.min, "idle nodes are kept"

    def excuses(self, world: World, item: dict[str, Any]) -> set[str]:
        """What each pool should say: its size where an empty node would do, else what such a node lacks."""
        found = set()
        for one in world.pools.values():
            empty = World(dataclasses.replace(one, min=1, max=1))
            empty.settle(seconds=60)
            [node] = empty.nodes.values()
            slot = slot_of(node, [], [])
            why = misfit(read_pod(item), slot, [slot])
            found.add(f"{one.name}: {why or f'max node group size reached ({one.max})'}")
        return found


@pytest.mark.parametrize("again", range(3))
def test_deciding_twice_on_the_same_asks_for_the_same(again: int) -> None:
    """A repeated look, before what was asked for is there, must not depend on chance: nothing but names may differ."""
    world = World(pool("a"), pool("b", cores=8), pool("c", gpus=1))
    world.put(*(pod(f"p{number}", cpu=f"{1 + (number + again) % 3}") for number in range(6)))
    first, second = ([getattr(one, "scaling", one) for one in world.decide()] for _ in range(2))
    assert [getattr(one, "why", None) for one in first] == [getattr(one, "why", None) for one in second]
