"""What has to hold of the resource graph on Google Cloud."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest

from tests.graph.clouds import changed
from tests.graph.clouds_gcp import AUTHORITY, CONFIGURATIONS, DNS_NAME, record_configuration
from tests.graph.recorder import SECRET_SIGNATURE, SIGNATURE_KEY, Recording
from tests.graph.test_invariants import transitive

GKE = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
REPOSITORY = "gcp:artifactregistry/repository:Repository"
FILESTORE = "gcp:filestore/instance:Instance"
SERVICE = "gcp:projects/service:Service"
ROLE = "gcp:projects/iAMMember:IAMMember"
PULLS = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"
KUBERNETES = "pulumi:providers:kubernetes"

_MINIMAL, DEFAULT, EVERYTHING, GIVEN = CONFIGURATIONS


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def recording(request: pytest.FixtureRequest) -> Recording:
    return record_configuration(request.param)


class TestEveryConfiguration:
    def test_no_number_of_nodes_is_sent_but_the_first(self, recording: Recording) -> None:
        for pool in recording.of_type(POOL):
            assert pool.inputs["ignoreNodeCountChanges"] is True
            assert "initialNodeCount" in pool.ignore_changes, "another first number would replace the pool"
            assert pool.inputs.keys().isdisjoint({"nodeCount", "version"})

    def test_labels_are_on_all_that_takes_them(self, recording: Recording) -> None:
        cluster = recording.one(GKE).inputs
        labels = cluster["resourceLabels"]
        # What is not a cluster's or a node's gets them from the provider, which sends what is no plain text as JSON.
        provider = json.loads(recording.one("pulumi:providers:gcp").inputs["defaultLabels"])

        assert labels.items() >= {"qhub-cluster": cluster["name"], "qhub-stack": "test"}.items()
        assert provider == labels
        assert all(pool.inputs["nodeConfig"]["resourceLabels"] == labels for pool in recording.of_type(POOL))

    def test_services_stay_on(self, recording: Recording) -> None:
        assert {made.inputs["disableOnDestroy"] for made in recording.of_type(SERVICE)} == {False}


class TestKubeconfig:
    @staticmethod
    def kubeconfig(name: str) -> dict[str, Any]:
        given = record_configuration(name).one(KUBERNETES).inputs["kubeconfig"]
        assert given[SIGNATURE_KEY] == SECRET_SIGNATURE
        return json.loads(given["value"])

    def test_it_asks_googles_plugin_for_a_token_and_holds_none(self) -> None:
        user = self.kubeconfig(DEFAULT)["users"][0]["user"]

        assert user.keys() == {"exec"}
        assert user["exec"]["command"] == "gke-gcloud-auth-plugin"
        assert user["exec"]["provideClusterInfo"] is True

    def test_it_leads_to_the_name_with_a_certificate_that_systems_trust(self) -> None:
        assert self.kubeconfig(DEFAULT)["clusters"][0]["cluster"] == {"server": f"https://{DNS_NAME}"}

    def test_or_to_the_address_with_the_clusters_own(self) -> None:
        assert self.kubeconfig(EVERYTHING)["clusters"][0]["cluster"] == {
            "server": "https://203.0.113.9",
            "certificate-authority-data": AUTHORITY,
        }


class TestNetwork:
    def test_one_subnetwork_has_ranges_for_nodes_pods_and_services(self) -> None:
        recording = record_configuration(DEFAULT)

        assert recording.one(NETWORK).inputs["autoCreateSubnetworks"] is False
        assert recording.one(SUBNETWORK).inputs == {
            "name": "qhub-test",
            "region": "europe-west1",
            "network": "network-vpc-id",
            "ipCidrRange": "10.0.0.0/20",
            "secondaryIpRanges": [
                {"rangeName": "pods", "ipCidrRange": "10.4.0.0/14"},
                {"rangeName": "services", "ipCidrRange": "10.8.0.0/20"},
            ],
            "privateIpGoogleAccess": True,
        }

    def test_nodes_wait_for_their_way_out_and_their_role(self) -> None:
        recording = record_configuration(DEFAULT)

        for pool in recording.of_type(POOL):
            assert {"network-nat", "cluster-nodes-role"} <= transitive(recording, pool)

    def test_a_network_that_is_there_is_used_and_nothing_is_made(self) -> None:
        recording = record_configuration(GIVEN)
        cluster = recording.one(GKE).inputs

        assert [made.name for made in recording.resources.values() if made.type.startswith("gcp:compute/")] == []
        assert (cluster["network"], cluster["subnetwork"]) == ("offices", "offices-hub")
        assert cluster["ipAllocationPolicy"] == {
            "clusterSecondaryRangeName": "hub-pods",
            "servicesSecondaryRangeName": "hub-services",
        }


class TestCluster:
    def test_the_default_set_up(self) -> None:
        cluster = record_configuration(DEFAULT).one(GKE)
        inputs = cluster.inputs

        assert inputs["location"] == "europe-west1"
        assert inputs["nodeLocations"] == ["europe-west1-b"]
        assert inputs["releaseChannel"] == {"channel": "REGULAR"}
        assert inputs["minMasterVersion"] == "1.35"
        assert inputs["datapathProvider"] == "ADVANCED_DATAPATH"
        assert inputs["privateClusterConfig"]["enablePrivateNodes"] is True
        assert inputs["workloadIdentityConfig"] == {"workloadPool": "my-team-1234.svc.id.goog"}
        assert inputs["controlPlaneEndpointsConfig"]["dnsEndpointConfig"] == {"allowExternalTraffic": True}
        assert inputs["removeDefaultNodePool"] is True
        assert inputs["resourceLabels"] == {"qhub-cluster": "qhub-test", "qhub-stack": "test"}
        assert inputs["addonsConfig"]["gcpFilestoreCsiDriverConfig"] == {"enabled": True}
        # Else the provider would replace the cluster for what its first pool is like.
        assert cluster.ignore_changes == ("nodeConfig",)

    def test_by_address_it_is_reached_from_the_given_ranges_and_nowhere_else(self) -> None:
        inputs = record_configuration(EVERYTHING).one(GKE).inputs

        assert inputs["controlPlaneEndpointsConfig"]["dnsEndpointConfig"] == {"allowExternalTraffic": False}
        assert inputs["masterAuthorizedNetworksConfig"] == {
            "cidrBlocks": [{"cidrBlock": "203.0.113.0/24"}, {"cidrBlock": "198.51.100.7/32"}],
            "gcpPublicCidrsAccessEnabled": False,
        }

    @pytest.mark.parametrize("protect", [True, False])
    def test_protection_is_googles_and_pulumis_alike(self, protect: bool) -> None:
        recording = record_configuration(DEFAULT, cluster={"protect": protect}, storage={"kind": "nfs-server"})
        cluster = recording.one(GKE)

        assert (cluster.inputs["deletionProtection"], bool(cluster.protect)) == (protect, protect)
        assert bool(recording.one(REPOSITORY).protect) == protect

    def test_nodes_have_an_account_with_two_small_roles(self) -> None:
        recording = record_configuration(DEFAULT)
        email = "qhub-test-nodes@my-team-1234.iam.gserviceaccount.com"

        assert recording.one(ROLE).inputs == {
            "project": "my-team-1234",
            "role": "roles/container.defaultNodeServiceAccount",
            "member": f"serviceAccount:{email}",
        }
        assert recording.one(PULLS).inputs["role"] == "roles/artifactregistry.reader"
        assert recording.one(PULLS).inputs["member"] == f"serviceAccount:{email}"
        accounts = [recording.one(GKE).inputs["nodeConfig"]["serviceAccount"]]
        accounts += [pool.inputs["nodeConfig"]["serviceAccount"] for pool in recording.of_type(POOL)]
        assert set(accounts) == {email}


class TestNodePools:
    @staticmethod
    def pool(name: str) -> dict[str, Any]:
        return record_configuration(EVERYTHING).one(POOL, f"pools-{name}").inputs

    def test_labels_and_taints_are_those_that_pods_are_sent_by(self) -> None:
        user = self.pool("user")["nodeConfig"]

        assert user["labels"] == {"qhub.dev/pool": "user"}
        assert user["taints"] == [{"key": "qhub.dev/pool", "value": "user", "effect": "NO_SCHEDULE"}]
        assert self.pool("general")["nodeConfig"]["taints"] == []

    def test_limits_are_for_all_zones_together(self) -> None:
        assert self.pool("user")["autoscaling"] == {
            "totalMinNodeCount": 0,
            "totalMaxNodeCount": 10,
            "locationPolicy": "BALANCED",
        }
        assert self.pool("worker")["autoscaling"]["locationPolicy"] == "ANY"
        assert (self.pool("worker")["nodeConfig"]["spot"], self.pool("user")["nodeConfig"]["spot"]) == (True, False)

    @pytest.mark.parametrize(("name", "kind", "count"), [("gpu", "nvidia-l4", 1), ("t4", "nvidia-tesla-t4", 2)])
    def test_gpus_come_with_their_driver_whoever_brings_them(self, name: str, kind: str, count: int) -> None:
        assert self.pool(name)["nodeConfig"]["guestAccelerators"] == [
            {"type": kind, "count": count, "gpuDriverInstallationConfig": {"gpuDriverVersion": "LATEST"}}
        ]

    def test_the_taint_of_gpus_is_left_to_gke_which_needs_another_pool_first(self) -> None:
        recording = record_configuration(EVERYTHING)

        assert "nvidia.com/gpu" not in [taint["key"] for taint in self.pool("gpu")["nodeConfig"]["taints"]]
        assert "pools-user" in transitive(recording, recording.one(POOL, "pools-gpu"))

    def test_a_gpu_node_is_upgraded_in_place_of_itself(self) -> None:
        assert self.pool("gpu")["upgradeSettings"] == {"strategy": "SURGE", "maxSurge": 0, "maxUnavailable": 1}
        assert self.pool("user")["upgradeSettings"] == {"strategy": "SURGE", "maxSurge": 1, "maxUnavailable": 0}

    def test_disks_are_of_a_type_that_the_machine_boots_from(self) -> None:
        arm = self.pool("arm")["nodeConfig"]

        assert (arm["diskType"], arm["diskSizeGb"]) == ("hyperdisk-balanced", 60)
        assert self.pool("user")["nodeConfig"]["diskType"] == "pd-balanced"

    def test_zones_are_the_pools_own_or_the_clusters(self) -> None:
        assert self.pool("gpu")["nodeLocations"] == ["us-central1-a"]
        assert self.pool("user")["nodeLocations"] == ["us-central1-a", "us-central1-b", "us-central1-c"]


class TestFileSystem:
    def test_the_default_speaks_nfs_4_to_nodes_alone(self) -> None:
        inputs = record_configuration(DEFAULT).one(FILESTORE).inputs

        assert (inputs["tier"], inputs["location"], inputs["protocol"]) == ("ZONAL", "europe-west1-b", "NFS_V4_1")
        share = inputs["fileShares"]
        assert share["capacityGb"] == 500
        assert [option["ipRanges"] for option in share["nfsExportOptions"]] == [["10.0.0.0/20"]]

    def test_nodes_mount_its_address(self) -> None:
        volume = record_configuration(DEFAULT).one("kubernetes:core/v1:PersistentVolume").inputs["spec"]

        assert volume["nfs"] == {"server": "10.30.0.2", "path": "/homes"}
        assert volume["mountOptions"] == ["nfsvers=4.1", "noatime"]

    def test_a_basic_one_is_mounted_with_nfs_3(self) -> None:
        recording = record_configuration(
            DEFAULT, cluster={"filestore_tier": "BASIC_HDD"}, storage={"kind": "managed", "size": "1Ti"}
        )

        assert recording.one(FILESTORE).inputs["protocol"] == "NFS_V3"
        volume = recording.one("kubernetes:core/v1:PersistentVolume").inputs["spec"]
        assert volume["mountOptions"] == ["nfsvers=3", "noatime"]

    def test_a_regional_one_is_in_the_region(self) -> None:
        assert record_configuration(EVERYTHING).one(FILESTORE).inputs["location"] == "us-central1"

    @pytest.mark.parametrize("protect", [True, False])
    def test_it_and_its_network_stay_or_go_together(self, protect: bool) -> None:
        storage = {"kind": "managed", "size": "500Gi", "protect": protect}
        recording = record_configuration(DEFAULT, storage=storage)
        filestore = recording.one(FILESTORE)

        assert filestore.inputs["deletionProtectionEnabled"] is protect
        for made in (filestore, recording.one(NETWORK)):
            assert (bool(made.protect), bool(made.retain_on_delete)) == (protect, protect)

    def test_a_larger_one_changes_sizes_and_nothing_else(self) -> None:
        before = record_configuration(DEFAULT)
        after = record_configuration(DEFAULT, storage={"kind": "managed", "size": "900Gi"})

        assert changed(before, after) == {"files-filestore", "qhub-storage-volume", "qhub-storage-claim"}


class TestChange:
    POOLS: ClassVar[dict[str, Any]] = {
        "general": {},
        "big": {"instance_type": "e2-standard-16", "max": 4},
        "gpu": {"instance_type": "g2-standard-8", "max": 2, "gpu": {"count": 1}},
    }

    def test_another_pool_touches_no_other_resource(self) -> None:
        before = record_configuration(DEFAULT)
        after = record_configuration(DEFAULT, cluster={"node_pools": self.POOLS})

        assert changed(before, after) == {"pools-big", "pools-gpu"}

    def test_from_one_zone_to_three_only_lists_of_zones_change(self) -> None:
        zones = ["europe-west1-d", "europe-west1-b", "europe-west1-c"]
        before, after = (
            record_configuration(DEFAULT),
            record_configuration(DEFAULT, cluster={"network": {"zones": zones}}),
        )
        touched = changed(before, after)

        assert touched == {"cluster-gke", "pools-general", "pools-user", "pools-worker", "files-filestore"}
        for urn, made in after.resources.items():
            if made.name in touched and made.custom:
                was = before.resources[urn].inputs
                differs = {key for key in made.inputs if made.inputs[key] != was[key]}
                # Its place is not looked at any more once it is made.
                only = {"location"} if made.name == "files-filestore" else {"nodeLocations"}
                assert differs == only, urn
                assert only == {"nodeLocations"} or made.ignore_changes == ("location",)
