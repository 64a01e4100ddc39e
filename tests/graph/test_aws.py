"""What has to hold of the resource graph on AWS."""

from __future__ import annotations

import json
from functools import partial
from ipaddress import ip_network
from typing import Any

import pytest

from tests.graph import clouds
from tests.graph.clouds import inputs_changed
from tests.graph.clouds_aws import AUTHORITY, CONFIGURATIONS, ENDPOINT, record_configuration
from tests.graph.recorder import SECRET_SIGNATURE, SIGNATURE_KEY, Recording
from tests.graph.test_invariants import transitive

ADD_ON = "aws:eks/addon:Addon"
EKS = "aws:eks/cluster:Cluster"
FILES = "aws:efs/fileSystem:FileSystem"
GROUP = "aws:eks/nodeGroup:NodeGroup"
KUBERNETES = "pulumi:providers:kubernetes"
NAT = "aws:ec2/natGateway:NatGateway"
ROUTE = "aws:ec2/route:Route"
SUBNET = "aws:ec2/subnet:Subnet"
TAG = "aws:autoscaling/tag:Tag"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"

MINIMAL, DEFAULT, EVERYTHING, GIVEN = CONFIGURATIONS
ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]

#: Groups and their launch templates share names.
changed = partial(clouds.changed, kinds=True)


def in_both(before: Recording, after: Recording) -> set[str]:
    """Return the same for those that were there before and still are."""
    kept = before.resources.keys() & after.resources.keys()
    one, other = (Recording({urn: made.resources[urn] for urn in kept}) for made in (before, after))
    return changed(one, other, kinds=True)


def tags_of(recording: Recording, group: str) -> dict[str, str]:
    """Return the tags on the autoscaling group of a node group, without what every one of them begins with."""
    found = [made.inputs for made in recording.of_type(TAG) if made.name.startswith(f"{group}-k8s.io/")]
    assert all(tag["autoscalingGroupName"] == found[0]["autoscalingGroupName"] for tag in found)
    return {tag["tag"]["key"].removeprefix("k8s.io/cluster-autoscaler/"): tag["tag"]["value"] for tag in found}


def autoscaled(recording: Recording) -> dict[str, dict[str, int]]:
    """Return the bounds that the autoscaler is given, by the logical name of the node group."""
    values = recording.one("kubernetes:helm.sh/v3:Release", "qhub-cluster-autoscaler").inputs["values"]
    prefixes = {made.name: made.inputs["nodeGroupNamePrefix"] for made in recording.of_type(GROUP)}
    given = {one["name"]: {"minSize": one["minSize"], "maxSize": one["maxSize"]} for one in values["autoscalingGroups"]}
    assert len(given) == len(prefixes)
    return {name: given[f"eks-{prefix}0a1b"] for name, prefix in prefixes.items()}


def bounds_sent(recording: Recording) -> dict[str, tuple[int, int]]:
    """Return the bounds that EKS is given, by the logical name of the node group."""
    sizes = {made.name: made.inputs["scalingConfig"] for made in recording.of_type(GROUP)}
    return {name: (one["minSize"], one["maxSize"]) for name, one in sizes.items()}


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def recording(request: pytest.FixtureRequest) -> Recording:
    return record_configuration(request.param)


class TestEveryConfiguration:
    def test_the_kubeconfig_is_secret_and_says_how_to_get_a_token(self, recording: Recording) -> None:
        cluster = recording.one(EKS).inputs["name"]
        provider = recording.one(KUBERNETES).inputs
        kubeconfig = provider["kubeconfig"]
        written = json.loads(kubeconfig["value"])

        assert kubeconfig[SIGNATURE_KEY] == SECRET_SIGNATURE
        assert provider["clusterIdentifier"] == cluster
        assert written["clusters"][0]["cluster"] == {"server": ENDPOINT, "certificate-authority-data": AUTHORITY}
        assert written["users"][0]["user"]["exec"]["args"][2:6] == ["eks", "get-token", "--cluster-name", cluster]

    def test_default_tags_reach_everything(self, recording: Recording) -> None:
        cluster = recording.one(EKS).inputs["name"]
        own = {"qhub.dev/cluster": cluster, "qhub.dev/stack": "test"}
        # The provider sends what is no plain text as JSON.
        tags = json.loads(recording.one("pulumi:providers:aws").inputs["defaultTags"])["tags"]

        assert tags.items() >= own.items()
        # What AWS makes by itself gets its tags elsewhere.
        for made in recording.of_type(TEMPLATE):
            assert {one["resourceType"] for one in made.inputs["tagSpecifications"]} >= {"instance", "volume"}
            assert all(one["tags"].items() >= tags.items() for one in made.inputs["tagSpecifications"])
        disks = json.loads(recording.one(ADD_ON, "add-ons-aws-ebs-csi-driver").inputs["configurationValues"])
        assert disks["controller"]["extraVolumeTags"] == tags


class TestOrder:
    def test_nodes_come_after_what_they_need_to_get_ready(self, recording: Recording) -> None:
        for group in recording.of_type(GROUP):
            before = transitive(recording, group)
            assert {
                "node-add-ons-vpc-cni",
                "node-add-ons-eks-pod-identity-agent",
                "node-add-ons-kube-proxy",
                "node-add-ons-vpc-cni-AmazonEKS_CNI_Policy",
                "node-role-AmazonEKSWorkerNodePolicy",
            } <= before
            assert not {name for name in before if name.startswith("add-ons-")}

    def test_nodes_come_after_the_way_out(self) -> None:
        made = record_configuration(MINIMAL)

        for group in made.of_type(GROUP):
            # On the route the node waits, and the route for its gateway.
            assert {f"network-private-{zone}" for zone in ZONES[:2]} <= transitive(made, group)
            assert "network-nat-eu-west-1a" in transitive(made, group)

    def test_add_ons_with_pods_come_after_nodes_for_them(self, recording: Recording) -> None:
        late = [made for made in recording.of_type(ADD_ON) if made.name.startswith("add-ons-")]

        assert {"coredns", "aws-ebs-csi-driver"} <= {made.inputs["addonName"] for made in late}
        for made in late:
            assert any(name.startswith("pools-general-") for name in transitive(recording, made)), made.name

    def test_the_control_plane_has_its_rights_first(self, recording: Recording) -> None:
        # On destroy they go last: without them EKS could not take its network interfaces away.
        assert {"cluster-role-AmazonEKSClusterPolicy", "cluster-logs"} <= transitive(recording, recording.one(EKS))

    def test_the_autoscaler_comes_after_its_rights_and_the_tags_it_looks_for(self, recording: Recording) -> None:
        release = recording.one("kubernetes:helm.sh/v3:Release", "qhub-cluster-autoscaler")
        tags = {made.name for made in recording.of_type(TAG)}

        assert {"autoscaler", *tags} <= transitive(recording, release)

    def test_the_gateway_to_the_internet_goes_after_what_uses_it(self) -> None:
        made = record_configuration(EVERYTHING)

        for type_token in (NAT, "aws:ec2/eip:Eip"):
            for one in made.of_type(type_token):
                assert "network-gateway" in transitive(made, one)


class TestNetwork:
    def test_each_zone_has_two_subnets_of_the_vpc_that_are_apart(self) -> None:
        made = record_configuration(EVERYTHING)
        ranges = [ip_network(one.inputs["cidrBlock"]) for one in made.of_type(SUBNET)]
        whole = ip_network(made.one("aws:ec2/vpc:Vpc").inputs["cidrBlock"])

        assert len(ranges) == 6
        assert all(one.subnet_of(whole) for one in ranges)  # ty: ignore[invalid-argument-type]
        assert not any(a.overlaps(b) for place, a in enumerate(ranges) for b in ranges[:place])

    @pytest.mark.parametrize(
        ("nat", "gateways", "addresses"), [("single", 1, 1), ("per-zone", 3, 3), ("regional", 1, 0)]
    )
    def test_every_private_subnet_has_a_way_out(self, nat: str, gateways: int, addresses: int) -> None:
        made = record_configuration(MINIMAL, cluster={"network": {"nat": nat, "zones": ZONES}})
        routes = [one for one in made.of_type(ROUTE) if "natGatewayId" in one.inputs]

        assert len(made.of_type(NAT)) == gateways
        assert len(made.of_type("aws:ec2/eip:Eip")) == addresses
        assert {one.name for one in routes} == {f"network-private-{zone}" for zone in ZONES}
        assert {one.inputs["natGatewayId"] for one in routes} == {f"{one.name}-id" for one in made.of_type(NAT)}

    def test_another_kind_of_nat_changes_routes_alone(self) -> None:
        before = record_configuration(MINIMAL, cluster={"network": {"nat": "single"}})
        after = record_configuration(MINIMAL, cluster={"network": {"nat": "per-zone"}})

        assert in_both(before, after) >= {"Route:network-private-eu-west-1b"}
        assert {one for one in changed(before, after) if not one.startswith("NodeGroup")} == {
            "Eip:network-nat-eu-west-1b",
            "NatGateway:network-nat-eu-west-1b",
            "Route:network-private-eu-west-1b",
        }

    def test_in_a_given_vpc_nothing_is_made(self) -> None:
        made = record_configuration(GIVEN)

        assert {one.type for one in made.resources.values() if one.type.startswith("aws:ec2/")} == {
            TEMPLATE,
            "aws:ec2/securityGroup:SecurityGroup",
        }
        assert made.one(EKS).inputs["vpcConfig"]["subnetIds"] == ["subnet-0a", "subnet-0b"]
        annotations = made.one("kubernetes:core/v1:Service", "qhub-ingress-load-balancer").inputs["metadata"]
        prefix = "service.beta.kubernetes.io/aws-load-balancer"
        assert annotations["annotations"][f"{prefix}-subnets"] == "subnet-1a,subnet-1b"


class TestControlPlane:
    def test_only_the_ranges_of_the_settings_reach_the_api_server(self) -> None:
        vpc = record_configuration(EVERYTHING).one(EKS).inputs["vpcConfig"]

        assert vpc["endpointPrivateAccess"] is True
        assert vpc["publicAccessCidrs"] == ["203.0.113.0/24", "198.51.100.7/32"]

    def test_secrets_are_encrypted_and_access_is_by_entries(self, recording: Recording) -> None:
        inputs = recording.one(EKS).inputs

        assert inputs["encryptionConfig"]["resources"] == ["secrets"]
        assert inputs["accessConfig"]["authenticationMode"] == "API"
        assert inputs["bootstrapSelfManagedAddons"] is False

    @pytest.mark.parametrize("protect", [True, False])
    def test_it_is_protected_by_the_cloud_and_by_the_engine_or_by_neither(self, protect: bool) -> None:
        made = record_configuration(MINIMAL, cluster={"protect": protect}).one(EKS)

        assert made.inputs["deletionProtection"] is protect
        assert bool(made.protect) is protect

    def test_administrators_have_an_entry_each(self) -> None:
        made = record_configuration(EVERYTHING)
        entries = made.of_type("aws:eks/accessEntry:AccessEntry")
        policies = made.of_type("aws:eks/accessPolicyAssociation:AccessPolicyAssociation")

        assert {one.name for one in entries} == {
            "cluster-admin-role/ops@123456789012",
            "cluster-admin-user/team/alice@123456789012",
        }
        assert {one.inputs["policyArn"].rpartition("/")[2] for one in policies} == {"AmazonEKSClusterAdminPolicy"}

    def test_disks_are_encrypted_and_of_one_class_by_default(self, recording: Recording) -> None:
        made = recording.one("kubernetes:storage.k8s.io/v1:StorageClass").inputs

        assert made["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
        assert made["parameters"]["encrypted"] == "true"
        assert made["allowVolumeExpansion"] is True

    def test_roles_can_be_taken_on_by_one_service_each(self, recording: Recording) -> None:
        trusted = {
            made.name: json.loads(made.inputs["assumeRolePolicy"])["Statement"][0]["Principal"]["Service"]
            for made in recording.of_type("aws:iam/role:Role")
        }

        assert trusted.pop("cluster-role") == "eks.amazonaws.com"
        assert trusted.pop("node-role") == "ec2.amazonaws.com"
        assert set(trusted.values()) == {"pods.eks.amazonaws.com"}


class TestNodePools:
    def test_the_number_of_nodes_is_the_autoscalers(self, recording: Recording) -> None:
        for made in recording.of_type(GROUP):
            assert made.ignore_changes == ("scalingConfig.desiredSize",)
            assert (made.inputs["scalingConfig"]["minSize"], made.inputs["scalingConfig"]["maxSize"]) == (0, 450)

    def test_a_group_is_made_with_as_many_as_the_autoscaler_will_keep(self, recording: Recording) -> None:
        groups = autoscaled(recording)

        assert {name: one["minSize"] for name, one in groups.items()} == {
            made.name: made.inputs["scalingConfig"]["desiredSize"] for made in recording.of_type(GROUP)
        }

    def test_a_pool_is_a_group_in_each_of_its_zones_and_a_spot_pool_one_in_all(self) -> None:
        made = record_configuration(EVERYTHING)
        groups, bounds = {one.name: one.inputs for one in made.of_type(GROUP)}, autoscaled(made)
        zones = [f"eu-central-1{letter}" for letter in "abc"]
        one_each = {f"pools-{pool}-{zone}" for pool in ("general", "user", "large") for zone in zones}

        assert groups.keys() == {*one_each, "pools-gpu-eu-central-1a", "pools-worker"}
        assert {groups[name]["subnetIds"][0] for name in one_each} == {f"network-private-{zone}-id" for zone in zones}
        assert {len(groups[name]["subnetIds"]) for name in one_each} == {1}
        assert len(groups["pools-worker"]["subnetIds"]) == 3
        assert groups["pools-gpu-eu-central-1a"]["subnetIds"] == ["network-private-eu-central-1a-id"]
        assert [bounds[f"pools-general-{zone}"] for zone in zones] == [
            {"minSize": least, "maxSize": 4} for least in (1, 1, 0)
        ]
        assert [bounds[f"pools-user-{zone}"]["maxSize"] for zone in zones] == [4, 3, 3]
        assert bounds["pools-worker"]["maxSize"] == 20

    def test_images_fit_architecture_and_gpu(self) -> None:
        made = record_configuration(EVERYTHING)

        assert {one.name.split("-")[1]: one.inputs["amiType"] for one in made.of_type(GROUP)} == {
            "general": "AL2023_x86_64_STANDARD",
            "user": "AL2023_ARM_64_STANDARD",
            "worker": "AL2023_x86_64_STANDARD",
            "gpu": "AL2023_x86_64_NVIDIA",
            "large": "AL2023_ARM_64_STANDARD",
        }
        assert made.one(GROUP, "pools-worker").inputs["capacityType"] == "SPOT"

    def test_pods_do_not_reach_the_credentials_of_their_node(self, recording: Recording) -> None:
        for made in recording.of_type(TEMPLATE):
            options = made.inputs["metadataOptions"]
            assert (options["httpTokens"], options["httpPutResponseHopLimit"]) == ("required", 1)

    def test_a_node_of_a_pool_at_zero_can_be_imagined(self) -> None:
        made = record_configuration(EVERYTHING)
        group = made.one(GROUP, "pools-gpu-eu-central-1a").inputs

        assert group["taints"] == [
            {"key": "example.org/dear", "value": "yes", "effect": "PREFER_NO_SCHEDULE"},
            {"key": "qhub.dev/pool", "value": "gpu", "effect": "NO_SCHEDULE"},
            {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"},
        ]
        assert tags_of(made, "pools-gpu-eu-central-1a") == {
            "node-template/label/example.org/rack": "a",
            "node-template/label/qhub.dev/pool": "gpu",
            "node-template/label/k8s.amazonaws.com/accelerator": group["labels"]["k8s.amazonaws.com/accelerator"],
            "node-template/label/topology.ebs.csi.aws.com/zone": "eu-central-1a",
            "node-template/taint/example.org/dear": "yes:PreferNoSchedule",
            "node-template/taint/qhub.dev/pool": "gpu:NoSchedule",
            "node-template/taint/nvidia.com/gpu": "present:NoSchedule",
            "node-template/resources/ephemeral-storage": "200Gi",
            "node-template/resources/nvidia.com/gpu": "1",
        }

    def test_other_bounds_of_a_pool_change_the_autoscaler_alone(self) -> None:
        general = {"general": {"min": 2, "max": 6}, "user": {"min": 3, "max": 30}}
        before, after = record_configuration(MINIMAL), record_configuration(MINIMAL, cluster={"node_pools": general})
        bounds = autoscaled(after)

        assert bounds_sent(before) == bounds_sent(after)
        assert [bounds[f"pools-general-{zone}"] for zone in ZONES[:2]] == [{"minSize": 1, "maxSize": 6}] * 2
        assert [bounds[f"pools-user-{zone}"] for zone in ZONES[:2]] == [
            {"minSize": 2, "maxSize": 15},
            {"minSize": 1, "maxSize": 15},
        ]
        # The number of nodes that a group is made with is ignored later.
        assert changed(before, after) == {
            "Release:qhub-cluster-autoscaler",
            "NodeGroup:pools-general-eu-west-1b",
            *(f"NodeGroup:pools-user-{zone}" for zone in ZONES[:2]),
        }

    def test_a_pool_of_one_size_is_left_at_it(self) -> None:
        bounds = autoscaled(record_configuration(MINIMAL, cluster={"node_pools": {"user": {"min": 2, "max": 2}}}))

        assert [bounds[f"pools-user-{zone}"] for zone in ZONES[:2]] == [{"minSize": 1, "maxSize": 1}] * 2

    def test_a_pool_that_may_have_one_node_has_a_group_in_each_zone_all_the_same(self) -> None:
        one, two = (record_configuration(MINIMAL, cluster={"node_pools": {"user": {"max": most}}}) for most in (1, 2))

        assert [autoscaled(one)[f"pools-user-{zone}"]["maxSize"] for zone in ZONES[:2]] == [1, 0]
        assert changed(one, two) == {"Release:qhub-cluster-autoscaler"}

    def test_one_more_pool_leaves_the_others_bounds_as_they_are(self) -> None:
        more = {"node_pools": {"big": {"instance_type": "m6i.2xlarge"}}}
        before, after = record_configuration(MINIMAL), record_configuration(MINIMAL, cluster=more)

        big = {f"pools-big-{zone}" for zone in ZONES[:2]}
        assert {name: bounds for name, bounds in autoscaled(after).items() if name not in big} == autoscaled(before)

    def test_a_pool_with_a_gpu_gets_its_device_plugin(self) -> None:
        names = {
            name: [made.name for made in record_configuration(name).resources.values() if "device-plugin" in made.name]
            for name in (MINIMAL, EVERYTHING)
        }

        assert names[MINIMAL] == []
        assert names[EVERYTHING] != []


class TestZones:
    @staticmethod
    def with_zones(zones: list[str], **pools: Any) -> Recording:
        return record_configuration(
            MINIMAL,
            cluster={"network": {"zones": zones}, "node_pools": pools},
            storage={"kind": "managed", "protect": False},
        )

    def test_a_third_zone_moves_no_subnet_and_leaves_the_control_plane_alone(self) -> None:
        before, after = self.with_zones(ZONES[:2]), self.with_zones(ZONES)
        touched = in_both(before, after)

        assert not {one for one in touched if one.startswith(("Subnet:", "Cluster:", "RouteTable:", "NatGateway:"))}
        # The autoscaler is told of the groups that come, and of other shares of `max`.
        assert inputs_changed(before, after) == {"Release:qhub-cluster-autoscaler"}

    @pytest.mark.parametrize(("zones", "moved"), [(None, {"NodeGroup:pools-worker"}), (ZONES[:2], set())])
    def test_a_spot_pool_becomes_a_new_group_unless_it_names_its_zones(
        self, zones: list[str] | None, moved: set[str]
    ) -> None:
        pool = {"spot": True, "zones": zones}
        before, after = self.with_zones(ZONES[:2], worker=pool), self.with_zones(ZONES, worker=pool)

        assert inputs_changed(before, after) == {"Release:qhub-cluster-autoscaler", *moved}

    def test_the_new_zone_has_all_that_a_zone_has(self) -> None:
        before, after = self.with_zones(ZONES[:2]), self.with_zones(ZONES)
        new = {
            f"{made.type.rpartition(':')[2]}:{made.name}"
            for urn, made in after.resources.items()
            if urn not in before.resources and made.type != TAG
        }

        assert new == {
            "Subnet:network-public-eu-west-1c",
            "Subnet:network-private-eu-west-1c",
            "RouteTable:network-private-eu-west-1c",
            "Route:network-private-eu-west-1c",
            "RouteTableAssociation:network-public-eu-west-1c",
            "RouteTableAssociation:network-private-eu-west-1c",
            "VpcEndpointRouteTableAssociation:network-s3-eu-west-1c",
            *(f"NodeGroup:pools-{pool}-eu-west-1c" for pool in ("general", "user", "worker")),
            "MountTarget:files-eu-west-1c",
        }

    def test_the_order_of_the_others_does_not_matter(self) -> None:
        # The first one has the NAT gateway.
        before, after = self.with_zones(ZONES), self.with_zones([ZONES[0], ZONES[2], ZONES[1]])

        # The control plane keeps the subnets that it was made with.
        assert inputs_changed(before, after) <= {"Cluster:cluster"}
        assert after.one(EKS).ignore_changes == ("vpcConfig.subnetIds",)


class TestFiles:
    @pytest.mark.parametrize("protect", [True, False])
    def test_they_are_kept_where_the_settings_say_so(self, protect: bool) -> None:
        made = record_configuration(MINIMAL, storage={"kind": "managed", "protect": protect})
        files = made.one(FILES)

        assert (bool(files.protect), bool(files.retain_on_delete)) == (protect, protect)
        assert made.one("aws:efs/backupPolicy:BackupPolicy").inputs["backupPolicy"] == {
            "status": "ENABLED" if protect else "DISABLED"
        }

    def test_they_are_in_every_zone_and_let_in_nodes_alone(self) -> None:
        made = record_configuration(EVERYTHING)
        rule = made.one("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").inputs

        assert len(made.of_type("aws:efs/mountTarget:MountTarget")) == 3
        assert (rule["referencedSecurityGroupId"], rule["fromPort"]) == ("sg-0a1b2c", 2049)

    def test_nodes_mount_them_as_aws_asks_for(self) -> None:
        made = record_configuration(DEFAULT)
        volume = made.one("kubernetes:core/v1:PersistentVolume")

        assert volume.inputs["spec"]["nfs"]["server"] == "fs-0a1b2c.efs.eu-west-1.amazonaws.com"
        assert "noresvport" in volume.inputs["spec"]["mountOptions"]

    def test_their_driver_is_there_only_with_them(self) -> None:
        with_files, without = record_configuration(DEFAULT), record_configuration(MINIMAL)

        assert with_files.one(ADD_ON, "add-ons-aws-efs-csi-driver")
        assert [made.name for made in without.resources.values() if "efs" in made.name] == []


class TestRegistry:
    def test_repositories_throw_away_what_nobody_needs(self) -> None:
        made = record_configuration(EVERYTHING)
        policy = json.loads(made.one("aws:ecr/lifecyclePolicy:LifecyclePolicy").inputs["policy"])

        assert made.one("aws:ecr/repository:Repository").inputs["name"] == "team/notebook"
        assert [rule["selection"]["tagStatus"] for rule in policy["rules"]] == ["untagged", "any"]

    @pytest.mark.parametrize("protect", [True, False])
    def test_images_are_kept_with_the_cluster(self, protect: bool) -> None:
        made = record_configuration(MINIMAL, cluster={"registry": True, "protect": protect})

        for repository in made.of_type("aws:ecr/repository:Repository"):
            assert (bool(repository.protect), bool(repository.retain_on_delete)) == (protect, protect)
            assert repository.inputs["forceDelete"] is not protect

    def test_it_can_be_left_out(self) -> None:
        assert record_configuration(MINIMAL).of_type("aws:ecr/repository:Repository") == []
