"""What has to hold of the resource graph on Azure."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.graph.clouds import changed
from tests.graph.clouds_azure import (
    ADMINS,
    AUTHORITY,
    CONFIGURATIONS,
    EGRESS,
    KUBELET,
    PRINCIPAL,
    SUBNET,
    SUBSCRIPTION,
    record_configuration,
    resource_id,
)
from tests.graph.configurations import SECRETS
from tests.graph.recorder import SECRET_SIGNATURE, SIGNATURE_KEY, Recording
from tests.graph.test_invariants import transitive

GROUP = "azure-native:resources:ResourceGroup"
NETWORK = "azure-native:network:VirtualNetwork"
NODES = "azure-native:network:Subnet"
NAT = "azure-native:network:NatGateway"
ADDRESS = "azure-native:network:PublicIPAddress"
IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"
RIGHT = "azure-native:authorization:RoleAssignment"
LOCK = "azure-native:authorization:ManagementLockByScope"
AKS = "azure-native:containerservice:ManagedCluster"
POOL = "azure-native:containerservice:AgentPool"
MAINTENANCE = "azure-native:containerservice:MaintenanceConfiguration"
REGISTRY = "azure-native:containerregistry:Registry"
ACCOUNT = "azure-native:storage:StorageAccount"
SHARE = "azure-native:storage:FileShare"
RECORD = "azure-native:dns:RecordSet"
CREDENTIAL = "azure-native:managedidentity:FederatedIdentityCredential"
KUBERNETES = "pulumi:providers:kubernetes"

#: Types of Azure that take no tags.
UNTAGGED = {NODES, RIGHT, LOCK, MAINTENANCE, SHARE, RECORD, CREDENTIAL}

MINIMAL, DEFAULT, EVERYTHING, GIVEN = CONFIGURATIONS


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def recording(request: pytest.FixtureRequest) -> Recording:
    return record_configuration(request.param)


class TestEveryConfiguration:
    def test_everything_that_takes_tags_has_them(self, recording: Recording) -> None:
        for made in recording.resources.values():
            if made.type.startswith("azure-native:") and made.type not in UNTAGGED:
                assert made.inputs["tags"]["qhub-stack"] == "test", made.urn

    def test_the_platform_waits_for_nodes_and_their_rights(self, recording: Recording) -> None:
        before = transitive(recording, recording.one("qhub:platform:KubernetesPlatform"))

        assert {"pools-general", "pools-user", "pools-worker"} <= {made.name for made in recording.of_type(POOL)}
        needed = {made.name for made in (*recording.of_type(POOL), *recording.of_type(RIGHT))}
        # Who may write into the zone is waited for by the issuer alone.
        assert needed - {"dns-solver-writes"} <= before

    def test_an_ignored_property_is_spelled_as_on_the_wire(self, recording: Recording) -> None:
        ignored = {
            path for made in recording.resources.values() for path in made.ignore_changes if "azure" in made.type
        }

        assert ignored - {"subnets"} == {"agentPoolProfiles", "count"}
        assert ("subnets" in ignored) == bool(recording.of_type(NETWORK))


class TestResourceGroup:
    def test_it_is_as_safe_as_what_is_in_it(self) -> None:
        default, minimal = record_configuration(DEFAULT).one(GROUP), record_configuration(MINIMAL).one(GROUP)

        assert (default.protect, default.retain_on_delete) == (True, True)
        assert (minimal.protect, minimal.retain_on_delete) == (False, False)
        assert default.inputs["resourceGroupName"] == "qhub-test"

    def test_one_that_is_there_is_used_and_not_made(self) -> None:
        recording = record_configuration(EVERYTHING)
        of_cloud = [made for made in recording.resources.values() if made.type.startswith("azure-native:")]

        assert recording.of_type(GROUP) == []
        # A right or a lock is on something, not in a group.
        for made in of_cloud:
            # A record lies in the group of its zone, which is somebody else's.
            assert made.type in (RIGHT, LOCK, RECORD) or made.inputs["resourceGroupName"] == "data-science", made.urn


class TestNetwork:
    def test_nodes_have_a_subnet_with_one_way_out(self) -> None:
        recording = record_configuration(DEFAULT)
        subnet = recording.one(NODES)

        assert subnet.inputs["natGateway"] == {"id": resource_id(NAT, "network-nat")}
        assert subnet.inputs["serviceEndpoints"] == [{"service": "Microsoft.Storage"}]
        assert subnet.inputs["virtualNetworkName"] == "qhub-test"
        assert recording.one(NAT).inputs["publicIpAddresses"] == [{"id": resource_id(ADDRESS, "network-egress")}]
        assert recording.one(NETWORK).ignore_changes == ("subnets",)

    def test_a_subnet_that_is_there_is_used_and_not_made(self) -> None:
        recording = record_configuration(GIVEN)

        assert [made.urn for made in recording.resources.values() if "azure-native:network" in made.type] == []
        assert {pool.inputs["vnetSubnetID"] for pool in recording.of_type(POOL)} == {SUBNET}
        assert recording.one(RIGHT, "cluster-uses-subnet").inputs["scope"] == SUBNET
        assert recording.one(AKS).inputs["networkProfile"]["outboundType"] == "userDefinedRouting"

    def test_nodes_in_a_given_subnet_leave_by_the_load_balancer_unless_told_otherwise(self) -> None:
        recording = record_configuration(MINIMAL, cluster={"network": {"subnet_id": SUBNET}})

        assert recording.one(AKS).inputs["networkProfile"]["outboundType"] == "loadBalancer"

    def test_without_a_nat_gateway_there_is_none_to_pay_for(self) -> None:
        recording = record_configuration(MINIMAL, cluster={"network": {"outbound": "load-balancer"}})

        assert recording.of_type(NAT) == recording.of_type(ADDRESS) == []
        assert "natGateway" not in recording.one(NODES).inputs


class TestCluster:
    def test_the_network_of_pods(self) -> None:
        profile = record_configuration(EVERYTHING).one(AKS).inputs["networkProfile"]

        assert profile == {
            "networkPlugin": "azure",
            "networkPluginMode": "overlay",
            "networkDataplane": "cilium",
            "networkPolicy": "cilium",
            "podCidr": "10.64.0.0/12",
            "serviceCidr": "10.28.0.0/20",
            "dnsServiceIP": "10.28.0.10",
            "outboundType": "userAssignedNATGateway",
            "loadBalancerSku": "standard",
        }

    def test_its_own_pool_takes_no_pods_of_ours_and_is_left_alone(self) -> None:
        cluster = record_configuration(EVERYTHING).one(AKS)
        (system,) = cluster.inputs["agentPoolProfiles"]

        assert (system["name"], system["mode"], system["vmSize"]) == ("system", "System", "Standard_D4as_v5")
        assert system["nodeTaints"] == ["CriticalAddonsOnly=true:NoSchedule"]
        assert cluster.ignore_changes == ("agentPoolProfiles",)

    def test_its_identity_may_use_the_subnet_before_it_is_made(self) -> None:
        recording = record_configuration(DEFAULT)
        cluster, right = recording.one(AKS), recording.one(RIGHT, "cluster-uses-subnet")

        assert cluster.inputs["identity"]["userAssignedIdentities"] == [resource_id(IDENTITY, "cluster-identity")]
        assert right.urn in cluster.dependencies
        assert right.inputs["principalId"] == PRINCIPAL
        assert right.inputs["scope"] == resource_id(NODES, "network-nodes")
        assert right.inputs["roleDefinitionId"].startswith(f"/subscriptions/{SUBSCRIPTION}/providers/")

    def test_nodes_reach_an_api_server_that_is_closed_to_others(self) -> None:
        ranges = record_configuration(EVERYTHING).one(AKS).inputs["apiServerAccessProfile"]["authorizedIPRanges"]

        assert ranges == ["203.0.113.0/24", "198.51.100.7/32", f"{EGRESS}/32"]

    def test_open_to_everybody_names_nobody(self) -> None:
        access = record_configuration(DEFAULT).one(AKS).inputs["apiServerAccessProfile"]

        assert access == {"authorizedIPRanges": []}

    def test_prod_is_protected_and_has_a_service_level(self) -> None:
        prod, staging = record_configuration(DEFAULT).one(AKS), record_configuration(MINIMAL).one(AKS)

        assert (prod.protect, prod.inputs["sku"]["tier"]) == (True, "Standard")
        assert (staging.protect, staging.inputs["sku"]["tier"]) == (False, "Free")
        # A lock would hold for its node pools too.
        assert [made.name for made in record_configuration(DEFAULT).of_type(LOCK)] == ["files-lock"]

    def test_upgrades_come_in_the_window(self) -> None:
        recording = record_configuration(EVERYTHING)
        windows = {
            made.inputs["configName"]: made.inputs["maintenanceWindow"] for made in recording.of_type(MAINTENANCE)
        }

        assert windows.keys() == {"aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"}
        for window in windows.values():
            assert window["schedule"] == {"weekly": {"dayOfWeek": "Saturday", "intervalWeeks": 1}}
            assert (window["startTime"], window["durationHours"], window["utcOffset"]) == ("23:30", 6, "+00:00")

    def test_the_version_is_that_of_control_plane_and_pools(self) -> None:
        recording = record_configuration(EVERYTHING)

        assert recording.one(AKS).inputs["kubernetesVersion"] == "1.35"
        assert {pool.inputs["orchestratorVersion"] for pool in recording.of_type(POOL)} == {"1.35"}


class TestKubeconfig:
    def test_with_groups_people_sign_in_with_entra_alone(self) -> None:
        recording = record_configuration(EVERYTHING)
        cluster, given = recording.one(AKS).inputs, recording.one(KUBERNETES).inputs["kubeconfig"]
        kubeconfig = json.loads(given["value"])

        assert cluster["aadProfile"] == {"managed": True, "adminGroupObjectIDs": [ADMINS]}
        assert cluster["disableLocalAccounts"] is True
        assert given[SIGNATURE_KEY] == SECRET_SIGNATURE
        assert kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"] == AUTHORITY
        assert kubeconfig["users"][0]["user"].keys() == {"exec"}
        assert kubeconfig["users"][0]["user"]["exec"]["command"] == "kubelogin"

    def test_without_it_holds_a_certificate_and_is_secret(self) -> None:
        recording = record_configuration(DEFAULT)
        given = recording.one(KUBERNETES).inputs["kubeconfig"]

        assert recording.one(AKS).inputs["disableLocalAccounts"] is False
        assert given[SIGNATURE_KEY] == SECRET_SIGNATURE
        assert json.loads(given["value"])["users"][0]["user"]["client-key-data"] == SECRETS["token"]


class TestNodePools:
    def test_counts_are_the_autoscalers(self) -> None:
        for pool in record_configuration(EVERYTHING).of_type(POOL):
            assert "count" not in pool.inputs
            assert pool.ignore_changes == ("count",)
            assert pool.inputs["enableAutoScaling"] is True

    def test_a_pool_can_go_down_to_zero(self) -> None:
        recording = record_configuration(EVERYTHING)

        assert recording.one(POOL, "pools-user").inputs["minCount"] == 0
        assert recording.one(POOL, "pools-general").inputs["minCount"] == 2

    def test_every_name_is_one_that_aks_takes(self) -> None:
        for pool in record_configuration(EVERYTHING).of_type(POOL):
            assert re.fullmatch("[a-z][a-z0-9]{0,11}", pool.inputs["agentPoolName"]), pool.urn

    def test_spot_nodes_cost_what_they_cost(self) -> None:
        recording = record_configuration(EVERYTHING)
        spot, other = recording.one(POOL, "pools-worker").inputs, recording.one(POOL, "pools-user").inputs

        assert (spot["scaleSetPriority"], spot["scaleSetEvictionPolicy"], spot["spotMaxPrice"]) == (
            "Spot",
            "Delete",
            -1,
        )
        assert spot["nodeTaints"] == [
            "qhub.dev/pool=worker:NoSchedule",
            "kubernetes.azure.com/scalesetpriority=spot:NoSchedule",
        ]
        assert "upgradeSettings" not in spot
        assert other["scaleSetPriority"] == "Regular"
        assert other["upgradeSettings"] == {"maxSurge": "33%"}

    def test_gpus_have_their_driver_from_aks_and_the_plugin_from_us(self) -> None:
        recording = record_configuration(EVERYTHING)
        gpu = recording.one(POOL, "pools-gpu").inputs
        releases = {made.inputs["name"] for made in recording.of_type("kubernetes:helm.sh/v3:Release")}

        assert gpu["gpuProfile"] == {"driver": "Install"}
        assert gpu["nodeLabels"] == {"example.org/rack": "a", "qhub.dev/pool": "gpu"}
        assert gpu["nodeTaints"] == [
            "example.org/dear:PreferNoSchedule",
            "qhub.dev/pool=gpu:NoSchedule",
            "nvidia.com/gpu=present:NoSchedule",
        ]
        assert any("device-plugin" in name for name in releases)
        assert "gpuProfile" not in recording.one(POOL, "pools-user").inputs

    def test_more_nodes_change_the_pool_in_place(self) -> None:
        more = {"node_pools": {"general": {"max": 5}}}
        before, after = record_configuration(MINIMAL), record_configuration(MINIMAL, cluster=more)

        assert changed(before, after) == {"pools-general"}
        names = {one.one(POOL, "pools-general").inputs["agentPoolName"] for one in (before, after)}
        assert len(names) == 1

    @pytest.mark.parametrize(
        "other", [{"instance_type": "Standard_D4s_v5"}, {"disk_size": "128Gi"}, {"instance_type": "Standard_D2ps_v5"}]
    )
    def test_what_aks_cannot_change_makes_a_new_pool_beside_the_old_one(self, other: dict[str, Any]) -> None:
        before, after = (
            record_configuration(MINIMAL),
            record_configuration(MINIMAL, cluster={"node_pools": {"general": other}}),
        )

        assert changed(before, after) == {"pools-general"}
        names = {one.one(POOL, "pools-general").inputs["agentPoolName"] for one in (before, after)}
        assert len(names) == 2

    def test_from_one_zone_to_three(self) -> None:
        one, three = ({"zones": zones} for zones in (["1"], ["1", "2", "3"]))
        before, after = (record_configuration(DEFAULT, cluster={"network": network}) for network in (one, three))

        # The cluster's own pool stands in it with its zones, and is ignored once the cluster is there.
        assert changed(before, after) == {"cluster-aks", "pools-general", "pools-user", "pools-worker"}
        theirs = [{**it.one(AKS).inputs, "agentPoolProfiles": []} for it in (before, after)]
        assert theirs[0] == theirs[1]

    def test_a_pool_that_names_its_zones_stays(self) -> None:
        pools = {"node_pools": {"general": {"zones": ["1"]}}}
        before, after = (
            record_configuration(DEFAULT, cluster={"network": {"zones": zones}, **pools})
            for zones in (["1"], ["1", "2"])
        )

        assert "pools-general" not in changed(before, after)


class TestRegistry:
    def test_nodes_may_pull_from_it_and_do_nothing_else(self) -> None:
        recording = record_configuration(EVERYTHING)
        registry, right = recording.one(REGISTRY), recording.one(RIGHT, "registry-nodes-pull")

        assert registry.inputs["sku"] == {"name": "Premium"}
        assert registry.inputs["adminUserEnabled"] is False
        assert registry.protect is True
        assert right.inputs["principalId"] == KUBELET
        assert right.inputs["scope"] == resource_id(REGISTRY, "registry")
        assert right.inputs["roleDefinitionId"].endswith("/7f951dda-4ed3-4680-a7ca-43fe172d538d")

    def test_none_is_made_unasked(self) -> None:
        assert record_configuration(MINIMAL).of_type(REGISTRY) == []


class TestHomes:
    def test_nodes_mount_the_share(self) -> None:
        volume = record_configuration(DEFAULT).one("kubernetes:core/v1:PersistentVolume")

        assert volume.inputs["spec"]["nfs"] == {
            "server": "files1a2b3c4d.file.core.windows.net",
            "path": "/files1a2b3c4d/home",
        }

    def test_nobody_but_the_nodes_gets_at_it(self) -> None:
        account = record_configuration(DEFAULT).one(ACCOUNT).inputs

        assert account["networkRuleSet"] == {
            "defaultAction": "Deny",
            "bypass": "None",
            "virtualNetworkRules": [
                {"virtualNetworkResourceId": resource_id(NODES, "network-nodes"), "action": "Allow"}
            ],
        }
        assert account["allowSharedKeyAccess"] is False

    def test_it_is_nfs_on_premium_storage(self) -> None:
        recording = record_configuration(EVERYTHING)
        account, share = recording.one(ACCOUNT).inputs, recording.one(SHARE).inputs

        assert (account["kind"], account["sku"]) == ("FileStorage", {"name": "Premium_ZRS"})
        assert account["enableHttpsTrafficOnly"] is False
        assert (share["enabledProtocols"], share["rootSquash"], share["shareQuota"]) == ("NFS", "NoRootSquash", 1024)
        assert record_configuration(DEFAULT).one(ACCOUNT).inputs["sku"] == {"name": "Premium_LRS"}

    def test_they_outlive_the_stack(self) -> None:
        recording = record_configuration(DEFAULT)

        for made in (recording.one(ACCOUNT), recording.one(SHARE)):
            assert (made.protect, made.retain_on_delete) == (True, True), made.urn

    def test_azure_locks_them_while_they_are_protected(self) -> None:
        lock = record_configuration(DEFAULT).one(LOCK)
        open_ = record_configuration(DEFAULT, storage={"kind": "managed", "size": "500Gi", "protect": False})

        assert (lock.inputs["level"], lock.inputs["scope"]) == ("CanNotDelete", resource_id(ACCOUNT, "files"))
        # Else it could not go before what it guards.
        assert (lock.protect, lock.retain_on_delete) == (None, None)
        assert open_.of_type(LOCK) == []
        assert [open_.one(kind).protect for kind in (ACCOUNT, SHARE)] == [False, False]

    def test_more_room_changes_the_share_and_the_volume_alone(self) -> None:
        after = record_configuration(DEFAULT, storage={"kind": "managed", "size": "501Gi"})

        assert changed(record_configuration(DEFAULT), after) == {
            "files-share",
            "qhub-storage-volume",
            "qhub-storage-claim",
        }
        assert after.one(SHARE).inputs["shareQuota"] == 501


class TestLoadBalancer:
    def test_it_lets_a_notebook_be_silent_for_a_while(self) -> None:
        service = record_configuration(DEFAULT).one("kubernetes:core/v1:Service", "qhub-ingress-load-balancer")

        assert service.inputs["metadata"]["annotations"] == {
            "service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout": "30"
        }
