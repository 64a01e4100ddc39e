"""How pods start on a simulated cloud, as functions: what takes how long, and what the second pod is spared."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qhub.rehearsal.cluster.controllers import images, pods_starting
from qhub.rehearsal.cluster.controllers.actions import Patch
from qhub.rehearsal.cluster.controllers.durations import BY_CLOUD, MOUNT, Durations
from qhub.rehearsal.cluster.controllers.images import megabytes, pull_seconds
from qhub.rehearsal.cluster.controllers.pace import Pace
from qhub.rehearsal.cluster.controllers.pod_start import CONTAINER, INIT, SANDBOX, Images, readiness, start_of
from qhub.rehearsal.cluster.controllers.pods_starting import COLLECTIONS, IMAGES, PODS, READY_AT, START
from qhub.rehearsal.cluster.controllers.storage_names import CLAIMS, VOLUMES
from qhub.rehearsal.cluster.nodes import NODES, SimulatedNode, node_object

Json = dict[str, Any]

HUB, SMALL = "quay.io/jupyterhub/k8s-hub:4.4.0", "registry.k8s.io/pause:3.10.1"
BIG = "quay.io/jupyter/scipy-notebook:2026-05-26"
SPEED = 60.0
NOW = 1_800_000_000.0


def none_there(*, parallel: bool = False) -> Images:
    return Images(there={}, parallel=parallel)


def container(image: str = SMALL, **more: Any) -> Json:
    return {"name": "main", "image": image, **more}


def pod(name: str, *, node: str = "node-1", image: str = SMALL, claim: str = "") -> Json:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}] if claim else []
    return {
        "metadata": {"namespace": "team", "name": name, "uid": name, "creationTimestamp": "2027-01-15T08:00:00Z"},
        "spec": {"nodeName": node, "containers": [container(image)], "volumes": volumes},
        "status": {"phase": "Pending"},
    }


def node(name: str = "node-1", *, ready: bool = True) -> Json:
    made = node_object(SimulatedNode(name), index=1, port=1, version="v1.34.0", booting=not ready)
    made["status"].setdefault("conditions", []).append({"type": "Ready", "status": str(ready)})
    return made


class Cluster:
    """Objects, and the controller's changes made to them."""

    def __init__(self, *nodes: Json, cloud: str = "gcp") -> None:
        self.objects: dict[str, list[Json]] = {key: [] for key in COLLECTIONS}
        self.objects[NODES] += nodes
        self.now = NOW
        self.cloud = cloud

    def put(self, *pods: Json) -> None:
        self.objects[PODS] += pods

    def disk(self, name: str, *, driver: str = "pd.csi.storage.gke.io", bound: bool = True) -> None:
        volume = {"metadata": {"name": f"pv-{name}", "annotations": {"pv.kubernetes.io/provisioned-by": driver}}}
        self.objects[VOLUMES].append(volume)
        status = {"phase": "Bound" if bound else "Pending"}
        about = {"namespace": "team", "name": name}
        self.objects[CLAIMS].append({"metadata": about, "spec": {"volumeName": f"pv-{name}"}, "status": status})

    def step(self) -> None:
        pace = Pace(speed=SPEED, durations=BY_CLOUD[self.cloud], now=lambda: self.now)
        for action in pods_starting.reconcile(self.objects, pace=pace):
            assert isinstance(action, Patch)
            kind, name = action.path.split("/")[-2:]
            collection = NODES if kind == "nodes" else PODS
            about = next(one for one in self.objects[collection] if one["metadata"]["name"] == name)["metadata"]
            change = action.body["metadata"]
            # The API server refuses the change of another object of the same name.
            assert collection == NODES or change["uid"] == about["uid"]
            about.setdefault("annotations", {}).update(change["annotations"])

    def notes(self, name: str) -> Json:
        return next(
            one["metadata"].get("annotations", {}) for one in self.objects[PODS] if one["metadata"]["name"] == name
        )

    def start(self, name: str) -> Json:
        return json.loads(self.notes(name)[START])

    def ready(self, name: str) -> float:
        """When a pod is Ready, in simulated seconds from the beginning."""
        return (datetime.fromisoformat(self.notes(name)[READY_AT]).timestamp() - NOW) * SPEED


class TestImages:
    @pytest.mark.parametrize(
        "name",
        ["quay.io/jupyterhub/k8s-hub", HUB, "mirror.example.org:5000/jupyterhub/k8s-hub:4.4.0@sha256:00"],
    )
    def test_a_size_belongs_to_the_name_whatever_registry_tag_and_digest(self, name: str) -> None:
        assert megabytes(name) == images.MEGABYTES["jupyterhub/k8s-hub"]

    def test_docker_hubs_short_names_are_known(self) -> None:
        assert megabytes("traefik:v3.7") == megabytes("docker.io/library/traefik:v3.7") == images.MEGABYTES["traefik"]

    def test_an_unknown_image_has_the_default_size(self) -> None:
        assert megabytes("localhost:5000/team/traefik-like:1") == images.DEFAULT_MEGABYTES

    def test_a_larger_image_takes_longer(self) -> None:
        assert pull_seconds(SMALL) < pull_seconds(HUB) < pull_seconds(BIG)


class TestReadiness:
    @pytest.mark.parametrize(
        ("probes", "seconds"),
        [
            ({}, 0),
            ({"readinessProbe": {"periodSeconds": 2}}, 4),  # 0, 2, 4: answers after 3
            ({"readinessProbe": {"initialDelaySeconds": 10, "periodSeconds": 10}}, 10),
            ({"readinessProbe": {"initialDelaySeconds": 2, "periodSeconds": 10}}, 12),
            ({"readinessProbe": {"periodSeconds": 5, "successThreshold": 3}}, 15),
            ({"startupProbe": {"periodSeconds": 4}}, 4),
            ({"startupProbe": {"periodSeconds": 4}, "readinessProbe": {"initialDelaySeconds": 1}}, 4),
            ({"readinessProbe": {"httpGet": {"port": 80}}}, 10),  # the API server's default: every 10 s
        ],
    )
    def test_is_at_the_first_probe_that_finds_it_answering(self, probes: Json, seconds: float) -> None:
        assert readiness(container(**probes)) == seconds


class TestStart:
    def test_volumes_then_images_then_containers(self) -> None:
        start = start_of({"containers": [container(HUB)]}, volumes=10, images=none_there())
        assert (start.volumes, start.images) == (10, pull_seconds(HUB))
        assert start.containers == pytest.approx(SANDBOX + CONTAINER)
        assert start.pulled == {HUB: pull_seconds(HUB)}

    def test_init_containers_end_first_and_a_sidecar_does_not_end(self) -> None:
        plain = start_of({"containers": [container()]}, volumes=0, images=none_there())
        init = {"initContainers": [container()], "containers": [container()]}
        assert start_of(init, volumes=0, images=none_there()).seconds == pytest.approx(plain.seconds + CONTAINER + INIT)
        init["initContainers"][0]["restartPolicy"] = "Always"
        assert start_of(init, volumes=0, images=none_there()).seconds == pytest.approx(plain.seconds + CONTAINER)

    def test_one_node_pulls_one_image_after_the_other_unless_it_is_told_otherwise(self) -> None:
        for parallel, wait in ((False, 100 + pull_seconds(SMALL)), (True, pull_seconds(SMALL))):
            busy = Images(there={BIG: 100 + SANDBOX}, parallel=parallel)
            start = start_of({"containers": [container(SMALL)]}, volumes=0, images=busy)
            assert start.images == pytest.approx(wait)

    @given(st.lists(st.sampled_from([HUB, SMALL, BIG, "x/y"]), min_size=1, max_size=6), st.booleans())
    def test_the_parts_add_up_and_what_is_there_is_not_pulled(self, names: list[str], parallel: bool) -> None:
        spec = {"containers": [container(name) for name in names]}
        on_node = none_there(parallel=parallel)
        first = start_of(spec, volumes=0, images=on_node)
        assert first.images == pytest.approx(sum(pull_seconds(name) for name in set(names)))
        there = Images(there=dict.fromkeys(on_node.there, -1.0), parallel=parallel)
        again = start_of(spec, volumes=0, images=there)
        assert (again.images, again.pulled) == (0, {})
        assert first.seconds == pytest.approx(first.images + again.seconds)


class TestOnNodes:
    def test_a_pod_with_a_big_image_is_ready_later(self) -> None:
        cluster = Cluster(node("node-1"), node("node-2"))
        cluster.put(pod("small"), pod("big", node="node-2", image=BIG))
        cluster.step()
        assert cluster.ready("big") - cluster.ready("small") == pytest.approx(
            pull_seconds(BIG) - pull_seconds(SMALL), abs=0.2
        )

    def test_the_second_pod_on_a_node_skips_the_pull_and_on_another_it_does_not(self) -> None:
        cluster = Cluster(node("node-1"), node("node-2"))
        cluster.put(pod("first", image=BIG))
        cluster.step()
        cluster.now += 3600 / SPEED
        cluster.put(pod("second", image=BIG), pod("elsewhere", node="node-2", image=BIG))
        cluster.step()
        assert cluster.start("second")["images"] == 0
        assert cluster.start("elsewhere")["pulled"] == {BIG: pull_seconds(BIG)}

    def test_a_pod_that_comes_during_the_pull_waits_for_the_rest_of_it(self) -> None:
        cluster = Cluster(node())
        cluster.put(pod("first", image=BIG))
        cluster.step()
        cluster.now += 10 / SPEED
        cluster.put(pod("second", image=BIG))
        cluster.step()
        assert cluster.start("second")["images"] == pytest.approx(pull_seconds(BIG) - 10, abs=0.2)
        assert cluster.start("second")["pulled"] == {}

    def test_a_disk_is_attached_once_for_a_node(self) -> None:
        cluster = Cluster(node())
        cluster.disk("data")
        cluster.put(pod("first", claim="data"), pod("second", claim="data"))
        cluster.step()
        assert cluster.start("first")["volumes"] == BY_CLOUD["gcp"].attach
        assert cluster.start("second")["volumes"] == 0

    def test_a_share_is_mounted(self) -> None:
        cluster = Cluster(node())
        cluster.disk("home", driver="")
        cluster.put(pod("first", claim="home"))
        cluster.step()
        assert cluster.start("first")["volumes"] == MOUNT

    def test_nothing_starts_before_node_and_volumes_are_there(self) -> None:
        cluster = Cluster(node("node-1", ready=False), node("node-2"))
        cluster.disk("data", bound=False)
        cluster.put(pod("early"), pod("waits", node="node-2", claim="data"))
        cluster.step()
        assert cluster.notes("early") == cluster.notes("waits") == {}

    def test_a_pod_that_is_on_no_node_yet_holds_nothing_up(self) -> None:
        cluster = Cluster(node())
        waiting = pod("waiting", claim="data")
        del waiting["spec"]["nodeName"]
        waiting["metadata"]["annotations"] = {START: "{}"}
        cluster.disk("data")
        cluster.put(waiting, pod("first"))
        cluster.step()

        assert cluster.ready("first") > 0

    def test_a_moment_once_written_stays(self) -> None:
        cluster = Cluster(node())
        cluster.put(pod("first"))
        cluster.step()
        before = dict(cluster.notes("first"))
        cluster.now += 1
        cluster.step()
        assert cluster.notes("first") == before
        assert json.loads(cluster.objects[NODES][0]["metadata"]["annotations"][IMAGES]).keys() == {SMALL}


def test_every_cloud_takes_time_for_each_thing() -> None:
    for durations in BY_CLOUD.values():
        assert isinstance(durations, Durations)
        assert min(durations.load_balancer, durations.disk, durations.attach) > 0
