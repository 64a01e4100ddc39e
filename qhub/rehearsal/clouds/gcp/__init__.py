"""The simulated Google Cloud: what it refuses, replaces, computes, and how long it takes.

| file             | types                                                                     |
|------------------|---------------------------------------------------------------------------|
| `project.py`     | Service, Account and IAMMember (project)                                  |
| `network.py`     | Network, Subnetwork, Router, RouterNat                                    |
| `cluster.py`     | Cluster                                                                   |
| `node_pools.py`  | NodePool                                                                  |
| `registry.py`    | Repository, RepositoryIamMember                                           |
| `file_system.py` | Instance (Filestore)                                                      |
| `dns.py`         | RecordSet, DnsManagedZoneIamMember, IAMMember (account); `getManagedZone` |

What is replaced and what is refused follows pulumi-gcp 10 (terraform-provider-google 7) and Google's own documents.
Durations are what users tell; none is promised. A name of the API server that every system trusts cannot be had on a
simulated cloud: see `trust.py`.
"""

from __future__ import annotations

from qhub.config.regions import regions
from qhub.rehearsal.clouds.gcp.cluster import CLUSTER_TYPE
from qhub.rehearsal.clouds.gcp.dns import (
    ACCOUNT_ROLE_TYPE,
    GET_ZONE,
    RECORD_SET_TYPE,
    ZONE_ROLE_TYPE,
    get_zone,
    given_zone,
)
from qhub.rehearsal.clouds.gcp.file_system import FILESTORE_TYPE
from qhub.rehearsal.clouds.gcp.network import NAT_TYPE, NETWORK_TYPE, ROUTER_TYPE, SUBNETWORK_TYPE
from qhub.rehearsal.clouds.gcp.node_pools import NODE_POOL_TYPE
from qhub.rehearsal.clouds.gcp.project import ACCOUNT_TYPE, ROLE_TYPE, SERVICE_TYPE
from qhub.rehearsal.clouds.gcp.registry import REPOSITORY_ROLE_TYPE, REPOSITORY_TYPE
from qhub.rehearsal.clouds.gcp.tokens import labels
from qhub.rehearsal.clouds.resource import CloudDefinition
from qhub.rehearsal.clouds.rules import matches, one_of

CLOUD = CloudDefinition(
    package="gcp",
    sdk="pulumi_gcp",
    resources=(
        SERVICE_TYPE,
        ACCOUNT_TYPE,
        ROLE_TYPE,
        NETWORK_TYPE,
        SUBNETWORK_TYPE,
        ROUTER_TYPE,
        NAT_TYPE,
        CLUSTER_TYPE,
        NODE_POOL_TYPE,
        REPOSITORY_TYPE,
        REPOSITORY_ROLE_TYPE,
        FILESTORE_TYPE,
        RECORD_SET_TYPE,
        ZONE_ROLE_TYPE,
        ACCOUNT_ROLE_TYPE,
    ),
    functions={GET_ZONE: get_zone},
    zone=given_zone,
    configuration=(
        matches("project", r"[a-z][a-z0-9-]{4,28}[a-z0-9]", "the id of a project: 6 to 30 of a-z, 0-9 and '-'"),
        one_of("region", regions("gcp"), "a region of Google Cloud"),
        labels("defaultLabels"),
    ),
)
