"""The simulated AWS refuses what AWS refuses: each rule with the mistake that it is for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qhub.rehearsal.clouds.aws import CLOUD
from qhub.rehearsal.clouds.aws import tokens as aws
from qhub.rehearsal.clouds.aws.dns import balancer_zone
from qhub.rehearsal.clouds.resource import Check
from qhub.rehearsal.clouds.subject import Subject
from qhub.rehearsal.clouds.world import Record, World

BALANCER = "a0b1.elb.eu-west-1.amazonaws.com"
CLUSTER_ROLE, NODE_ROLE = "arn:aws:iam::123456789012:role/cluster", "arn:aws:iam::123456789012:role/node"


def trust(service: str) -> str:
    return json.dumps(
        {"Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}
    )


class Cloud:
    """A simulated AWS in a folder, with what a test puts into it."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)

    def put(self, token: str, id: str, *, inputs: dict[str, Any] | None = None, **outputs: Any) -> None:
        """Put something into the cloud that is there already."""
        known = {**(inputs or {}), **outputs}
        self.world.put(
            Record(cloud="aws", type=token, id=id, name=id, urn=f"urn:{id}", inputs=known, outputs=known, seed="a")
        )

    def subject(self, token: str, inputs: dict[str, Any], *, before: dict[str, Any] | None = None) -> Subject:
        return Subject(
            cloud="aws",
            token=token,
            name="it",
            urn="urn:it",
            inputs={**CLOUD.by_token[token].defaults, **inputs},
            world=self.world,
            configuration={"region": "eu-west-1"},
            old_inputs=before,
        )

    def refusals(self, token: str, inputs: dict[str, Any], *, before: dict[str, Any] | None = None) -> dict[str, str]:
        """Return what is wrong with a resource, by the path of the input."""
        kind = CLOUD.by_token[token]
        return self._told((*kind.checks, *kind.conditions), self.subject(token, inputs, before=before))

    def delete_refusals(self, token: str, id: str) -> dict[str, str]:
        """Return why a resource of the cloud cannot be deleted."""
        record = self.world.get("aws", token, id)
        assert record is not None
        subject = self.subject(token, record.inputs)
        subject.id, subject.state = id, record.outputs
        return self._told(CLOUD.by_token[token].before_delete, subject)

    @staticmethod
    def _told(checks: tuple[Check, ...], subject: Subject) -> dict[str, str]:
        return {path: text for check in checks for path, text in check(subject)}


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    """Return a cloud with a network, roles and a cluster that has its first add-ons."""
    made = Cloud(tmp_path)
    made.put(aws.VPC, "vpc-1", cidrBlock="10.0.0.0/16")
    made.put(aws.INTERNET_GATEWAY, "igw-1", vpcId="vpc-1")
    for letter, number in (("a", 0), ("b", 32)):
        subnet = f"subnet-{letter}"
        cidr, zone = f"10.0.{number}.0/19", f"eu-west-1{letter}"
        made.put(aws.SUBNET, subnet, vpcId="vpc-1", cidrBlock=cidr, availabilityZone=zone)
        made.put(aws.ROUTE_TABLE_ASSOCIATION, f"association-{letter}", subnetId=subnet, routeTableId="rtb-1")
    made.put(aws.ROUTE, "r-1", routeTableId="rtb-1", destinationCidrBlock="0.0.0.0/0", natGatewayId="nat-1")
    for name, service, policies in (
        ("cluster", "eks.amazonaws.com", ["AmazonEKSClusterPolicy"]),
        ("node", "ec2.amazonaws.com", ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"]),
    ):
        role = f"arn:aws:iam::123456789012:role/{name}"
        made.put(aws.ROLE, name, name=name, arn=role, assumeRolePolicy=trust(service))
        for policy in policies:
            policy_arn = f"arn:aws:iam::aws:policy/{policy}"
            made.put(aws.ROLE_POLICY_ATTACHMENT, f"{name}-{policy}", role=name, policyArn=policy_arn)
    made.put(
        aws.CLUSTER,
        "team",
        inputs=cluster(),
        vpcConfig={"subnetIds": ["subnet-a", "subnet-b"], "vpcId": "vpc-1", "clusterSecurityGroupId": "sg-1"},
    )
    made.put(aws.ZONE, "Z1", name="example.org", privateZone=False)
    for add_on in ("vpc-cni", "kube-proxy"):
        made.put(aws.ADD_ON, f"team:{add_on}", clusterName="team", addonName=add_on)
    return made


def cluster(**other: Any) -> dict[str, Any]:
    return {
        "name": "team",
        "roleArn": CLUSTER_ROLE,
        "version": "1.34",
        "bootstrapSelfManagedAddons": False,
        "vpcConfig": {"subnetIds": ["subnet-a", "subnet-b"], "endpointPublicAccess": True},
        **other,
    }


def group(**other: Any) -> dict[str, Any]:
    return {
        "clusterName": "team",
        "nodeGroupNamePrefix": "team-user-",
        "nodeRoleArn": NODE_ROLE,
        "subnetIds": ["subnet-a", "subnet-b"],
        "instanceTypes": ["m6i.xlarge"],
        "amiType": "AL2023_x86_64_STANDARD",
        "scalingConfig": {"minSize": 1, "desiredSize": 1, "maxSize": 3},
        **other,
    }


def record(**other: Any) -> dict[str, Any]:
    alias = {"name": BALANCER, "zoneId": balancer_zone("eu-west-1"), "evaluateTargetHealth": False}
    return {"zoneId": "Z1", "name": "hub.example.org", "type": "A", "aliases": [alias], **other}


def sizes(least: int, wanted: int, most: int) -> dict[str, Any]:
    return {"scalingConfig": {"minSize": least, "desiredSize": wanted, "maxSize": most}}


def subnet(**other: Any) -> dict[str, Any]:
    return {"vpcId": "vpc-1", "cidrBlock": "10.0.64.0/19", "availabilityZone": "eu-west-1c", **other}


def test_what_our_components_ask_for_is_taken(cloud: Cloud) -> None:
    assert cloud.refusals(aws.SUBNET, subnet()) == {}
    assert cloud.refusals(aws.CLUSTER, cluster(name="other")) == {}
    assert cloud.refusals(aws.NODE_GROUP, group()) == {}
    assert cloud.refusals(aws.RECORD, record()) == {}
    assert cloud.refusals(aws.RECORD, record(name="example.org")) == {}
    assert cloud.refusals(aws.NODE_GROUP, group(**sizes(0, 0, 1), labels={"k8s.amazonaws.com/accelerator": "t4"})) == {}


# type, inputs, path that is named, words of the message
REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    (aws.VPC, {"cidrBlock": "10.0.0.0/8"}, "cidrBlock", "between a /16 and a /28"),
    (aws.SUBNET, subnet(cidrBlock="10.0.16.0/20"), "cidrBlock", 'overlaps 10.0.0.0/19 of Subnet "subnet-a"'),
    (aws.SUBNET, subnet(cidrBlock="10.1.0.0/20"), "cidrBlock", "is not inside 10.0.0.0/16"),
    (aws.SUBNET, subnet(availabilityZone="eu-west-2a"), "availabilityZone", "is not in eu-west-1"),
    (aws.SUBNET, subnet(vpcId="vpc-2"), "vpcId", "there is no Vpc"),
    (aws.INTERNET_GATEWAY, {"vpcId": "vpc-1"}, "vpcId", "has an internet gateway already"),
    (aws.NAT_GATEWAY, {"availabilityMode": "regional", "subnetId": "subnet-a"}, "subnetId", "takes none"),
    (aws.NAT_GATEWAY, {"subnetId": "subnet-a"}, "allocationId", "is required"),
    (
        aws.ROUTE,
        {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"},
        "destinationCidrBlock",
        "RouteAlreadyExists",
    ),
    (
        aws.ROLE_POLICY_ATTACHMENT,
        {"role": "node", "policyArn": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolic"},
        "policyArn",
        "AmazonEKSWorkerNodePolicy",
    ),
    (aws.KEY, {"deletionWindowInDays": 3}, "deletionWindowInDays", "between 7 and 30"),
    (aws.CLUSTER, cluster(vpcConfig={"subnetIds": ["subnet-a"]}), "vpcConfig.subnetIds", "at least two zones"),
    (aws.CLUSTER, cluster(roleArn=NODE_ROLE), "roleArn", "AmazonEKSClusterPolicy"),
    (
        aws.CLUSTER,
        cluster(kubernetesNetworkConfig={"serviceIpv4Cidr": "10.0.128.0/20"}),
        "kubernetesNetworkConfig.serviceIpv4Cidr",
        "overlaps the VPC's range",
    ),
    (
        aws.ACCESS_POLICY,
        {
            "clusterName": "team",
            "principalArn": "arn:aws:iam::123456789012:role/ops",
            "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
            "accessScope": {"type": "cluster"},
        },
        "principalArn",
        "has no access entry",
    ),
    (aws.ADD_ON, {"clusterName": "team", "addonName": "coredns"}, "addonName", "would stay DEGRADED"),
    (aws.ADD_ON, {"clusterName": "team", "addonName": "core-dns"}, "addonName", "coredns"),
    (aws.NODE_GROUP, group(instanceTypes=["m6i.xlarg"]), "instanceTypes[0]", "m6i.xlarge"),
    (aws.NODE_GROUP, group(instanceTypes=["m7g.xlarge"]), "amiType", "is for amd64, and m7g.xlarge has arm64"),
    (aws.NODE_GROUP, group(instanceTypes=["g4dn.xlarge"]), "amiType", "for which this image has no driver"),
    (aws.NODE_GROUP, group(amiType="AL2023_x86_64_NVIDIA"), "instanceTypes[0]", "has no GPU"),
    (aws.NODE_GROUP, group(nodeRoleArn=CLUSTER_ROLE), "nodeRoleArn", "AmazonEC2ContainerRegistryPullOnly"),
    (aws.NODE_GROUP, group(**sizes(2, 1, 3)), "scalingConfig.minSize", "can't be greater than desired size 1"),
    (aws.NODE_GROUP, group(**sizes(0, 5, 3)), "scalingConfig.maxSize", "can't be less than desired size 5"),
    (aws.NODE_GROUP, group(**sizes(0, 1, 451)), "scalingConfig.maxSize", "quota per managed node group, 450"),
    (
        aws.NODE_GROUP,
        group(taints=[{"key": "a", "effect": "NoSchedule"}]),
        "taints[0].effect",
        "NO_SCHEDULE",
    ),
    (aws.NODE_GROUP, group(labels={"kubernetes.io/kind": "a"}), "labels.kubernetes.io/kind", "reserved prefixes"),
    (aws.NODE_GROUP, group(version="1.35"), "version", "cannot be newer than the control plane"),
    (aws.NODE_GROUP, group(launchTemplate={"id": "lt-1", "version": "1"}, diskSize=50), "diskSize", "launch template"),
    (
        aws.AUTOSCALING_TAG,
        {"autoscalingGroupName": "eks-other", "tag": {"key": "a", "value": "", "propagateAtLaunch": False}},
        "autoscalingGroupName",
        "there is no autoscaling group",
    ),
    (
        aws.FILE_SYSTEM,
        {"lifecyclePolicies": [{"transitionToIa": "AFTER_1_DAY", "transitionToPrimaryStorageClass": "AFTER_1_ACCESS"}]},
        "lifecyclePolicies[0]",
        "one transition",
    ),
    (aws.REPOSITORY, {"name": "Team"}, "name", "a-z"),
    (aws.RECORD, record(zoneId="Z2"), "zoneId", "there is no Zone"),
    (aws.RECORD, record(name="hub.example.com"), "name", "is not permitted in zone example.org"),
    (
        aws.RECORD,
        {"zoneId": "Z1", "name": "example.org", "type": "CNAME", "records": [BALANCER], "ttl": 300},
        "type",
        "is not permitted at apex",
    ),
    (aws.RECORD, record(aliases=[{"name": BALANCER, "zoneId": "Z9"}]), "aliases[0].zoneId", "NoSuchHostedZone"),
    (
        aws.RECORD,
        record(aliases=[{"name": "10.0.0.1", "zoneId": balancer_zone("eu-west-1")}]),
        "aliases[0].name",
        "does not lie within the target zone",
    ),
    (aws.RECORD, record(aliases=None, records=["10.0.0.1"]), "ttl", "is required with records"),
    (aws.RECORD, record(aliases=None, records=[BALANCER], ttl=300), "records[0]", "no IPv4 address"),
    (
        aws.ROLE_POLICY,
        {"role": "node", "policy": json.dumps({"Statement": [{"Resource": "arn:aws:route53:::hostedzone/Z2"}]})},
        "policy",
        "there is no hosted zone Z2",
    ),
    (aws.VPC, {"cidrBlock": "10.0.0.0/16", "tags": {"aws:team": "a"}}, "tags.aws:team", "does not start with aws:"),
]


@pytest.mark.parametrize(("token", "inputs", "path", "words"), REFUSED, ids=[f"{one[0]} {one[3]}" for one in REFUSED])
def test_a_mistake_is_told_at_its_input(
    cloud: Cloud, token: str, inputs: dict[str, Any], path: str, words: str
) -> None:
    assert words in cloud.refusals(token, inputs)[path]


class TestOrder:
    def test_nodes_without_their_network_plug_in_do_not_get_ready(self, cloud: Cloud) -> None:
        cloud.world.remove("aws", aws.ADD_ON, "team:vpc-cni")

        assert "NotReady without the add-on vpc-cni" in cloud.refusals(aws.NODE_GROUP, group())[""]
        # A group without a node has nothing to get ready.
        assert cloud.refusals(aws.NODE_GROUP, group(**sizes(0, 0, 3))) == {}

    def test_nodes_without_a_way_out_do_not_get_ready(self, cloud: Cloud) -> None:
        cloud.world.remove("aws", aws.ROUTE, "r-1")

        assert "no route" in cloud.refusals(aws.NODE_GROUP, group())["subnetIds[0]"]

    def test_add_ons_with_pods_are_fine_after_a_node(self, cloud: Cloud) -> None:
        cloud.put(aws.NODE_GROUP, "team:general", inputs=group())

        assert cloud.refusals(aws.ADD_ON, {"clusterName": "team", "addonName": "coredns"}) == {}

    def test_a_nat_gateway_wants_an_internet_gateway(self, cloud: Cloud) -> None:
        cloud.world.remove("aws", aws.INTERNET_GATEWAY, "igw-1")
        cloud.put(aws.EIP, "eipalloc-1")

        refused = cloud.refusals(aws.NAT_GATEWAY, {"subnetId": "subnet-a", "allocationId": "eipalloc-1"})
        assert "has no Internet gateway attached" in refused[""]


class TestQuotas:
    def test_a_sixth_address_is_refused(self, cloud: Cloud) -> None:
        for number in range(5):
            cloud.put(aws.EIP, f"eipalloc-{number}")

        assert "AddressLimitExceeded" in cloud.refusals(aws.EIP, {"domain": "vpc"})[""]


class TestUpdates:
    def test_a_version_is_raised_by_one(self, cloud: Cloud) -> None:
        for version, told in (("1.35", False), ("1.36", True), ("1.33", True)):
            refused = cloud.refusals(aws.CLUSTER, cluster(version=version), before=cluster())
            assert ("version" in refused) is told, version

    def test_the_control_plane_keeps_its_zones(self, cloud: Cloud) -> None:
        cloud.put(aws.SUBNET, "subnet-c", inputs=subnet())
        moved = cluster(vpcConfig={"subnetIds": ["subnet-a", "subnet-c"], "endpointPublicAccess": True})

        refused = cloud.refusals(aws.CLUSTER, moved, before=cluster())
        assert "exact set of zones of the creation: eu-west-1a, eu-west-1b" in refused["vpcConfig.subnetIds"]

    def test_another_encryption_is_another_cluster(self, cloud: Cloud) -> None:
        with_key = cluster(encryptionConfig={"provider": {"keyArn": "a"}, "resources": ["secrets"]})
        replaces = CLOUD.by_token[aws.CLUSTER].replaces
        assert replaces is not None

        assert list(replaces(cloud.subject(aws.CLUSTER, with_key, before=cluster()))) == []
        assert list(replaces(cloud.subject(aws.CLUSTER, cluster(), before=with_key))) == ["encryptionConfig"]


class TestDeletes:
    def test_a_protected_cluster_stays(self, cloud: Cloud) -> None:
        cloud.put(aws.CLUSTER, "safe", inputs=cluster(name="safe", deletionProtection=True))

        assert "deletion protection is on" in cloud.delete_refusals(aws.CLUSTER, "safe")["deletionProtection"]
        assert cloud.delete_refusals(aws.CLUSTER, "team") == {}

    def test_what_is_used_stays(self, cloud: Cloud) -> None:
        cloud.put(aws.NODE_GROUP, "team:user", inputs=group())
        cloud.put(aws.NAT_GATEWAY, "nat-1", subnetId="subnet-a")

        for token, id in (
            (aws.VPC, "vpc-1"),
            (aws.SUBNET, "subnet-a"),
            (aws.INTERNET_GATEWAY, "igw-1"),
            (aws.ROLE, "node"),
            (aws.CLUSTER, "team"),
        ):
            assert cloud.delete_refusals(token, id) != {}, id
