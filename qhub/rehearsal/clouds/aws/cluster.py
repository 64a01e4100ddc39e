"""EKS clusters, and who may use them. The control plane is a real API server, reached at 127.0.0.1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qhub.rehearsal.clouds import kubernetes
from qhub.rehearsal.clouds.aws.tokens import (
    ACCESS_ENTRY,
    ACCESS_POLICY,
    CLUSTER,
    CREATED,
    KEY,
    NODE_GROUP,
    POD_IDENTITY,
    ROLE,
    SUBNET,
    VPC,
    arn,
    cluster_is_there,
    region_of,
    role_is_for,
    tags_check,
)
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.clouds.rules import (
    Problems,
    address_range,
    matches,
    not_protected,
    not_used_by,
    one_of,
    parse_range,
    refers_to,
)
from qhub.rehearsal.clouds.subject import Subject

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
ADMIN_POLICIES = (
    "AmazonEKSClusterAdminPolicy",
    "AmazonEKSAdminPolicy",
    "AmazonEKSAdminViewPolicy",
    "AmazonEKSEditPolicy",
    "AmazonEKSViewPolicy",
)
#: Subnets of the control plane's network interfaces: this many free addresses in each ("Amazon EKS networking
#: requirements").
_FREE_ADDRESSES = 16


def zones_of_subnets(subject: Subject, path: str) -> set[str]:
    """Return the zones of the subnets whose ids are at a path."""
    found = [subject.find(SUBNET, value) for _, value in subject.each(path)]
    return {str(subnet.get("availabilityZone")) for subnet in found if subnet is not None}


def _two_zones(subject: Subject) -> Problems:
    zones = zones_of_subnets(subject, "vpcConfig.subnetIds[*]")
    if len(zones) < 2:
        yield "vpcConfig.subnetIds", f"subnets must be in at least two zones, these are in {', '.join(sorted(zones))}"


def _enough_subnets(subject: Subject) -> Problems:
    subnets = subject.get("vpcConfig.subnetIds")
    if isinstance(subnets, list) and len(subnets) < 2:
        yield "vpcConfig.subnetIds", f"subnets must be in at least two zones, here is {len(subnets)} subnet"


def _subnets_are_of_one_vpc(subject: Subject) -> Problems:
    found = [subject.find(SUBNET, value) for _, value in subject.each("vpcConfig.subnetIds[*]")]
    vpcs = {subnet.get("vpcId") for subnet in found if subnet is not None}
    if len(vpcs) > 1:
        yield "vpcConfig.subnetIds", f"the subnets are in {len(vpcs)} VPCs: a cluster is in one"
    for subnet in found:
        room = parse_range(subnet.get("cidrBlock")) if subnet else None
        if subnet and room and room.num_addresses < _FREE_ADDRESSES:
            yield "vpcConfig.subnetIds", f'subnet "{subnet.name}" has fewer than {_FREE_ADDRESSES} addresses'


def _services_are_apart(subject: Subject) -> Problems:
    services = parse_range(subject.get("kubernetesNetworkConfig.serviceIpv4Cidr"))
    for _, value in subject.each("vpcConfig.subnetIds[*]"):
        subnet = subject.find(SUBNET, value)
        vpc = subject.find(VPC, subnet.get("vpcId")) if subnet else None
        home = parse_range(vpc.get("cidrBlock")) if vpc else None
        if services and home and services.overlaps(home):
            yield "kubernetesNetworkConfig.serviceIpv4Cidr", f"{services} overlaps the VPC's range {home}"
            return


def _version_goes_up_by_one(subject: Subject) -> Problems:
    before, after = (subject.old_inputs or {}).get("version"), subject.get("version")
    if isinstance(before, str) and isinstance(after, str) and before != after:
        step = int(after.split(".")[1]) - int(before.split(".")[1])
        if step != 1:
            yield "version", f"a cluster goes from {before} to the next minor version alone, not to {after}"


def _zones_stay(subject: Subject) -> Problems:
    if subject.old_inputs is None or not subject.changed("vpcConfig.subnetIds"):
        return
    old = [subject.find(SUBNET, value) for value in subject.old_inputs["vpcConfig"]["subnetIds"]]
    before = {str(subnet.get("availabilityZone")) for subnet in old if subnet is not None}
    after = zones_of_subnets(subject, "vpcConfig.subnetIds[*]")
    if before != after:
        was = ", ".join(sorted(before))
        yield "vpcConfig.subnetIds", f"the subnets should belong to the exact set of zones of the creation: {was}"


def _endpoint_is_somewhere(subject: Subject) -> Problems:
    if subject.get("vpcConfig.endpointPublicAccess") is False and not subject.get("vpcConfig.endpointPrivateAccess"):
        yield "vpcConfig.endpointPublicAccess", "an API server with neither endpoint could not be reached"


def _replaces(subject: Subject) -> Iterator[str]:
    """Encryption can be added, never changed or taken away."""
    if subject.changed("encryptionConfig") and (subject.old_inputs or {}).get("encryptionConfig"):
        yield "encryptionConfig"


def _start(subject: Subject) -> None:
    kubernetes.start(
        subject,
        cloud="aws",
        name=subject.inputs["name"],
        version=subject.get("version", "1.34"),
        region=region_of(subject),
    )


def _outputs(subject: Subject) -> dict[str, Any]:
    server, certificate = kubernetes.endpoint(subject)
    subnet = subject.find(SUBNET, subject.inputs["vpcConfig"]["subnetIds"][0])
    region = region_of(subject)
    issuer = f"https://oidc.eks.{region}.amazonaws.com/id/{subject.hex(32, 'issuer').upper()}"
    return {
        "arn": arn(subject, "eks", f"cluster/{subject.id}"),
        "endpoint": server,
        "certificateAuthority": {"data": certificate},
        "status": "ACTIVE",
        "createdAt": CREATED,
        "version": subject.get("version", "1.34"),
        "platformVersion": "eks.1",
        "identities": [{"oidcs": [{"issuer": issuer}]}],
        "vpcConfig": {
            **subject.inputs["vpcConfig"],
            "vpcId": subnet.get("vpcId") if subnet else "",
            "clusterSecurityGroupId": f"sg-{subject.hex(17, 'security group')}",
        },
    }


def _entry_is_there(subject: Subject) -> Problems:
    principal, cluster = subject.get("principalArn"), subject.get("clusterName")
    if not subject.all(ACCESS_ENTRY, principalArn=principal, clusterName=cluster):
        yield "principalArn", f"{principal} has no access entry in cluster {cluster}: make it first"


CLUSTER_TYPES = (
    ResourceType(
        token=CLUSTER,
        # Eight to twelve minutes; an upgrade of the version takes longer.
        create_seconds=570,
        update_seconds=lambda subject: 1500 if subject.changed("version") else 60,
        delete_seconds=180,
        autoname=AutoName(),
        id=lambda subject: subject.inputs["name"],
        replaced_by=(
            "name",
            "roleArn",
            "bootstrapSelfManagedAddons",
            "accessConfig.bootstrapClusterCreatorAdminPermissions",
            "kubernetesNetworkConfig.serviceIpv4Cidr",
            "kubernetesNetworkConfig.ipFamily",
        ),
        replaces=_replaces,
        defaults={"bootstrapSelfManagedAddons": True, "deletionProtection": False},
        outputs=_outputs,
        computed=("vpcConfig.vpcId", "vpcConfig.clusterSecurityGroupId"),
        checks=(
            matches("name", r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}", "1 to 100 letters, digits, '_' and '-'"),
            matches("version", r"1\.\d{2}", "a minor version: 1.34"),
            one_of("accessConfig.authenticationMode", ("API", "API_AND_CONFIG_MAP", "CONFIG_MAP"), "a mode"),
            one_of("upgradePolicy.supportType", ("STANDARD", "EXTENDED"), "a kind of support"),
            one_of("enabledClusterLogTypes[*]", LOG_TYPES, "a type of log"),
            address_range("kubernetesNetworkConfig.serviceIpv4Cidr", largest=12, smallest=24, private=True),
            address_range("vpcConfig.publicAccessCidrs[*]", largest=0, smallest=32),
            _enough_subnets,
            _endpoint_is_somewhere,
            _version_goes_up_by_one,
            tags_check(),
        ),
        conditions=(
            refers_to("vpcConfig.subnetIds[*]", SUBNET),
            refers_to("encryptionConfig.provider.keyArn", KEY, by="arn"),
            role_is_for("roleArn", "eks.amazonaws.com", "AmazonEKSClusterPolicy"),
            _two_zones,
            _subnets_are_of_one_vpc,
            _services_are_apart,
            _zones_stay,
        ),
        before_delete=(not_protected("deletionProtection"), not_used_by(NODE_GROUP, "clusterName")),
        during_create=_start,
        after_delete=kubernetes.stop,
    ),
    ResourceType(
        token=ACCESS_ENTRY,
        create_seconds=3,
        delete_seconds=3,
        id=lambda subject: f"{subject.inputs['clusterName']}:{subject.inputs['principalArn']}",
        replaced_by=("clusterName", "principalArn", "type"),
        defaults={"type": "STANDARD"},
        outputs=lambda subject: {"createdAt": CREATED, "userName": subject.inputs["principalArn"]},
        checks=(
            matches("principalArn", r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/.+", "the ARN of an IAM role or user"),
            tags_check(),
        ),
        conditions=(cluster_is_there,),
    ),
    ResourceType(
        token=ACCESS_POLICY,
        create_seconds=3,
        delete_seconds=3,
        id=lambda subject: "#".join(subject.inputs[key] for key in ("clusterName", "principalArn", "policyArn")),
        replaced_by=("clusterName", "principalArn", "policyArn", "accessScope"),
        outputs=lambda subject: {"associatedAt": CREATED},
        checks=(
            matches(
                "policyArn",
                rf"arn:aws[a-z-]*:eks::aws:cluster-access-policy/({'|'.join(ADMIN_POLICIES)})",
                f"an access policy of EKS ({', '.join(ADMIN_POLICIES)})",
            ),
            one_of("accessScope.type", ("cluster", "namespace"), "a scope"),
        ),
        conditions=(cluster_is_there, _entry_is_there),
    ),
    ResourceType(
        token=POD_IDENTITY,
        create_seconds=3,
        delete_seconds=3,
        id=lambda subject: f"a-{subject.hex(17)}",
        replaced_by=("clusterName", "namespace", "serviceAccount"),
        unique=("clusterName", "namespace", "serviceAccount"),
        outputs=lambda subject: {
            "associationId": subject.id,
            "associationArn": arn(
                subject, "eks", f"podidentityassociation/{subject.inputs['clusterName']}/{subject.id}"
            ),
        },
        checks=(tags_check(),),
        conditions=(
            cluster_is_there,
            refers_to("roleArn", ROLE, by="arn"),
            role_is_for("roleArn", "pods.eks.amazonaws.com"),
        ),
    ),
)
