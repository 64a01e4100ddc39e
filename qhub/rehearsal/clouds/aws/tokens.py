"""Type tokens of the simulated AWS, and what several of its types share."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from qhub.rehearsal.clouds.resource import Check
from qhub.rehearsal.clouds.rules import Problems
from qhub.rehearsal.clouds.subject import Subject
from qhub.rehearsal.clouds.world import Record
from qhub.rehearsal.plugins.wire import UNKNOWN

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
INTERNET_GATEWAY = "aws:ec2/internetGateway:InternetGateway"
EIP = "aws:ec2/eip:Eip"
NAT_GATEWAY = "aws:ec2/natGateway:NatGateway"
ROUTE_TABLE = "aws:ec2/routeTable:RouteTable"
ROUTE = "aws:ec2/route:Route"
ROUTE_TABLE_ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
VPC_ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
VPC_ENDPOINT_ASSOCIATION = "aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation"
SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
ROLE = "aws:iam/role:Role"
ROLE_POLICY_ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
KEY = "aws:kms/key:Key"
ALIAS = "aws:kms/alias:Alias"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
CLUSTER = "aws:eks/cluster:Cluster"
ACCESS_ENTRY = "aws:eks/accessEntry:AccessEntry"
ACCESS_POLICY = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
POD_IDENTITY = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
ADD_ON = "aws:eks/addon:Addon"
LAUNCH_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
AUTOSCALING_TAG = "aws:autoscaling/tag:Tag"
FILE_SYSTEM = "aws:efs/fileSystem:FileSystem"
MOUNT_TARGET = "aws:efs/mountTarget:MountTarget"
BACKUP_POLICY = "aws:efs/backupPolicy:BackupPolicy"
REPOSITORY = "aws:ecr/repository:Repository"
ZONE = "aws:route53/zone:Zone"
RECORD = "aws:route53/record:Record"
LIFECYCLE_POLICY = "aws:ecr/lifecyclePolicy:LifecyclePolicy"

#: The account in which everything is.
ACCOUNT = "123456789012"
#: When things were made: a date that is always the same shows no difference.
CREATED = "2026-01-01T00:00:00Z"


def region_of(subject: Subject) -> str:
    """Return the region of a resource: its own, or the provider's."""
    return subject.get("region") or subject.configuration.get("region") or "us-east-1"


def arn(subject: Subject, service: str, resource: str, *, regional: bool = True) -> str:
    """Return the ARN of something in the account; IAM's have no region."""
    return f"arn:aws:{service}:{region_of(subject) if regional else ''}:{ACCOUNT}:{resource}"


def id_of(prefix: str) -> Callable[[Subject], str]:
    """Return what makes an id such as `vpc-0a1b2c...`, of 17 hex digits."""
    return lambda subject: f"{prefix}-{subject.hex(17)}"


def tags_of_provider(subject: Subject) -> dict[str, Any]:
    """Return `tagsAll`: the resource's own tags over the provider's default ones; unknown where one of them is.

    The provider adds it to the inputs (pulumi-aws, provider/tags.go), so other default tags are an update.
    """
    defaults = (subject.configuration.get("defaultTags") or {}).get("tags") or {}
    own = {**defaults, **(subject.get("tags") or {})}
    return {"tagsAll": own if subject.known("tags") else UNKNOWN}


def name_of(subject: Subject, key: str = "name", prefix_key: str = "namePrefix") -> str:
    """Return a name: the one given, or its prefix with the 26 characters that the provider adds."""
    return subject.get(key) or f"{subject.get(prefix_key, '')}{subject.hex(26, 'name')}"


def tags_check(path: str = "tags") -> Check:
    """Return the check of tags (AWS, "Tag naming limits and requirements")."""

    def check(subject: Subject) -> Problems:
        tags = subject.get(path) or {}
        if len(tags) > 50:
            yield path, f"{len(tags)} tags: a resource has 50 at most"
        for key, value in tags.items():
            if not 1 <= len(str(key)) <= 128 or str(key).lower().startswith("aws:"):
                yield f"{path}.{key}", "a key has 1 to 128 characters and does not start with aws:"
            if len(str(value)) > 256:
                yield f"{path}.{key}", "a value has at most 256 characters"

    return check


def json_check(path: str) -> Check:
    """Return the check that the text at a path is JSON."""

    def check(subject: Subject) -> Problems:
        for place, value in subject.each(path):
            try:
                json.loads(value)
            except (TypeError, ValueError) as error:
                yield place, f"is not JSON: {error}"

    return check


def by_arn(subject: Subject, token: str, path: str) -> Record | None:
    """Return the resource whose ARN is the input at a path; None where there is none."""
    wanted = subject.get(path)
    return subject.one(token, arn=wanted) if wanted else None


def role_is_for(path: str, service: str, *policies: str) -> Check:
    """Return a condition on the role at a path: it is there, `service` may take it on, and it has these policies.

    Args:
        path: input with the role's ARN (`*` allowed).
        service: as in the role's trust policy.
        policies: last parts of the ARNs of policies that must be attached.
    """

    def check(subject: Subject) -> Problems:
        for place, wanted in subject.each(path):
            role = subject.one(ROLE, arn=wanted)
            if role is None:
                yield place, f"there is no role {wanted!r} in the simulated cloud"
                continue
            if service not in services_of(role):
                yield place, f'role "{role.name}" cannot be taken on by {service}: its trust policy names others'
            attached = {
                str(one.get("policyArn")).rpartition("/")[2]
                for one in subject.all(ROLE_POLICY_ATTACHMENT, role=role.get("name"))
            }
            for policy in policies:
                if policy not in attached:
                    yield place, f'role "{role.name}" has no policy {policy}: attach it before it is used'

    return check


def services_of(role: Record) -> set[str]:
    """Return the services that may take on a role."""
    found: set[str] = set()
    for statement in json.loads(str(role.get("assumeRolePolicy") or "{}")).get("Statement", ()):
        services = (statement.get("Principal") or {}).get("Service", ())
        found.update([services] if isinstance(services, str) else services)
    return found


def cluster_of(subject: Subject) -> Record | None:
    """Return the EKS cluster that `clusterName` names."""
    return subject.one(CLUSTER, name=subject.get("clusterName"))


def cluster_is_there(subject: Subject) -> Problems:
    """Condition: the cluster that `clusterName` names is there and active."""
    cluster = cluster_of(subject)
    if cluster is None:
        yield "clusterName", f"there is no cluster {subject.get('clusterName')!r} in the simulated cloud"
    elif not cluster.ready:
        yield "clusterName", f'cluster "{cluster.name}" is not active yet'
