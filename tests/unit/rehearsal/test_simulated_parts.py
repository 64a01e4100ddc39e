"""Parts of a simulated cluster: the catalogue's nodes, pools as ConfigMaps, disks and load balancers of the clouds."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from qhub.config import instances
from qhub.rehearsal.cluster import ClusterError
from qhub.rehearsal.cluster.controllers import load_balancer, storage
from qhub.rehearsal.cluster.controllers.actions import Again, Create, Patch, Recorded, Warn
from qhub.rehearsal.cluster.controllers.loop import Controller, Loop
from qhub.rehearsal.cluster.controllers.pools import UNWANTED, config_map, config_map_name, plain, pools_of
from qhub.rehearsal.cluster.controllers.scaling_log import Scaling, read_scalings, scaling_log
from qhub.rehearsal.cluster.nodes import SimulatedNode, free_index, is_ready, node_object
from qhub.rehearsal.simulated import pool_spec
from qhub.rehearsal.simulated.storage_classes import storage_classes
from tests.unit.rehearsal.simulated_world import pool

Json = dict[str, Any]


class TestCatalogue:
    @pytest.mark.parametrize("cloud", instances.CLOUDS)
    def test_every_instance_type_makes_a_node_with_less_for_pods_than_it_has(self, cloud: str) -> None:
        for name in instances.names(cloud):
            node = pool_spec(cloud, "pool", instance_type=name, min=0, max=1).node
            assert 0 < node.allocatable_cores <= node.cores
            assert 0 < node.allocatable_memory <= node.memory
            assert node.usd_per_hour

    def test_an_unknown_type_is_told_with_the_nearest(self) -> None:
        with pytest.raises(ClusterError, match=r"m6i\.xlage is no instance type .*did you mean m6i\.xlarge\?"):
            pool_spec("aws", "user", instance_type="m6i.xlage", min=0, max=1)

    def test_attached_gpus_are_the_nodes(self) -> None:
        assert pool_spec("gcp", "gpu", instance_type="e2-standard-4", min=0, max=1, gpus=2).node.gpus == 2

    @pytest.mark.parametrize(("low", "high"), [(-1, 1), (2, 1)])
    def test_sizes_that_cannot_be(self, low: int, high: int) -> None:
        with pytest.raises(ValueError, match="0 <= min <= max"):
            pool_spec("aws", "user", instance_type="m6i.xlarge", min=low, max=high)


class TestDefinitions:
    def test_a_pool_is_the_same_out_of_its_config_map(self) -> None:
        made = pool("User_Pool", zones=("a", "b"), taints=[{"key": "k", "value": "", "effect": "NoExecute"}], usd=1.5)
        stored = json.loads(json.dumps(config_map(made)))
        assert pools_of([stored, {"metadata": {"name": "kube-root-ca.crt"}}]) == {"User_Pool": made}
        stored["metadata"]["labels"] = dict.fromkeys(stored["metadata"]["labels"], UNWANTED)
        assert pools_of([stored]) == {}
        assert [*pools_of([stored], state=UNWANTED)] == ["User_Pool"]

    def test_any_name_makes_a_kubernetes_name_of_its_own(self) -> None:
        names = ["user", "User", "USER", "user_", "-", "x" * 60, "x" * 61]
        assert len({config_map_name(name) for name in names}) == len(names)
        assert plain("user") == "user"
        assert all(len(plain(name)) <= 40 for name in names)

    def test_only_what_a_living_node_cannot_change_makes_it_another(self) -> None:
        first = pool("user", usd=1.0, zones=("a",)).node
        assert dataclasses.replace(first, usd_per_hour=2.0, zones=("b",)).digest == first.digest
        others = [{"labels": {"a": "b"}}, {"taints": ({"key": "k", "effect": "NoSchedule"},)}, {"instance_type": "x"},
                  {"gpus": 1}, {"spot": True}, {"allocatable_memory": 1}]  # fmt: skip
        digests = {dataclasses.replace(first, **other).digest for other in others}
        assert len(digests | {first.digest}) == len(others) + 1


class TestNodes:
    def test_a_booting_node_is_not_ready_and_is_left_alone_by_kwok(self) -> None:
        node = node_object(SimulatedNode("n"), index=1, port=2, version="v1.34.0", booting=True)
        assert "rehearsal.qhub.dev/node" not in node["metadata"]["labels"]
        assert not is_ready(node)

    def test_addresses_are_used_again_and_run_out(self) -> None:
        nodes = [node_object(SimulatedNode("n"), index=index, port=1, version="") for index in (1, 3)]
        assert free_index(nodes) == 2
        assert free_index(nodes, besides=[2]) == 4
        assert free_index([], besides=range(1, 255)) is None


def claim(provisioner: str, mode: str = "ReadWriteOnce") -> Json:
    return {
        "metadata": {
            "namespace": "team", "name": "data", "uid": "u1",
            "annotations": {"volume.kubernetes.io/storage-provisioner": provisioner},
        },
        "spec": {"storageClassName": "c", "accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}},
        "status": {"phase": "Pending"},
    }  # fmt: skip


def provision(asked: Json, provisioner: str) -> Any:
    storage_class = {"metadata": {"name": "c"}, "provisioner": provisioner}
    world = {storage.CLAIMS: [asked], storage.VOLUMES: [], storage.CLASSES: [storage_class]}
    return storage.reconcile(world)


class TestDisks:
    @pytest.mark.parametrize("cloud", instances.CLOUDS)
    def test_claims_of_every_class_of_a_cloud_are_served(self, cloud: str) -> None:
        for storage_class in storage_classes(cloud).values():
            named = storage_class["provisioner"]
            asked = "ebs.csi.aws.com" if named == "kubernetes.io/aws-ebs" else named
            [made] = provision(claim(asked), named)
            assert isinstance(made, Create)
            assert made.body["metadata"]["annotations"] == {"pv.kubernetes.io/provisioned-by": asked}

    @pytest.mark.parametrize(("cloud", "default"), [("aws", []), ("gcp", ["standard-rwo"]), ("azure", ["default"]),
                                                    ("digitalocean", ["do-block-storage"])])  # fmt: skip
    def test_each_cloud_has_its_own_default(self, cloud: str, default: list[str]) -> None:
        marked = [one["metadata"]["name"] for one in storage_classes(cloud).values() if one["metadata"]["annotations"]]
        assert marked == default

    @pytest.mark.parametrize(("provisioner", "shared"), [("ebs.csi.aws.com", False), ("efs.csi.aws.com", True),
                                                         ("rehearsal.qhub.dev/disk", True)])  # fmt: skip
    def test_a_disk_is_no_shared_file_system(self, provisioner: str, shared: bool) -> None:
        [action] = provision(claim(provisioner, "ReadWriteMany"), provisioner)
        assert isinstance(action, Create if shared else Warn)

    def test_a_driver_that_nobody_has_is_left_alone(self) -> None:
        assert not provision(claim("disk.example.com"), "disk.example.com")


def test_the_one_controller_of_a_cloud_serves_load_balancers_of_every_class() -> None:
    service = {
        "metadata": {"namespace": "team", "name": "entry", "uid": "u"},
        "spec": {"type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb"},
    }
    [given] = load_balancer.reconcile({load_balancer.SERVICES: [service]}, kind=load_balancer.Kind(any_class=True))
    assert isinstance(given, Patch)
    assert not load_balancer.reconcile({load_balancer.SERVICES: [service]})


class TestLog:
    def scaling(self, change: int) -> Scaling:
        return Scaling(time=1.5, pool="user", change=change, node="user-1", why="min is 1")

    def test_what_is_done_is_written_once_also_over_a_restart(self, tmp_path: Path) -> None:
        done: list[str] = []

        class Server:
            def create(self, path: str, body: Json) -> Json:
                done.append(path)
                return {"metadata": {"uid": str(len(done)), "resourceVersion": "1"}}

        file = scaling_log(tmp_path)
        create = Create("/things", {})
        for _ in range(2):
            loop = Loop(Controller("test", ("/things",), lambda _: []), Server())  # ty: ignore[invalid-argument-type]
            for change in (1, 1, -1):
                assert loop._try(Recorded(create, file, self.scaling(change)))
        assert read_scalings(file) == [self.scaling(1), self.scaling(-1)]
        assert len(done) == 6

    def test_what_fails_is_not_written(self, tmp_path: Path) -> None:
        class Away:
            def create(self, path: str, body: Json) -> Json:
                raise ConnectionRefusedError

        loop = Loop(Controller("test", ("/things",), lambda _: []), Away())  # ty: ignore[invalid-argument-type]
        assert not loop._try(Recorded(Create("/things", {}), scaling_log(tmp_path), self.scaling(1)))
        assert read_scalings(scaling_log(tmp_path)) == []

    def test_a_line_cut_short_by_a_kill_is_left_out(self, tmp_path: Path) -> None:
        line = json.dumps(dataclasses.asdict(self.scaling(1)))
        scaling_log(tmp_path).write_text(f"{line}\n{line[:-9]}")
        assert read_scalings(scaling_log(tmp_path)) == [self.scaling(1)]

    def test_looking_again_is_nothing_to_carry_out(self) -> None:
        loop = Loop(Controller("test", ("/things",), lambda _: []), object())  # ty: ignore[invalid-argument-type]
        assert loop._try(Again(1.0))
