"""What has to hold of the resource graph on DigitalOcean."""

from __future__ import annotations

import json

from pulumi.runtime.rpc import UNKNOWN

from tests.graph.clouds import changed
from tests.graph.clouds_digitalocean import AUTHORITY, CONFIGURATIONS, record_configuration
from tests.graph.recorder import SECRET_SIGNATURE, SIGNATURE_KEY

VPC = "digitalocean:index/vpc:Vpc"
DOKS = "digitalocean:index/kubernetesCluster:KubernetesCluster"
POOL = "digitalocean:index/kubernetesNodePool:KubernetesNodePool"
REGISTRY = "digitalocean:index/containerRegistry:ContainerRegistry"
NFS = "digitalocean:index/nfs:Nfs"
KUBERNETES = "pulumi:providers:kubernetes"

MINIMAL, DEFAULT, EVERYTHING, GIVEN = CONFIGURATIONS


class TestKubeconfig:
    def test_it_asks_doctl_for_a_token_and_holds_none(self) -> None:
        provider = record_configuration(DEFAULT).one(KUBERNETES)
        given = provider.inputs["kubeconfig"]
        kubeconfig = json.loads(given["value"])

        assert given[SIGNATURE_KEY] == SECRET_SIGNATURE
        assert kubeconfig["clusters"][0]["cluster"] == {
            "server": "https://0a1b2c.k8s.ondigitalocean.com",
            "certificate-authority-data": AUTHORITY,
        }
        assert kubeconfig["users"][0]["user"]["exec"]["command"] == "doctl"
        assert kubeconfig["users"][0]["user"]["exec"]["args"][-1] == "cluster-doks-id"
        assert kubeconfig["users"][0]["user"].keys() == {"exec"}

    def test_it_is_a_secret_before_the_cluster_is_there(self) -> None:
        given = record_configuration(DEFAULT, preview=True).one(KUBERNETES).inputs["kubeconfig"]

        assert given == {SIGNATURE_KEY: SECRET_SIGNATURE, "value": UNKNOWN}


class TestCluster:
    def test_the_default_set_up(self) -> None:
        recording = record_configuration(DEFAULT)
        cluster = recording.one(DOKS)

        assert cluster.inputs | {"vpcUuid": ""} == {
            "name": "qhub-test",
            "region": "atl1",
            "version": "1.35",
            "autoUpgrade": True,
            "surgeUpgrade": True,
            "ha": False,
            "maintenancePolicy": {"day": "sunday", "startTime": "04:00"},
            "vpcUuid": "",
            "nodePool": {"name": "system", "size": "s-2vcpu-4gb", "nodeCount": 1, "tags": []},
            "controlPlaneFirewall": {"enabled": False, "allowedAddresses": ["0.0.0.0/0"]},
            "registryIntegration": False,
            "nvidiaGpuDevicePlugin": {"enabled": True},
            "destroyAllAssociatedResources": False,
            "tags": [],
        }
        assert cluster.inputs["vpcUuid"] == "network-vpc-id"
        assert cluster.protect is True
        assert recording.of_type(REGISTRY) == []

    def test_everything_on(self) -> None:
        recording = record_configuration(EVERYTHING)
        cluster = recording.one(DOKS).inputs

        assert recording.one(VPC).inputs["ipRange"] == "10.20.0.0/20"
        assert (cluster["clusterSubnet"], cluster["serviceSubnet"]) == ("10.24.0.0/16", "10.28.0.0/20")
        assert cluster["ha"] is True
        assert cluster["maintenancePolicy"] == {"day": "saturday", "startTime": "23:30"}
        assert cluster["controlPlaneFirewall"] == {
            "enabled": True,
            "allowedAddresses": ["203.0.113.0/24", "198.51.100.7/32"],
        }
        pools = [made.inputs for made in recording.of_type(POOL)]
        tagged = (cluster, cluster["nodePool"], recording.one(NFS).inputs, *pools)
        assert {tuple(one["tags"]) for one in tagged} == {("billed", "team:data")}

    def test_staging_goes_with_all_that_kubernetes_made(self) -> None:
        recording = record_configuration(MINIMAL)

        assert recording.one(DOKS).inputs["destroyAllAssociatedResources"] is True
        assert [made.urn for made in recording.resources.values() if made.protect or made.retain_on_delete] == []

    def test_homes_that_are_protected_outlive_a_cluster_that_is_not(self) -> None:
        recording = record_configuration(MINIMAL, storage={"protect": True})

        assert recording.one(DOKS).inputs["destroyAllAssociatedResources"] is False

    def test_a_vpc_that_is_there_is_used_and_not_made(self) -> None:
        recording = record_configuration(GIVEN)

        assert recording.of_type(VPC) == []
        assert recording.one(DOKS).inputs["vpcUuid"] == "5a4981aa-9653-4bd1-bef5-d6bff52042e4"


class TestVersion:
    def test_a_new_patch_of_the_minor_version_is_no_change(self) -> None:
        assert record_configuration(DEFAULT).one(DOKS).ignore_changes == ("version",)

    def test_a_full_version_upgrades_and_stays_until_the_next_is_written(self) -> None:
        cluster = record_configuration(EVERYTHING).one(DOKS)

        assert cluster.ignore_changes == ()
        assert cluster.inputs["version"] == "1.35.1-do.0"
        assert cluster.inputs["autoUpgrade"] is False


class TestNodePools:
    def test_counts_are_the_autoscalers(self) -> None:
        for pool in record_configuration(EVERYTHING).of_type(POOL):
            assert "nodeCount" not in pool.inputs
            assert pool.ignore_changes == ("nodeCount",)
            assert pool.inputs["autoScale"] is True

    def test_a_pool_can_go_down_to_zero(self) -> None:
        recording = record_configuration(EVERYTHING)

        assert recording.one(POOL, "pools-user").inputs["minNodes"] == 0
        assert recording.one(POOL, "pools-general").inputs["minNodes"] == 2

    def test_labels_and_taints_are_what_the_platform_selects_and_tolerates(self) -> None:
        gpu = record_configuration(EVERYTHING).one(POOL, "pools-gpu").inputs

        assert gpu["labels"] == {"example.org/rack": "a", "qhub.dev/pool": "gpu"}
        # DOKS itself adds nvidia.com/gpu; twice with two values no node can have it.
        assert gpu["taints"] == [
            {"key": "example.org/dear", "value": "yes", "effect": "PreferNoSchedule"},
            {"key": "qhub.dev/pool", "value": "gpu", "effect": "NoSchedule"},
        ]
        assert record_configuration(EVERYTHING).one(POOL, "pools-general").inputs["taints"] == []

    def test_a_pool_with_gpus_changes_nothing_of_the_cluster(self) -> None:
        more = {"node_pools": {"gpu": {"instance_type": "gpu-h100x1-80gb", "gpu": {"count": 1}}}}

        assert changed(record_configuration(MINIMAL), record_configuration(MINIMAL, cluster=more)) == {"pools-gpu"}

    def test_another_instance_type_leaves_the_cluster_and_the_other_pools_alone(self) -> None:
        larger = {"node_pools": {"general": {"instance_type": "g-4vcpu-16gb"}}}
        before, after = record_configuration(MINIMAL), record_configuration(MINIMAL, cluster=larger)

        assert changed(before, after) == {"pools-general"}
        # Another name: the provider makes the new pool before it deletes the old one.
        assert before.one(POOL, "pools-general").inputs["name"] != after.one(POOL, "pools-general").inputs["name"]


class TestRegistry:
    def test_it_is_there_before_the_cluster_looks_for_it(self) -> None:
        recording = record_configuration(EVERYTHING)
        registry = recording.one(REGISTRY)

        assert registry.inputs == {"name": "team-images", "subscriptionTierSlug": "professional"}
        assert (registry.protect, registry.retain_on_delete) == (True, True)
        assert registry.urn in recording.one(DOKS).dependencies
        assert recording.one(DOKS).inputs["registryIntegration"] is True

    def test_one_that_is_there_is_used_and_not_made(self) -> None:
        recording = record_configuration(MINIMAL, cluster={"registry_name": "team-images"})

        assert recording.of_type(REGISTRY) == []
        assert recording.one(DOKS).inputs["registryIntegration"] is True


class TestHomes:
    def test_nodes_mount_the_share_of_their_vpc(self) -> None:
        recording = record_configuration(DEFAULT)
        volume = recording.one("kubernetes:core/v1:PersistentVolume")

        assert recording.one(NFS).inputs == {
            "name": "qhub-test",
            "region": "atl1",
            "size": 500,
            "vpcId": "network-vpc-id",
            "performanceTier": "standard",
            "tags": [],
        }
        assert volume.inputs["spec"]["nfs"] == {"server": "10.20.0.4", "path": "/1234/0a1b2c3d"}

    def test_they_outlive_the_stack_and_so_does_their_network(self) -> None:
        recording = record_configuration(DEFAULT)

        for made in (recording.one(NFS), recording.one(VPC)):
            assert (made.protect, made.retain_on_delete) == (True, True), made.urn

    def test_more_room_changes_the_share_and_the_volume_alone(self) -> None:
        after = record_configuration(DEFAULT, storage={"kind": "managed", "size": "501Gi"})

        assert changed(record_configuration(DEFAULT), after) == {
            "files-share",
            "qhub-storage-volume",
            "qhub-storage-claim",
        }
        assert after.one(NFS).inputs["size"] == 501


class TestLoadBalancer:
    def test_it_hands_the_clients_address_on(self) -> None:
        service = record_configuration(DEFAULT).one("kubernetes:core/v1:Service", "qhub-ingress-load-balancer")

        assert service.inputs["metadata"]["annotations"] == {
            "service.beta.kubernetes.io/do-loadbalancer-name": "qhub-test",
            "service.beta.kubernetes.io/do-loadbalancer-type": "REGIONAL_NETWORK",
        }
