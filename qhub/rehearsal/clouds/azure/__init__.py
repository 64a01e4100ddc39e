"""The simulated Azure: what it refuses, replaces, computes, and how long it takes.

| file                             | types                                                          |
|----------------------------------|----------------------------------------------------------------|
| `resource_group.py`              | ResourceGroup                                                  |
| `network.py`                     | VirtualNetwork, Subnet, NatGateway, PublicIPAddress            |
| `identity.py`                    | UserAssignedIdentity, FederatedIdentityCredential,             |
|                                  | RoleAssignment, ManagementLockByScope                          |
| `cluster.py`, `cluster_checks.py`| ManagedCluster with its own pool, MaintenanceConfiguration     |
| `credentials.py`                 | `listManagedClusterUserCredentials`                            |
| `node_pools.py`, `pools.py`      | AgentPool                                                      |
| `registry.py`                    | Registry                                                       |
| `file_system.py`                 | StorageAccount, FileShare                                      |
| `dns.py`                         | RecordSet, `getZone`                                           |

What is replaced follows pulumi-azure-native 3 (names and places of everything; the size of a pool's machines); what is
refused follows the documents of Azure, whose error codes are told where they are known. Durations are what users tell;
none is promised.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from qhub.rehearsal.clouds.azure.cluster import CLUSTER_TYPE, MAINTENANCE_TYPE
from qhub.rehearsal.clouds.azure.credentials import LIST_CREDENTIALS, list_user_credentials
from qhub.rehearsal.clouds.azure.dns import GET_ZONE, RECORD_SET_TYPE, get_zone, given_zone
from qhub.rehearsal.clouds.azure.file_system import ACCOUNT_TYPE, SHARE_TYPE
from qhub.rehearsal.clouds.azure.identity import FEDERATED_TYPE, IDENTITY_TYPE, LOCK_TYPE, ROLE_TYPE
from qhub.rehearsal.clouds.azure.network import ADDRESS_TYPE, NAT_TYPE, NETWORK_TYPE, SUBNET_TYPE
from qhub.rehearsal.clouds.azure.node_pools import NODE_POOL_TYPE
from qhub.rehearsal.clouds.azure.registry import REGISTRY_TYPE
from qhub.rehearsal.clouds.azure.resource_group import GROUP_TYPE
from qhub.rehearsal.clouds.azure.tokens import GROUP, GUID, NAT, NETWORK, SUBNET, SUBSCRIPTION, location
from qhub.rehearsal.clouds.resource import CloudDefinition, Given
from qhub.rehearsal.clouds.rules import matches

if TYPE_CHECKING:
    from qhub.config.azure import AzureCluster

#: Ranges of a network that the settings name and do not describe.
_GIVEN_NETWORK, _GIVEN_SUBNET = "10.224.0.0/12", "10.224.0.0/16"


def _given(section: AzureCluster) -> Iterator[Given]:
    if section.resource_group is not None:
        home = f"/subscriptions/{section.subscription_id or SUBSCRIPTION}/resourceGroups/{section.resource_group}"
        yield Given(token=GROUP, id=home, outputs={"name": section.resource_group, "location": section.region})
    if section.network.subnet_id is not None:
        yield from _given_subnet(section.network.subnet_id, section)


def _given_subnet(subnet: str, section: AzureCluster) -> Iterator[Given]:
    network, _, called = subnet.rpartition("/subnets/")
    group, in_it = network.split("/")[4], network.rpartition("/")[2]
    gateway = f"{network}-nat"
    yield Given(
        token=NETWORK,
        id=network,
        outputs={
            "name": in_it,
            "resourceGroupName": group,
            "location": section.region,
            "addressSpace": {"addressPrefixes": [_GIVEN_NETWORK]},
        },
    )
    outputs = {
        "name": called,
        "resourceGroupName": group,
        "virtualNetworkName": in_it,
        "addressPrefix": _GIVEN_SUBNET,
        "serviceEndpoints": [{"service": "Microsoft.Storage"}],
    }
    if section.network.way_out == "nat-gateway":
        yield Given(token=NAT, id=gateway, outputs={"name": f"{in_it}-nat", "location": section.region})
        outputs["natGateway"] = {"id": gateway}
    yield Given(token=SUBNET, id=subnet, outputs=outputs)


CLOUD = CloudDefinition(
    package="azure-native",
    sdk="pulumi_azure_native",
    resources=(
        GROUP_TYPE,
        NETWORK_TYPE,
        SUBNET_TYPE,
        NAT_TYPE,
        ADDRESS_TYPE,
        IDENTITY_TYPE,
        ROLE_TYPE,
        LOCK_TYPE,
        CLUSTER_TYPE,
        NODE_POOL_TYPE,
        MAINTENANCE_TYPE,
        REGISTRY_TYPE,
        ACCOUNT_TYPE,
        SHARE_TYPE,
        FEDERATED_TYPE,
        RECORD_SET_TYPE,
    ),
    functions={LIST_CREDENTIALS: list_user_credentials, GET_ZONE: get_zone},
    configuration=(location(), matches("subscriptionId", GUID, "the id of a subscription")),
    given=_given,
    zone=given_zone,
)
