"""The simulated AWS: what it refuses, replaces, computes, and how long it takes.

| file                  | types                                                                                     |
|-----------------------|-------------------------------------------------------------------------------------------|
| `network.py`          | Vpc, Subnet, InternetGateway, SecurityGroup, SecurityGroupIngressRule                     |
| `routes.py`           | Eip, NatGateway, RouteTable, Route, RouteTableAssociation, VpcEndpoint and its association |
| `identity.py`         | Role, RolePolicyAttachment, RolePolicy, Key, Alias, LogGroup                              |
| `cluster.py`          | Cluster, AccessEntry, AccessPolicyAssociation, PodIdentityAssociation                     |
| `add_ons.py`          | Addon                                                                                     |
| `launch_templates.py` | LaunchTemplate                                                                            |
| `node_groups.py`      | NodeGroup, Tag of an autoscaling group                                                    |
| `storage.py`          | FileSystem, MountTarget, BackupPolicy, Repository, LifecyclePolicy                        |

What is replaced and what is refused is as in terraform-provider-aws, from which pulumi-aws 7 is generated, and in AWS's
API references. Durations are what AWS's documents and users tell; none is promised.
"""

from __future__ import annotations

from qhub.rehearsal.clouds.aws.add_ons import ADD_ON_TYPE
from qhub.rehearsal.clouds.aws.cluster import CLUSTER_TYPES
from qhub.rehearsal.clouds.aws.dns import (
    GET_BALANCER_ZONE,
    GET_ZONE,
    RECORD_TYPE,
    get_balancer_zone,
    get_zone,
    given_zone,
)
from qhub.rehearsal.clouds.aws.identity import IDENTITY_TYPES
from qhub.rehearsal.clouds.aws.launch_templates import LAUNCH_TEMPLATE_TYPE
from qhub.rehearsal.clouds.aws.network import NETWORK_TYPES
from qhub.rehearsal.clouds.aws.node_groups import NODE_GROUP_TYPES
from qhub.rehearsal.clouds.aws.routes import ROUTE_TYPES
from qhub.rehearsal.clouds.aws.storage import STORAGE_TYPES
from qhub.rehearsal.clouds.aws.tokens import tags_of_provider
from qhub.rehearsal.clouds.resource import CloudDefinition
from qhub.rehearsal.clouds.rules import matches

CLOUD = CloudDefinition(
    package="aws",
    sdk="pulumi_aws",
    resources=(
        *NETWORK_TYPES,
        *ROUTE_TYPES,
        *IDENTITY_TYPES,
        *CLUSTER_TYPES,
        ADD_ON_TYPE,
        LAUNCH_TEMPLATE_TYPE,
        *NODE_GROUP_TYPES,
        *STORAGE_TYPES,
        RECORD_TYPE,
    ),
    functions={GET_ZONE: get_zone, GET_BALANCER_ZONE: get_balancer_zone},
    zone=given_zone,
    added=tags_of_provider,
    configuration=(matches("region", r"[a-z]{2}(-[a-z]+)+-\d", "a region, for example eu-west-1"),),
)
