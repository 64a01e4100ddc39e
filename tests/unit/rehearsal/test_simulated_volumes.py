"""Disks and load balancers of the clouds as functions: how long they take, and where a disk lies."""

from __future__ import annotations

from typing import Any

import pytest

from qhub.rehearsal.cluster.controllers import cloud_storage, load_balancer
from qhub.rehearsal.cluster.controllers.actions import Action, Again, Create, Patch
from qhub.rehearsal.cluster.controllers.durations import BY_CLOUD, FILE_SYSTEM
from qhub.rehearsal.cluster.controllers.pace import Pace
from qhub.rehearsal.cluster.controllers.pools import CONFIG_MAPS, ZONE_LABEL, config_map
from qhub.rehearsal.cluster.controllers.storage_names import AZURE_DISK, CLAIMS, CLASSES, EBS, PERSISTENT_DISK, VOLUMES
from qhub.rehearsal.cluster.nodes import NODES
from tests.unit.rehearsal.simulated_world import World, pod, pool

Json = dict[str, Any]

SPEED = 60.0
ZONES = ("zone-a", "zone-b")


class Clock:
    now = 1_800_000_000.0

    def pace(self, cloud: str) -> Pace:
        return Pace(speed=SPEED, durations=BY_CLOUD[cloud], now=lambda: self.now)


def claim(driver: str, *, node: str = "node-b", **annotations: str) -> Json:
    notes = {"volume.kubernetes.io/storage-provisioner": driver, **annotations}
    if node:
        notes["volume.kubernetes.io/selected-node"] = node
    return {
        "metadata": {"namespace": "team", "name": "data", "uid": "u1", "annotations": notes},
        "spec": {
            "storageClassName": "disks",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
        "status": {"phase": "Pending"},
    }


def objects(wanted: Json, *, name: str = "disks", **parameters: str) -> dict[str, list[Json]]:
    driver = wanted["metadata"]["annotations"]["volume.kubernetes.io/storage-provisioner"]
    wanted["spec"]["storageClassName"] = name
    nodes = [
        {"metadata": {"name": f"node-{zone[-1]}", "labels": {ZONE_LABEL: zone}}, "status": {}, "spec": {}}
        for zone in ZONES
    ]
    return {
        CLAIMS: [wanted],
        VOLUMES: [],
        CLASSES: [{"metadata": {"name": name}, "provisioner": driver, "parameters": parameters}],
        NODES: nodes,
        CONFIG_MAPS: [config_map(pool("general", zones=ZONES))],
    }


def made(world: dict[str, list[Json]], cloud: str) -> tuple[float, Json]:
    """Carry on until the volume is made; return the simulated seconds that it took, and the volume."""
    clock = Clock()
    began = clock.now
    for _ in range(4):
        for action in cloud_storage.reconcile(world, pace=clock.pace(cloud)):
            match action:
                case Create(_, body):
                    return (clock.now - began) * SPEED, body
                case Patch(_, body):
                    world[CLAIMS][0]["metadata"]["annotations"].update(body["metadata"]["annotations"])
                case Again(seconds):
                    clock.now += seconds
    raise AssertionError("no volume was made")


def zones(volume: Json) -> list[str]:
    required = volume["spec"].get("nodeAffinity", {}).get("required", {"nodeSelectorTerms": []})
    return [
        value
        for term in required["nodeSelectorTerms"]
        for one in term["matchExpressions"]
        for value in one["values"]
        if one["key"] == ZONE_LABEL
    ]


class TestDisks:
    @pytest.mark.parametrize(
        ("cloud", "driver", "seconds"),
        [
            ("aws", EBS, BY_CLOUD["aws"].disk),
            ("gcp", "filestore.csi.storage.gke.io", FILE_SYSTEM["filestore.csi.storage.gke.io"]),
        ],
    )
    def test_a_volume_takes_its_time(self, cloud: str, driver: str, seconds: float) -> None:
        took, _ = made(objects(claim(driver)), cloud)
        assert took == pytest.approx(seconds, abs=0.2)

    @pytest.mark.parametrize(
        ("cloud", "driver", "name", "parameters", "expected"),
        [
            ("aws", EBS, "gp3", {}, ["zone-b"]),
            ("gcp", PERSISTENT_DISK, "standard-rwo", {}, ["zone-b"]),
            ("gcp", PERSISTENT_DISK, "regional", {"replication-type": "regional-pd"}, []),
            ("azure", AZURE_DISK, "own", {"skuName": "Premium_LRS"}, ["zone-b"]),
            ("azure", AZURE_DISK, "own", {"skuName": "Premium_ZRS"}, []),
            ("azure", AZURE_DISK, "managed-csi", {"skuname": "StandardSSD_LRS"}, []),
            ("digitalocean", "dobs.csi.digitalocean.com", "do-block-storage", {}, []),
        ],
    )
    def test_a_disk_lies_in_the_zone_of_its_first_pods_node(
        self, cloud: str, driver: str, name: str, parameters: Json, expected: list[str]
    ) -> None:
        _, volume = made(objects(claim(driver), name=name, **parameters), cloud)
        assert zones(volume) == expected

    def test_one_that_waits_for_no_pod_lies_in_one_of_the_zones(self) -> None:
        _, volume = made(objects(claim(PERSISTENT_DISK, node="")), "gcp")
        assert len(zones(volume)) == 1
        assert zones(volume)[0] in ZONES

    def test_the_autoscaler_makes_a_node_where_the_disk_of_a_waiting_pod_is(self) -> None:
        world = World(pool("user", zones=ZONES))
        item = pod("waits", volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}])
        item["metadata"]["namespace"] = "team"
        world.put(item)
        bound = claim(EBS)
        bound["spec"]["volumeName"] = "pvc-u1"
        _, volume = made(objects(claim(EBS)), "aws")
        world.more = {CLAIMS: [bound], VOLUMES: [volume]}
        world.step()
        assert [one["metadata"]["labels"][ZONE_LABEL] for one in world.of("user")] == ["zone-b"]


class TestLoadBalancers:
    def service(self, **spec: Any) -> Json:
        return {
            "metadata": {"namespace": "team", "name": "entry", "uid": "0a1b-2c", "creationTimestamp": "x"},
            "spec": {"type": "LoadBalancer", **spec},
            "status": {"loadBalancer": {}},
        }

    def served(self, service: Json, kind: load_balancer.Kind, clock: Clock) -> tuple[float, Json]:
        began = clock.now
        for _ in range(4):
            actions: list[Action] = load_balancer.reconcile({load_balancer.SERVICES: [service]}, kind=kind)
            for action in actions:
                match action:
                    case Patch(path, body) if path.endswith("/status"):
                        [entry] = body["status"]["loadBalancer"]["ingress"]
                        return (clock.now - began) * SPEED, entry
                    case Patch(_, body):
                        service["metadata"]["annotations"] = body["metadata"]["annotations"]
                    case Again(seconds):
                        clock.now += seconds
        raise AssertionError("no address came")

    @pytest.mark.parametrize("cloud", ["gcp", "digitalocean", "azure"])
    def test_an_address_comes_after_the_clouds_time(self, cloud: str) -> None:
        clock = Clock()
        took, entry = self.served(self.service(), load_balancer.Kind(any_class=True, pace=clock.pace(cloud)), clock)
        assert took == pytest.approx(BY_CLOUD[cloud].load_balancer, abs=0.2)
        assert entry["ip"].startswith("127.97.")

    def test_on_aws_a_host_name_comes_that_leads_nowhere_and_no_address_can_be_asked_for(self) -> None:
        clock = Clock()
        kind = load_balancer.Kind(any_class=True, domain="elb.eu-west-1.rehearsal.invalid", pace=clock.pace("aws"))
        service = self.service(loadBalancerIP="192.0.2.1")
        took, entry = self.served(service, kind, clock)
        assert took == pytest.approx(BY_CLOUD["aws"].load_balancer, abs=0.2)
        assert entry.keys() == {"hostname"}
        assert entry["hostname"].startswith("a0a1b2c-")
        assert entry["hostname"].endswith(".elb.eu-west-1.rehearsal.invalid")
        service["status"]["loadBalancer"]["ingress"] = [entry]
        assert load_balancer.reconcile({load_balancer.SERVICES: [service]}, kind=kind) == []
        service["spec"]["type"] = "ClusterIP"
        [gone] = load_balancer.reconcile({load_balancer.SERVICES: [service]}, kind=kind)
        assert isinstance(gone, Patch)
        assert gone.body == {"status": {"loadBalancer": {"ingress": None}}}
