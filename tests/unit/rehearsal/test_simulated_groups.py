"""Pools that an autoscaler in the cluster scales, as on EKS: by its arguments, and by nobody where none runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rehearsal.simulated_world import World, pod, pool

GROUP = "eks-user-0a1b"
TAINT = {"key": "pool", "value": "user", "effect": "NoSchedule"}


def autoscaler(*words: str, since: str = "2026-01-01T00:00:00Z", name: str = "autoscaler") -> dict[str, Any]:
    """A pod of the cluster-autoscaler that is Ready."""
    made = pod(name, node="elsewhere")
    made["metadata"] = {**made["metadata"], "namespace": "kube-system", "creationTimestamp": since}
    made["spec"]["containers"][0]["command"] = ["./cluster-autoscaler", "--cloud-provider=aws", *words]
    made["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    return made


def bounds(least: int, most: int, *, group: str = GROUP) -> tuple[str, ...]:
    return (f"--nodes={least}:{most}:{group}", "--enforce-node-group-min-size=true")


def world(*, desired: int = 0, most: int = 450, words: tuple[str, ...] | None = None, **spec: Any) -> World:
    """A world with the pool `user`, and an autoscaler with these words where there are any."""
    made = World(pool("user", min=0, max=most, group=GROUP, **spec))
    made.desired["user"] = desired
    if words is not None:
        made.put(autoscaler(*words))
    made.settle(seconds=60)
    return made


def waiting(count: int) -> list[dict[str, Any]]:
    """Pods of which each fills a node."""
    return [pod(f"p{number}", cpu="3") for number in range(count)]


class TestWithoutAnAutoscaler:
    def test_the_cloud_keeps_what_it_was_asked_for_and_nothing_grows(self) -> None:
        made = world(desired=2)
        made.put(*waiting(5))
        made.settle(seconds=3600)

        assert len(made.of("user")) == 2
        assert made.told == [], "there is nobody who could tell"

    def test_a_node_that_is_gone_is_made_again_and_idle_ones_stay(self) -> None:
        made = world(desired=2)
        lost = next(iter(made.nodes))
        del made.nodes[lost]
        made.settle(seconds=3600)

        assert len(made.of("user")) == 2
        assert lost not in made.nodes

    def test_fewer_are_asked_for_and_the_others_go(self) -> None:
        made = world(desired=3)
        busy = list(made.nodes)[1]
        made.put(pod("busy", node=busy))
        made.desired["user"] = 1
        made.settle(seconds=60)

        assert list(made.nodes) == [busy]

    @pytest.mark.parametrize("state", ["not ready", "ending", "another program"])
    def test_one_that_does_not_run_is_none(self, state: str) -> None:
        made = world()
        its = autoscaler(*bounds(1, 4))
        if state == "not ready":
            its["status"]["conditions"] = []
        elif state == "ending":
            its["metadata"]["deletionTimestamp"] = "2026-01-01T00:01:00Z"
        else:
            its["spec"]["containers"][0]["command"][0] = "./vertical-autoscaler"
        made.put(its, *waiting(1))
        made.settle(seconds=60)

        assert not made.nodes


class TestWithOne:
    def test_it_grows_up_to_its_own_bound_and_the_cloud_keeps_that(self) -> None:
        made = world(words=bounds(0, 3))
        made.put(*waiting(5))
        made.settle(seconds=60)

        assert len(made.of("user")) == made.desired["user"] == 3
        reasons = [made.reasons(f"p{number}") for number in range(5)]
        assert sum("max node group size reached (3)" in one.get("NotTriggerScaleUp", "") for one in reasons) == 2
        del made.pods["autoscaler"]
        made.settle(seconds=60)
        assert len(made.of("user")) == 3

    def test_it_takes_idle_nodes_down_to_its_min(self) -> None:
        made = world(desired=4, words=bounds(1, 5))
        made.settle(seconds=700)

        assert len(made.of("user")) == made.desired["user"] == 1
        assert [one.change for one in made.log].count(1) == 4, "none was taken away only to be asked for again"

    def test_a_raised_min_is_brought_up_and_a_lowered_one_let_go(self) -> None:
        made = world(desired=1, words=bounds(1, 3))
        made.put(autoscaler(*bounds(3, 6)))
        made.settle(seconds=60)
        assert len(made.of("user")) == made.desired["user"] == 3

        made.put(autoscaler(*bounds(1, 3)))
        made.settle(seconds=700)
        assert len(made.of("user")) == made.desired["user"] == 1

    def test_without_the_word_a_raised_min_waits_for_pods(self) -> None:
        made = world(desired=1, words=bounds(3, 6)[:1])
        made.settle(seconds=700)
        assert len(made.of("user")) == 1, "and it never goes below"

    def test_a_lowered_max_takes_no_node_that_is_in_use(self) -> None:
        made = world(desired=4, words=bounds(0, 5))
        busy = list(made.nodes)[:3]
        made.put(*(pod(f"busy-{name}", node=name, cpu="3") for name in busy))
        made.put(autoscaler(*bounds(0, 1)))
        made.settle(seconds=700)
        assert sorted(made.nodes) == sorted(busy)

        made.pods = {"autoscaler": made.pods["autoscaler"]}
        made.settle(seconds=700)
        assert not made.nodes

    def test_a_pool_that_it_does_not_know_is_left_alone(self) -> None:
        made = world(desired=2, words=bounds(0, 5, group="eks-other-0a1b"))
        made.put(*waiting(4))
        made.settle(seconds=700)

        assert len(made.of("user")) == 2

    def test_of_two_the_older_counts_until_it_goes(self) -> None:
        made = world(words=bounds(1, 3))
        made.put(autoscaler(*bounds(3, 3), since="2026-01-01T00:05:00Z", name="newer"))
        made.settle(seconds=60)
        assert len(made.of("user")) == 1

        del made.pods["autoscaler"]
        made.settle(seconds=60)
        assert len(made.of("user")) == 3

    def test_nodes_of_another_kind_come_before_the_old_ones_go_and_as_many(self) -> None:
        made = world(desired=2, words=bounds(0, 5))
        before = set(made.nodes)
        made.put(*(pod(f"busy-{name}", node=name, owner="set") for name in before))
        made.pools["user"] = pool("user", min=0, max=450, group=GROUP, labels={"pool": "other"})
        sizes = set()
        for _ in range(40):
            made.step()
            sizes.add(len(made.nodes))
            made.now += 10

        assert not before & set(made.nodes)
        assert len(made.nodes) == made.desired["user"] == 2
        assert min(sizes) == 2

    @pytest.mark.parametrize("word", ["--nodes=3:1:eks-user-0a1b", "--nodes=a:1:eks-user-0a1b", "--nodes=1:3"])
    def test_arguments_that_mean_nothing_are_told_and_scale_nothing(self, word: str) -> None:
        made = world(words=(word,))
        made.put(*waiting(1))
        made.settle(seconds=60)

        assert not made.nodes
        assert word in made.reasons("autoscaler")["BackOff"]


class TestChangesOfItsNodes:
    def test_labels_and_taints_are_put_on_the_nodes_there_are(self) -> None:
        made = world(desired=2, in_place=True, labels={"pool": "user", "team": "blue"}, taints=[TAINT])
        before = set(made.nodes)
        first = made.nodes[min(before)]
        first["spec"]["taints"] = [*first["spec"]["taints"], {"key": "node.kubernetes.io/x", "effect": "NoSchedule"}]
        taint = {**TAINT, "effect": "NoExecute"}
        made.pools["user"] = pool(
            "user", max=450, group=GROUP, in_place=True, labels={"pool": "user", "rack": "a"}, taints=[taint]
        )
        made.settle(seconds=60)

        assert set(made.nodes) == before
        for node in made.nodes.values():
            labels = node["metadata"]["labels"]
            assert ("team" in labels, labels["pool"], labels["rack"]) == (False, "user", "a")
            assert taint in node["spec"]["taints"]
            assert TAINT not in node["spec"]["taints"]
        assert len(first["spec"]["taints"]) == 2, "what others put there stays"

    def test_another_image_replaces_them(self) -> None:
        made = world(desired=2, in_place=True, build="one")
        before = set(made.nodes)
        made.pools["user"] = pool("user", max=450, group=GROUP, in_place=True, build="two")
        made.settle(seconds=600)

        assert not before & set(made.nodes)
        assert len(made.nodes) == 2


def test_a_node_that_is_only_not_known_to_be_gone_costs_no_other_one() -> None:
    """Between the end of a node and the watch's word of it, there seems to be one too many."""
    made = world(desired=3, words=bounds(1, 5))
    made.settle(seconds=598)
    for _ in range(20):
        known = dict(made.nodes)
        made.step()
        if gone := known.keys() - made.nodes.keys():
            break
        made.now += 0.5
    kept = set(made.nodes)
    made.nodes.update({name: known[name] for name in gone})
    made.step()

    assert kept <= set(made.nodes)
    assert made.desired["user"] == len(kept)
