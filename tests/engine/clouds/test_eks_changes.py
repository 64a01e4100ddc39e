"""Changes of a running EKS cluster by a plain `pulumi up`: each touches what it must, and nothing else."""

from __future__ import annotations

from typing import Any

from tests.engine.clouds.eks import REGION, EksStack, of_type
from tests.engine.waiting import eventually

AUTOSCALER = "/apis/apps/v1/namespaces/kube-system/deployments/cluster-autoscaler-aws-cluster-autoscaler"
LABEL = "example.org/team"


def arguments(eks: EksStack) -> list[str]:
    """Return the bounds that the autoscaler was started with, `min:max`, with the pool's name."""
    command = eks.api.get(AUTOSCALER)["spec"]["template"]["spec"]["containers"][0]["command"]
    found = [word.removeprefix("--nodes=").split(":") for word in command if word.startswith("--nodes=")]
    return [f"{least}:{most} {group.split('-')[2]}" for least, most, group in found]


class TestARunningCluster:
    def test_is_left_alone_when_nothing_changes(self, eks: EksStack) -> None:
        assert arguments(eks) == ["1:2 general", "0:2 general", "1:3 user", "0:1 worker", "0:1 worker"]
        assert len(eks.nodes("user")) == 1
        assert eks.steps() == {}

    def test_other_bounds_start_the_autoscaler_anew_and_nodes_follow(self, eks: EksStack) -> None:
        kept, groups = eks.names("user"), eks.inputs("NodeGroup")
        eks.cluster["node_pools"]["user"] |= {"min": 3, "max": 6}
        assert eks.steps() == {"autoscaler": "update"}
        assert eks.touched() == {}, "nothing of the cloud"

        eventually(lambda: eks.names("user"), lambda names: len(names) == 3 and kept <= names)
        assert "3:6 user" in arguments(eks)

        eks.cluster["node_pools"]["user"] |= {"min": 1, "max": 3}
        assert eks.touched() == {}
        eventually(lambda: eks.names("user"), lambda names: len(names) == 1)
        assert eks.inputs("NodeGroup") == groups

    def test_another_label_is_put_on_the_nodes_there_are(self, eks: EksStack) -> None:
        before = eks.names("user")
        eks.cluster["node_pools"]["user"]["labels"] = {LABEL: "blue"}

        assert eks.touched() == {
            f"NodeGroup:pools-user-{REGION}a": ["update"],
            f"Tag:pools-user-{REGION}a-k8s.io/cluster-autoscaler/node-template/label/{LABEL}": ["create"],
        }
        assert eks.names("user") == before
        assert [eks.api.get(f"/api/v1/nodes/{name}")["metadata"]["labels"][LABEL] for name in before] == ["blue"]

    def test_another_tag_updates_all_that_has_tags_and_rolls_the_nodes(self, eks: EksStack) -> None:
        before = {pool: eks.names(pool) for pool in ("general", "user")}
        eks.cluster["tags"] = {"team": "data"}
        touched = eks.touched()

        tagged = [one for one in eks.world.left() if "tagsAll" in one.inputs]
        assert len(tagged) > 20
        assert {one.outputs["tagsAll"].get("team") for one in tagged} == {"data"}
        assert touched == {f"{one.type.rsplit(':', 1)[-1]}:{one.name}": ["update"] for one in tagged}
        # Instances get their tags by the launch template, and EKS replaces them for another version of it.
        after = {pool: eks.names(pool) for pool in before}
        assert {pool: len(names) for pool, names in after.items()} == {"general": 1, "user": 1}
        assert not any(before[pool] & after[pool] for pool in before)

    def test_a_pool_more_and_one_less_touch_no_other(self, eks: EksStack) -> None:
        others = eks.names("general") | eks.names("user")
        eks.cluster["node_pools"]["big"] = {"instance_type": "m6i.2xlarge", "min": 1, "max": 2}
        touched = eks.touched()

        assert of_type(touched, "NodeGroup", "LaunchTemplate") == {
            "LaunchTemplate:pools-big",
            *(f"NodeGroup:pools-big-{REGION}{letter}" for letter in "ab"),
        }
        assert of_type(touched, "Tag") == set(touched) - of_type(touched, "NodeGroup", "LaunchTemplate")
        assert all(name.partition(":")[2].startswith("pools-big") for name in touched)
        assert {tuple(operations) for operations in touched.values()} == {("create",)}
        assert [node.instance_type for node in eks.nodes("big")] == ["m6i.2xlarge"]
        assert arguments(eks)[:2] == ["1:1 big", "0:1 big"]

        del eks.cluster["node_pools"]["big"]
        gone = eks.touched()
        assert gone == {name: ["delete"] for name in touched}
        assert eks.nodes("big") == []
        assert arguments(eks) == ["1:2 general", "0:2 general", "1:3 user", "0:1 worker", "0:1 worker"]
        assert eks.names("general") | eks.names("user") == others

    def test_one_more_zone_of_a_pool_is_one_more_group(self, eks: EksStack) -> None:
        before = eks.names("general") | eks.names("user")
        eks.cluster["node_pools"]["user"]["zones"] = [f"{REGION}a", f"{REGION}b"]
        touched = eks.touched()

        assert of_type(touched, "NodeGroup", "LaunchTemplate") == {f"NodeGroup:pools-user-{REGION}b"}
        assert all(name.partition(":")[2].startswith(f"pools-user-{REGION}b") for name in touched)
        assert eks.names("general") | eks.names("user") == before

    def test_another_zone_of_a_spot_pool_makes_a_new_group_before_the_old_one_goes(self, eks: EksStack) -> None:
        spot: dict[str, Any] = {"instance_type": "m6i.xlarge", "min": 1, "max": 2, "spot": True}
        eks.cluster["node_pools"]["spot"] = spot | {"zones": [f"{REGION}a"]}
        eks.up()
        before, others = eks.names("spot"), eks.names("general") | eks.names("user")
        eks.cluster["node_pools"]["spot"] = spot | {"zones": [f"{REGION}a", f"{REGION}b"]}
        touched = eks.touched()

        assert of_type(touched, "NodeGroup", "LaunchTemplate") == {"NodeGroup:pools-spot"}
        assert touched.pop("NodeGroup:pools-spot") == ["create", "delete"]
        assert all(name.startswith("Tag:pools-spot-") for name in touched)
        assert len(eks.nodes("spot")) == 1
        assert not eks.names("spot") & before
        assert eks.names("general") | eks.names("user") == others

    def test_a_third_zone_replaces_the_groups_over_all_zones_alone(self, eks: EksStack) -> None:
        del eks.cluster["node_pools"]["spot"]["zones"]
        eks.cluster["network"]["zones"] = [f"{REGION}{letter}" for letter in "abc"]
        steps = eks.steps()

        replaced = {name for name, step in steps.items() if "replace" in step and "k8s.io" not in name}
        assert replaced == {"pools-spot"}
        assert {name for name, step in steps.items() if step == "update"} == {"autoscaler"}
        assert {name for name, step in steps.items() if step == "create" and "k8s.io" not in name} == {
            f"network-private-{REGION}c",
            f"network-public-{REGION}c",
            f"network-s3-{REGION}c",
            f"pools-general-{REGION}c",
            f"pools-worker-{REGION}c",
        }

    def test_a_destroy_leaves_nothing(self, eks: EksStack) -> None:
        eks.cluster["network"]["zones"] = [f"{REGION}{letter}" for letter in "ab"]
        eks.destroy()

        assert eks.world.left() == []
        assert not eks.kubernetes.folder.exists()
