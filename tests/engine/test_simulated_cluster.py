"""The Kubernetes of a simulated cloud, as its stand-in and its users see it: pools, autoscaler, credentials, disks."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from qhub.rehearsal.cluster import ClusterError
from qhub.rehearsal.cluster.api import Api
from qhub.rehearsal.cluster.controllers.images import pull_seconds
from qhub.rehearsal.cluster.controllers.pods_starting import READY_AT, START
from qhub.rehearsal.cluster.controllers.pools import annotation
from qhub.rehearsal.cluster.pki import Pki
from qhub.rehearsal.commands import install
from qhub.rehearsal.simulated import NodeSpec, PoolSpec, SimulatedKubernetes, kubernetes_of, pool_spec
from qhub.rehearsal.toolchain import tool_path
from tests.engine.test_cluster_objects import condition, is_ready
from tests.engine.waiting import eventually

Json = dict[str, Any]

PODS = "/api/v1/namespaces/default/pods"
GIB = 1024**3
#: A minute in a second, as in a rehearsal.
SPEED = 60.0


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the simulated clouds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QHUB_REHEARSAL_SPEED", str(SPEED))
        yield tmp_path_factory.mktemp("world")


@pytest.fixture(scope="module")
def cluster(world: Path) -> Iterator[SimulatedKubernetes]:
    """A cluster of AWS, without pools; tests leave it without pools."""
    made = kubernetes_of(world, cloud="aws", region="eu-west-1", name="Prod")
    try:
        made.create(name="Prod", version="1.34", cloud="aws", region="eu-west-1", idle_seconds=60)
        yield made
    finally:
        made.delete()


@pytest.fixture
def api(cluster: SimulatedKubernetes) -> Iterator[Api]:
    """The administrator's client; pods and pools are gone afterwards."""
    client = administrator(cluster)
    eventually(lambda: client.items("/api/v1/namespaces/default/serviceaccounts"))
    yield client
    for item in client.items(PODS):
        client.delete(f"{PODS}/{item['metadata']['name']}", options={"gracePeriodSeconds": 0})
    for name in cluster.pools():
        cluster.remove_pool(name)


def administrator(cluster: SimulatedKubernetes) -> Api:
    ports = json.loads((cluster.folder / "state.json").read_text())["ports"]
    return Api(ports["kube-apiserver"], pki=Pki(cluster.folder / "pki"), identity="admin")


def pool(name: str, *, min: int = 0, max: int = 3, gpus: int = 0) -> PoolSpec:
    """A pool of nodes with 3 cores for pods, which only its own pods tolerate."""
    spec = NodeSpec(
        instance_type="m6i.xlarge",
        cores=4,
        memory=16 * GIB,
        allocatable_cores=3,
        allocatable_memory=14 * GIB,
        gpus=gpus,
        labels={"pool": name},
        taints=({"key": "pool", "value": name, "effect": "NoSchedule"},),
    )
    return PoolSpec(name=name, node=spec, min=min, max=max, seconds=30)


def pod(name: str, pool: str, **requests: str) -> Json:
    asked = {key.replace("gpu", "nvidia.com/gpu"): value for key, value in requests.items()}
    return {
        "metadata": {"name": name},
        "spec": {
            "nodeSelector": {"pool": pool},
            "tolerations": [{"key": "pool", "operator": "Exists"}],
            "containers": [{"name": "main", "image": "example.invalid/main:1", "resources": {"limits": asked}}],
        },
    }


def events(api: Api, name: str) -> dict[str, str]:
    found = [one for one in api.items(PODS.replace("pods", "events")) if one["involvedObject"]["name"] == name]
    return {one["reason"]: one["message"] for one in found}


class TestPools:
    def test_a_pool_has_min_nodes_of_its_machine_in_all_its_zones(self, cluster: SimulatedKubernetes, api: Api) -> None:
        zones = ("eu-west-1a", "eu-west-1b")
        wanted = pool_spec("aws", "general", instance_type="m6i.large", min=2, max=4, region="eu-west-1", zones=zones)
        cluster.set_pool(wanted)
        nodes = cluster.nodes()
        assert {node.zone for node in nodes} == set(zones)
        assert {(node.pool, node.instance_type, node.ready) for node in nodes} == {("general", "m6i.large", True)}
        status = api.get(f"/api/v1/nodes/{nodes[0].name}")["status"]
        assert status["capacity"]["cpu"] == "2"
        assert float(status["allocatable"]["cpu"].removesuffix("m")) == wanted.node.allocatable_cores * 1000
        assert int(status["allocatable"]["memory"]) == wanted.node.allocatable_memory < 8 * GIB
        assert cluster.pools() == {"general": wanted}
        cluster.remove_pool("general")
        assert cluster.nodes() == []
        # The last is written down a moment after the node is gone.
        scalings = eventually(
            lambda: [one.change for one in cluster.scalings() if one.pool == "general"], lambda seen: len(seen) == 6
        )
        assert scalings == [1, 1, 0, 0, -1, -1]

    def test_pods_without_room_grow_their_pool_and_idle_nodes_go(self, cluster: SimulatedKubernetes, api: Api) -> None:
        cluster.set_pool(pool("other", max=5))
        cluster.set_pool(pool("user", min=1, max=3))
        for number in range(4):
            api.create(PODS, pod(f"user-{number}", "user", cpu="1500m"))
        eventually(lambda: api.items(PODS), lambda pods: len(pods) == 4 and all(map(is_ready, pods)))
        assert [node.pool for node in cluster.nodes()] == ["user", "user"]
        told = [message for number in range(4) for message in [events(api, f"user-{number}").get("TriggeredScaleUp")]]
        assert "pod triggered scale-up: [{user 1->2 (max: 3)}]" in told

        for number in range(4):
            api.delete(f"{PODS}/user-{number}")
        eventually(cluster.nodes, lambda nodes: len(nodes) == 1)
        assert eventually(lambda: cluster.scalings()[-1], lambda last: last.change == -1).why == "empty for 60 s"

    def test_a_gpu_pool_comes_from_nothing_for_a_pod_that_asks_for_a_gpu(
        self, cluster: SimulatedKubernetes, api: Api
    ) -> None:
        cluster.set_pool(pool("gpu", max=1, gpus=1))
        assert cluster.nodes() == []
        api.create(PODS, pod("training", "gpu", cpu="1", gpu="1"))
        eventually(lambda: api.get(f"{PODS}/training"), is_ready)
        assert [node.pool for node in cluster.nodes()] == ["gpu"]

    def test_a_pod_that_no_pool_can_take_is_told_why_by_each(self, cluster: SimulatedKubernetes, api: Api) -> None:
        cluster.set_pool(pool("small"))
        cluster.set_pool(pool("full", max=0))
        api.create(PODS, pod("huge", "small", cpu="64"))
        api.create(PODS, pod("late", "full", cpu="1"))
        told = eventually(lambda: events(api, "huge").get("NotTriggerScaleUp", ""))
        assert "small: Insufficient cpu" in told
        assert "full: node(s) didn't match Pod's node affinity/selector" in told
        told = eventually(lambda: events(api, "late").get("NotTriggerScaleUp", ""))
        assert "full: max node group size reached (0)" in told
        assert cluster.nodes() == []

    def test_other_labels_replace_the_nodes_and_another_size_does_not(
        self, cluster: SimulatedKubernetes, api: Api
    ) -> None:
        first = pool("changing", min=2, max=2)
        cluster.set_pool(first)
        before = {node.name for node in cluster.nodes()}
        cluster.set_pool(dataclasses.replace(first, max=4))
        assert {node.name for node in cluster.nodes()} == before

        labels = {"pool": "changing", "team": "blue"}
        cluster.set_pool(dataclasses.replace(first, node=dataclasses.replace(first.node, labels=labels)))
        nodes = cluster.nodes()
        assert len(nodes) == 2
        assert not {node.name for node in nodes} & before
        assert all(api.get(f"/api/v1/nodes/{node.name}")["metadata"]["labels"]["team"] == "blue" for node in nodes)

    def test_the_pods_of_a_removed_pool_wait_for_another(self, cluster: SimulatedKubernetes, api: Api) -> None:
        cluster.set_pool(pool("short", min=1))
        deployments = "/apis/apps/v1/namespaces/default/deployments"
        template = {"metadata": {"labels": {"app": "web"}}, "spec": pod("web", "short", cpu="1")["spec"]}
        spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
        api.create(deployments, {"metadata": {"name": "web"}, "spec": spec})
        eventually(lambda: api.items(PODS), lambda pods: len(pods) == 1 and is_ready(pods[0]))
        cluster.remove_pool("short")
        assert cluster.nodes() == []
        waiting = eventually(
            lambda: api.items(PODS), lambda pods: len(pods) == 1 and condition(pods[0], "PodScheduled")
        )
        assert condition(waiting[0], "PodScheduled")["reason"] == "Unschedulable"
        api.delete(f"{deployments}/web")
        eventually(lambda: api.items(PODS), lambda pods: not pods)

    def test_a_daemon_set_keeps_no_node(self, cluster: SimulatedKubernetes, api: Api) -> None:
        cluster.set_pool(pool("watched"))
        sets = "/apis/apps/v1/namespaces/default/daemonsets"
        template = {"metadata": {"labels": {"app": "agent"}}, "spec": pod("agent", "watched", cpu="100m")["spec"]}
        api.create(
            sets,
            {
                "metadata": {"name": "agent"},
                "spec": {"selector": {"matchLabels": {"app": "agent"}}, "template": template},
            },
        )
        api.create(PODS, pod("guest", "watched", cpu="2900m"))
        eventually(lambda: api.get(f"{PODS}/guest"), is_ready)
        eventually(lambda: api.items(PODS), lambda pods: len(pods) == 2 and all(map(is_ready, pods)))
        api.delete(f"{PODS}/guest")
        eventually(cluster.nodes, lambda nodes: not nodes)
        api.delete(f"{sets}/agent")


class TestDisksAndLoadBalancers:
    def test_the_classes_of_aws_are_there_and_a_disk_waits_for_its_pod(
        self, cluster: SimulatedKubernetes, api: Api
    ) -> None:
        classes = "/apis/storage.k8s.io/v1/storageclasses"
        assert [item["metadata"]["name"] for item in api.items(classes)] == ["gp2"]
        made = {
            "metadata": {"name": "gp3"},
            "provisioner": "ebs.csi.aws.com",
            "volumeBindingMode": "WaitForFirstConsumer",
        }
        api.create(classes, made)
        claims = PODS.replace("pods", "persistentvolumeclaims")
        for name, mode in (("mine", "ReadWriteOnce"), ("ours", "ReadWriteMany")):
            spec = {"storageClassName": "gp3", "accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}}
            api.create(claims, {"metadata": {"name": name}, "spec": spec})
        cluster.set_pool(pool("user", max=2))
        for name in ("mine", "ours"):
            using = pod(name, "user", cpu="1")
            using["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": name}}]
            api.create(PODS, using)
        eventually(lambda: api.get(f"{PODS}/mine"), is_ready)
        assert api.get(f"{claims}/mine")["status"]["phase"] == "Bound"
        assert "cannot be ReadWriteMany" in eventually(lambda: events(api, "ours").get("ProvisioningFailed", ""))
        for name in ("mine", "ours"):
            api.delete(f"{PODS}/{name}")
            api.delete(f"{claims}/{name}")

    def test_the_disk_of_a_pod_keeps_it_in_its_zone(self, cluster: SimulatedKubernetes, api: Api) -> None:
        made = {
            "metadata": {"name": "zonal"},
            "provisioner": "ebs.csi.aws.com",
            "volumeBindingMode": "WaitForFirstConsumer",
        }
        api.create("/apis/storage.k8s.io/v1/storageclasses", made)
        spec = {
            "storageClassName": "zonal",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        }
        claims = PODS.replace("pods", "persistentvolumeclaims")
        api.create(claims, {"metadata": {"name": "data"}, "spec": spec})
        wanted = pool("user", min=1, max=2)
        cluster.set_pool(dataclasses.replace(wanted, node=dataclasses.replace(wanted.node, zones=("eu-west-1a",))))
        using = pod("first", "user", cpu="1")
        using["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
        api.create(PODS, using)
        eventually(lambda: api.get(f"{PODS}/first"), is_ready)

        # The pool moves to another zone: its nodes there are of no use to the next pod with this disk.
        api.delete(f"{PODS}/first", options={"gracePeriodSeconds": 0})
        cluster.remove_pool("user")
        cluster.set_pool(dataclasses.replace(wanted, node=dataclasses.replace(wanted.node, zones=("eu-west-1b",))))
        api.create(PODS, using)
        waiting = eventually(lambda: api.get(f"{PODS}/first"), lambda item: condition(item, "PodScheduled"))
        assert "PersistentVolume's node affinity" in condition(waiting, "PodScheduled")["message"]
        told = eventually(lambda: events(api, "first").get("NotTriggerScaleUp", ""))
        assert "user: node(s) didn't match Pod's node affinity/selector" in told
        api.delete(f"{PODS}/first", options={"gracePeriodSeconds": 0})
        api.delete(f"{claims}/data")

    def test_a_load_balancer_of_the_clouds_class_gets_a_host_name_that_leads_nowhere(self, api: Api) -> None:
        services = PODS.replace("pods", "services")
        spec = {"type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb", "ports": [{"port": 443}]}
        api.create(services, {"metadata": {"name": "entry"}, "spec": spec})
        [entry] = eventually(lambda: api.get(f"{services}/entry")["status"]["loadBalancer"].get("ingress"))
        assert entry.keys() == {"hostname"}
        assert entry["hostname"].endswith(".elb.eu-west-1.rehearsal.invalid")
        api.delete(f"{services}/entry")


class TestStartOfPods:
    """Compared on the simulated clock: the moments that the API server has, in real milliseconds times the speed."""

    BIG = "quay.io/jupyter/scipy-notebook:2026-05-26"
    SMALL = "registry.k8s.io/pause:3.10.1"

    def started(self, api: Api, name: str, image: str) -> Json:
        """Start a pod; return what it waited for, once it is Ready."""
        wanted = pod(name, "user", cpu="100m")
        wanted["spec"]["containers"][0]["image"] = image
        api.create(PODS, wanted)
        # What the kubelet's stand-in sees, in its order: told when it will be Ready, and not Ready before.
        seen = eventually(lambda: api.get(f"{PODS}/{name}"), lambda item: annotation(item, READY_AT))
        moment = datetime.fromisoformat(annotation(seen, READY_AT))
        assert is_ready(seen) <= (datetime.now(UTC) >= moment)
        ready = eventually(lambda: api.get(f"{PODS}/{name}"), is_ready)
        changed = datetime.fromisoformat(condition(ready, "Ready")["lastTransitionTime"])
        # The API server keeps whole seconds.
        assert changed >= moment.replace(microsecond=0)
        return json.loads(annotation(ready, START))

    def test_a_big_image_makes_a_pod_late_and_the_next_one_with_it_skips_the_pull(
        self, cluster: SimulatedKubernetes, api: Api
    ) -> None:
        cluster.set_pool(pool("user", min=1, max=1))
        small = self.started(api, "small", self.SMALL)
        big = self.started(api, "big", self.BIG)
        again = self.started(api, "again", self.BIG)
        assert small["images"] == pytest.approx(pull_seconds(self.SMALL))
        assert big["images"] == pytest.approx(pull_seconds(self.BIG))
        assert big["images"] > 10 * small["images"]
        assert (again["images"], again["pulled"]) == (0, {})
        assert again["containers"] == big["containers"] == small["containers"]


class TestCredentials:
    @pytest.fixture
    def environment(self, world: Path, tmp_path: Path) -> dict[str, str]:
        path = os.pathsep.join([str(install(tmp_path / "bin")), os.environ["PATH"]])
        return {"PATH": path, "HOME": str(tmp_path), "QHUB_REHEARSAL_WORLD": str(world)}

    def kubeconfig(
        self, cluster: SimulatedKubernetes, folder: Path, *, name: str = "Prod", version: str = "v1"
    ) -> Path:
        endpoint = cluster.endpoint()
        user = {
            "apiVersion": f"client.authentication.k8s.io/{version}",
            "command": "aws",
            "args": ["--region", "eu-west-1", "eks", "get-token", "--cluster-name", name, "--output", "json"],
            "interactiveMode": "Never",
        }
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "clusters": [
                {"name": "it", "cluster": {"server": endpoint.server, "certificate-authority-data": endpoint.ca_data}}
            ],
            "users": [{"name": "it", "user": {"exec": user}}],
        }
        path = folder / "kubeconfig"
        path.write_text(json.dumps(document))
        return path

    @pytest.mark.parametrize("version", ["v1", "v1beta1"])
    def test_kubectl_and_helm_sign_in(
        self, cluster: SimulatedKubernetes, environment: dict[str, str], tmp_path: Path, version: str
    ) -> None:
        path = self.kubeconfig(cluster, tmp_path, version=version)
        for tool, *arguments in (("kubectl", "auth", "can-i", "delete", "nodes"), ("helm", "list", "--all-namespaces")):
            command = [tool_path(tool), "--kubeconfig", path, *arguments]
            answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            assert answer.returncode == 0, answer.stderr

    def test_the_kubernetes_stand_in_signs_in(
        self, cluster: SimulatedKubernetes, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import threading

        from qhub.rehearsal.plugins.kubernetes.client import Api as PluginApi
        from qhub.rehearsal.plugins.kubernetes.kubeconfig import resolve
        from qhub.rehearsal.plugins.kubernetes.settings import Settings

        for key in ("PATH", "QHUB_REHEARSAL_WORLD"):
            monkeypatch.setenv(key, environment[key])
        text = self.kubeconfig(cluster, tmp_path).read_text()
        target = resolve(Settings(kubeconfig=text))
        client = PluginApi(target, cancelled=threading.Event())
        try:
            assert client.request("GET", "/api/v1/namespaces/kube-system")["metadata"]["name"] == "kube-system"
        finally:
            client.close()

    def test_another_name_is_refused_and_told(
        self, cluster: SimulatedKubernetes, environment: dict[str, str], tmp_path: Path
    ) -> None:
        path = self.kubeconfig(cluster, tmp_path, name="prod")
        command = [tool_path("kubectl"), "--kubeconfig", path, "get", "nodes"]
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert answer.returncode != 0
        assert (
            "there is no cluster prod in eu-west-1 in the simulated cloud. Clusters: Prod in eu-west-1" in answer.stderr
        )


class TestLife:
    def test_side_by_side_killed_and_gone_without_a_trace(self, cluster: SimulatedKubernetes, world: Path) -> None:
        own = kubernetes_of(world, cloud="gcp", region="europe-west1", name="Prod")
        try:
            first = own.create(name="Prod", version="1.34", cloud="gcp", region="europe-west1")
            assert first.server != cluster.endpoint().server
            own.set_pool(pool("general", min=1))
            assert [node.pool for node in own.nodes()] == ["general"]
            assert cluster.nodes() == []

            psutil.Process(process_ids(own)["controllers"]).kill()
            with pytest.raises(ClusterError, match="create the cluster again"):
                own.set_pool(pool("general", min=2))
            assert own.create(name="Prod", version="1.34", cloud="gcp", region="europe-west1") == first
            own.set_pool(pool("general", min=2))
            assert len(own.nodes()) == 2
        finally:
            own.delete()
        assert not own.folder.exists()
        assert not [
            one for one in psutil.process_iter(["cmdline"]) if str(own.folder) in " ".join(one.info["cmdline"] or [])
        ]
        with pytest.raises(ClusterError, match="create it first"):
            own.nodes()
        assert cluster.endpoint().version.startswith("v1.")


def process_ids(cluster: SimulatedKubernetes) -> dict[str, int]:
    return json.loads((cluster.folder / "state.json").read_text())["pids"]
