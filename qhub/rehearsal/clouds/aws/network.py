"""VPCs, subnets, internet gateways and security groups."""

from __future__ import annotations

from typing import Any

from qhub.config.regions import zones_of
from qhub.rehearsal.clouds.aws.tokens import (
    ACCOUNT,
    CLUSTER,
    INGRESS_RULE,
    INTERNET_GATEWAY,
    MOUNT_TARGET,
    NAT_GATEWAY,
    NODE_GROUP,
    ROUTE_TABLE,
    SECURITY_GROUP,
    SUBNET,
    VPC,
    VPC_ENDPOINT,
    arn,
    id_of,
    region_of,
    tags_check,
)
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.clouds.rules import (
    Problems,
    address_range,
    between,
    inside_range,
    no_overlap,
    not_used_by,
    refers_to,
)
from qhub.rehearsal.clouds.subject import Subject

#: In a region of a new account ("Amazon VPC quotas").
MOST_VPCS = 5


def _zone_is_of_the_region(subject: Subject) -> Problems:
    zone, region = subject.get("availabilityZone"), region_of(subject)
    if zone is not None and zone[:-1] != region:
        known = ", ".join(zones_of("aws", region))
        yield "availabilityZone", f"{zone} is not in {region}, the provider's region{f' ({known})' if known else ''}"


def _vpc_quota(subject: Subject) -> Problems:
    if subject.old_inputs is None and len(subject.all(VPC)) >= MOST_VPCS:
        yield "", f"VpcLimitExceeded: a region has {MOST_VPCS} VPCs at most, unless AWS raises the quota"


def _only_gateway(subject: Subject) -> Problems:
    for other in subject.all(INTERNET_GATEWAY, vpcId=subject.get("vpcId")):
        yield "vpcId", f'the VPC has an internet gateway already, "{other.name}"'


def _nat_gateways_are_gone(subject: Subject) -> Problems:
    """DependencyViolation: the VPC has mapped public addresses."""
    for nat in subject.all(NAT_GATEWAY):
        subnet = subject.find(SUBNET, nat.get("subnetId"))
        if subject.get("vpcId") in (nat.get("vpcId"), subnet.get("vpcId") if subnet else None):
            yield "", f'NAT gateway "{nat.name}" still has an address that is reached through it'


def _group_is_there(subject: Subject) -> Problems:
    """A rule may name a group of ours, or the one that EKS made for a cluster."""
    wanted = subject.get("referencedSecurityGroupId")
    clusters = {one.get("vpcConfig.clusterSecurityGroupId") for one in subject.all(CLUSTER)}
    if wanted is not None and wanted not in clusters and subject.find(SECURITY_GROUP, wanted) is None:
        yield "referencedSecurityGroupId", f"there is no security group {wanted!r} in the simulated cloud"


def _one_source(subject: Subject) -> Problems:
    sources = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")
    if sum(subject.given(path) for path in sources) != 1:
        yield "", f"exactly one of {', '.join(sources)} must be given"


def _vpc_outputs(subject: Subject) -> dict[str, Any]:
    return {
        "arn": arn(subject, "ec2", f"vpc/{subject.id}"),
        "ownerId": ACCOUNT,
        "defaultSecurityGroupId": f"sg-{subject.hex(17, 'default group')}",
        "mainRouteTableId": f"rtb-{subject.hex(17, 'main table')}",
        "defaultRouteTableId": f"rtb-{subject.hex(17, 'main table')}",
    }


NETWORK_TYPES = (
    ResourceType(
        token=VPC,
        create_seconds=4,
        delete_seconds=2,
        id=id_of("vpc"),
        replaced_by=("cidrBlock", "instanceTenancy"),
        defaults={"enableDnsSupport": True, "enableDnsHostnames": False, "instanceTenancy": "default"},
        outputs=_vpc_outputs,
        checks=(address_range("cidrBlock", largest=16, smallest=28), tags_check()),
        conditions=(_vpc_quota,),
        before_delete=tuple(
            not_used_by(token, "vpcId")
            for token in (SUBNET, INTERNET_GATEWAY, SECURITY_GROUP, VPC_ENDPOINT, ROUTE_TABLE)
        ),
    ),
    ResourceType(
        token=SUBNET,
        create_seconds=2,
        delete_seconds=2,
        id=id_of("subnet"),
        replaced_by=("vpcId", "cidrBlock", "availabilityZone"),
        defaults={"mapPublicIpOnLaunch": False},
        outputs=lambda subject: {"arn": arn(subject, "ec2", f"subnet/{subject.id}"), "ownerId": ACCOUNT},
        checks=(address_range("cidrBlock", largest=16, smallest=28), _zone_is_of_the_region, tags_check()),
        conditions=(
            refers_to("vpcId", VPC),
            inside_range("cidrBlock", VPC, reference="vpcId", of=("cidrBlock",)),
            no_overlap("cidrBlock", SUBNET, same=("vpcId",)),
        ),
        # DependencyViolation: network interfaces are in it.
        before_delete=(
            not_used_by(NODE_GROUP, "subnetIds[*]"),
            not_used_by(CLUSTER, "vpcConfig.subnetIds[*]"),
            not_used_by(NAT_GATEWAY, "subnetId"),
            not_used_by(MOUNT_TARGET, "subnetId"),
        ),
    ),
    ResourceType(
        token=INTERNET_GATEWAY,
        create_seconds=2,
        delete_seconds=10,
        id=id_of("igw"),
        outputs=lambda subject: {"arn": arn(subject, "ec2", f"internet-gateway/{subject.id}"), "ownerId": ACCOUNT},
        checks=(tags_check(),),
        conditions=(refers_to("vpcId", VPC), _only_gateway),
        before_delete=(_nat_gateways_are_gone,),
    ),
    ResourceType(
        token=SECURITY_GROUP,
        create_seconds=3,
        delete_seconds=3,
        autoname=AutoName(),
        unique=("name", "vpcId"),
        id=id_of("sg"),
        replaced_by=("name", "namePrefix", "description", "vpcId"),
        defaults={"description": "Managed by Pulumi", "revokeRulesOnDelete": False},
        outputs=lambda subject: {"arn": arn(subject, "ec2", f"security-group/{subject.id}"), "ownerId": ACCOUNT},
        checks=(tags_check(),),
        conditions=(refers_to("vpcId", VPC),),
        before_delete=(
            not_used_by(MOUNT_TARGET, "securityGroups[*]"),
            not_used_by(CLUSTER, "vpcConfig.securityGroupIds[*]"),
        ),
    ),
    ResourceType(
        token=INGRESS_RULE,
        create_seconds=2,
        delete_seconds=2,
        id=id_of("sgr"),
        replaced_by=("securityGroupId",),
        outputs=lambda subject: {
            "arn": arn(subject, "ec2", f"security-group-rule/{subject.id}"),
            "securityGroupRuleId": subject.id,
        },
        checks=(between("fromPort", -1, 65535), between("toPort", -1, 65535), _one_source, tags_check()),
        conditions=(refers_to("securityGroupId", SECURITY_GROUP), _group_is_there),
    ),
)
