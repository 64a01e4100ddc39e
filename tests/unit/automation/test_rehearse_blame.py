"""From what failed to the key of the stack file."""

from __future__ import annotations

import pytest

from qhub.automation.rehearse.blame import engine_failures, key_for, pod_failure
from qhub.rehearsal.report.recording import Pod
from tests.unit.platform.building import make_settings

POOLS = ("general", "user", "user-gpu", "worker")
STACK = "urn:pulumi:prod::qhub::pulumi:pulumi:Stack::qhub-prod"


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:prod::qhub::qhub:aws:Cluster${kind}::{name}"


@pytest.mark.parametrize(
    ("kind", "name", "message", "key"),
    [
        ("aws:eks/nodeGroup:NodeGroup", "qhub-user", "instance type m9.huge does not exist",
         "cluster.node_pools.user.instance_type"),
        ("aws:eks/nodeGroup:NodeGroup", "qhub-user-gpu", "vCPU quota exceeded: 0", "cluster.node_pools.user-gpu.max"),
        ("gcp:container/nodePool:NodePool", "qhub-worker", "no zone europe-x",
         "cluster.node_pools.worker.zones"),
        ("aws:ec2/subnet:Subnet", "qhub-private-a", "10.0.0.0/20 overlaps with 10.0.0.0/19", "cluster.network"),
        ("aws:eks/cluster:Cluster", "qhub", "version 1.12 is not offered", "cluster.version"),
        ("aws:efs/fileSystem:FileSystem", "qhub-homes", "no such throughput", "storage"),
        ("aws:ecr/repository:Repository", "qhub-registry", "exists", "cluster.registry"),
        ("kubernetes:helm.sh/v3:Release", "qhub-jupyterhub", "values don't meet the schema", "charts.jupyterhub"),
        ("kubernetes:helm.sh/v3:Release", "qhub-ingress-traefik", "chart not found", "charts.traefik"),
        ("kubernetes:core/v1:PersistentVolumeClaim", "qhub-storage-claim", "size can only grow", "storage"),
        ("kubernetes:core/v1:ConfigMap", "qhub-storage-x", "does not accept the credentials", "cluster"),
        ("aws:eks/nodeGroup:NodeGroup", "qhub-user", "cluster.node_pools.user.min: more than max",
         "cluster.node_pools.user.min"),
    ],
)  # fmt: skip
def test_key(kind: str, name: str, message: str, key: str) -> None:
    assert key_for(urn(kind, name), message, pools=POOLS).key == key


class TestEngineFailures:
    def test_what_only_follows_is_left_out(self) -> None:
        errors = [(urn("aws:ec2/vpc:Vpc", "qhub"), "the range is wrong"), (STACK, "update failed")]
        made = engine_failures("up", errors, pools=POOLS)
        assert [(one.what, one.key) for one in made] == [("Vpc qhub", "cluster.network")]

    def test_the_programs_own_words_stay(self) -> None:
        made = engine_failures("up", [(STACK, "jupyterhub.cull.timeout: expected seconds")], pools=POOLS)
        assert [(one.what, one.key) for one in made] == [("the program", "jupyterhub.cull.timeout")]

    def test_an_error_of_nothing_else_is_told(self) -> None:
        assert [one.message for one in engine_failures("up", [("", "update failed")], pools=POOLS)] == ["update failed"]

    def test_an_address_in_a_message_is_no_key(self) -> None:
        assert key_for("", "see https://hub.domain.users.org/x and storage.googleapis.com", pools=POOLS).key == ""


class TestPods:
    SETTINGS = make_settings(
        jupyterhub={"profiles": [
            {"name": "small", "default": True, "memory": {"limit": "2G"}},
            {"name": "big", "memory": {"guarantee": "1G"}},
            {"name": "quarter", "users_per_node": 4},
            {"name": "choose", "sizes": [{"name": "s"}, {"name": "m", "cpu": {"limit": 2}}]},
        ]},
        cluster={"node_pools": {"user": {"cpu": 4, "memory": "16Gi"}}},
    )  # fmt: skip

    @pytest.mark.parametrize(
        ("role", "profile", "reason", "key"),
        [
            ("user", "big", "0/2 nodes: 2 Insufficient memory", "jupyterhub.profiles[1].memory.guarantee"),
            ("user", "small", "0/2 nodes: 2 Insufficient memory", "jupyterhub.profiles[0].memory.limit"),
            ("user", "big", "0/2 nodes: 2 Insufficient nvidia.com/gpu", "jupyterhub.profiles[1].gpu"),
            ("user", "quarter", "0/2 nodes: 2 Insufficient cpu", "jupyterhub.profiles[2].users_per_node"),
            ("user", "choose", "0/2 nodes: 2 Insufficient cpu", "jupyterhub.profiles[3].sizes"),
            ("user", "big", "didn't match Pod's node affinity/selector", "jupyterhub.profiles[1].node_pool"),
            ("worker", "small", "0/2 nodes: 2 Insufficient cpu", "dask.profiles[0].cores"),
            ("worker", "small", "0/2 nodes: 2 Too many pods", "cluster.node_pools.worker.max"),
            ("platform", "", "0/2 nodes: 2 Insufficient cpu", "cluster.node_pools.general"),
        ],
    )
    def test_key(self, role: str, profile: str, reason: str, key: str) -> None:
        pod = Pod(
            namespace="qhub", name="p", role=role, profile=profile, node="", running=False, cpu=1, memory=1, gpus=0,
            reason=reason,
        )  # fmt: skip
        failure = pod_failure("demand", pod, self.SETTINGS)
        assert (failure.key, failure.message) == (key, reason)
