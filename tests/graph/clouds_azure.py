"""Configurations on Azure whose resource graph is recorded, and what Azure would answer."""

from __future__ import annotations

import base64
import json
from typing import Any

import pulumi

from tests.graph import configurations
from tests.graph.clouds import CloudConfigurations
from tests.graph.configurations import DNS_01, GITHUB, PEOPLE, SECRETS
from tests.graph.recorder import Monitor, Outputs

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/test"
SUBNET = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/team/providers/Microsoft.Network/virtualNetworks/team/subnets/a"
ADMINS = "99999999-8888-7777-6666-555555555555"
PRINCIPAL = "aaaaaaaa-bbbb-cccc-dddd-000000000001"
KUBELET = "aaaaaaaa-bbbb-cccc-dddd-000000000002"
CLIENT = "aaaaaaaa-bbbb-cccc-dddd-000000000003"
ISSUER = f"https://westeurope.oic.prod-aks.azure.com/{ADMINS}/1234/"
EGRESS = "20.1.2.3"
#: base64 of "a certificate authority".
AUTHORITY = "YSBjZXJ0aWZpY2F0ZSBhdXRob3JpdHk="

#: name -> what stands in the stack file besides the domain.
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "azure-minimal": {
        "cluster": {"provider": "azure", "region": "westeurope", "protect": False, "registry": False},
        "authentication": {"type": "dummy", "password": SECRETS["password"]},
        "storage": {"kind": "nfs-server", "size": "20Gi", "protect": False},
    },
    "azure-default": {
        "domain": "hub.team.example.org",
        "cluster": {"provider": "azure", "region": "westeurope"},
        "authentication": GITHUB,
        "certificates": {"issuer": "letsencrypt", "email": "ops@example.org"},
        "ingress": {"controller": "traefik", "replicas": 2},
        "storage": {"kind": "managed", "size": "500Gi"},
    },
    "azure-everything": {
        "domain": "hub.team.example.org",
        "cluster": {
            "provider": "azure",
            "name": "team",
            "region": "swedencentral",
            "version": "1.35",
            "subscription_id": SUBSCRIPTION,
            "resource_group": "data-science",
            "network": {
                "cidr": "10.20.0.0/16",
                "nodes_cidr": "10.20.4.0/22",
                "pods_cidr": "10.64.0.0/12",
                "services_cidr": "10.28.0.0/20",
                "zones": ["1", "2", "3"],
            },
            "api_access": ["203.0.113.0/24", "198.51.100.7/32"],
            "admin_groups": [ADMINS],
            "maintenance": {"day": "saturday", "start_time": "23:30", "hours": 6},
            "auto_upgrade": "none",
            "system_instance_type": "Standard_D4as_v5",
            "registry_tier": "premium",
            "files_redundancy": "zone",
            "tags": {"team": "data"},
            "node_pools": {
                "general": {"min": 2, "max": 4},
                "worker": {"spot": True, "max": 100, "zones": ["2"]},
                "arm-large": {
                    "instance_type": "Standard_D8ps_v5",
                    "disk_size": "200Gi",
                    "taints": [{"key": "example.org/cpu", "value": "arm"}],
                },
                "gpu": {
                    "instance_type": "Standard_NC4as_T4_v3",
                    "max": 2,
                    "gpu": {"count": 1},
                    "labels": {"example.org/rack": "a"},
                    "taints": [{"key": "example.org/dear", "effect": "PreferNoSchedule"}],
                },
                "large": {
                    "instance_type": "Standard_E16s_v6",
                    "architecture": "amd64",
                    "cpu": 15,
                    "memory": "110Gi",
                },
            },
        },
        "authentication": GITHUB,
        "certificates": DNS_01,
        "dns": {"provider": "azure-dns", "zone": "example.org", "resource_group": "names"},
        "ingress": {"controller": "traefik", "replicas": 2},
        "storage": {"kind": "managed", "size": "1Ti"},
        "jupyterhub": {
            "profiles": [
                {"name": "small", "default": True},
                {"name": "gpu", "node_pool": "gpu", "gpu": {"count": 1}, "groups": ["developer"]},
            ]
        },
        **PEOPLE,
    },
    "azure-given-network": {
        "cluster": {
            "provider": "azure",
            "region": "westeurope",
            "network": {"subnet_id": SUBNET, "outbound": "user-defined-routing"},
        },
        "authentication": {"type": "dummy", "password": SECRETS["password"]},
        "storage": {"kind": "managed"},
    },
}


def _named(key: str) -> Any:
    """Return what Azure says of a resource whose name is the input `key`."""
    return lambda inputs: {"name": inputs[key]}


def _storage_account(inputs: dict[str, Any]) -> dict[str, Any]:
    name = inputs.get("accountName", "files1a2b3c4d")
    return {"name": name, "primaryEndpoints": {"file": f"https://{name}.file.core.windows.net/"}}


def handed_out(arguments: dict[str, Any]) -> dict[str, Any]:
    """Answer `listManagedClusterUserCredentials`; with `format: exec`, as a cluster without local accounts."""
    name = arguments["resourceName"]
    certificate = {"client-certificate-data": "Y2VydA==", "client-key-data": SECRETS["token"]}
    entra = {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "kubelogin", "args": []}}
    kubeconfig = {
        "users": [{"name": f"clusterUser_{name}", "user": entra if arguments.get("format") else certificate}],
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": f"https://{name}-0a1b2c.hcp.westeurope.azmk8s.io:443",
                    "certificate-authority-data": AUTHORITY,
                },
            }
        ],
    }
    value = base64.b64encode(json.dumps(kubeconfig).encode()).decode()
    return {"kubeconfigs": [{"name": "clusterUser", "value": value}]}


#: What Azure would add, and what it answers.
OUTPUTS: Outputs = {
    **configurations.OUTPUTS,
    "azure-native:resources:ResourceGroup": _named("resourceGroupName"),
    "azure-native:network:VirtualNetwork": _named("virtualNetworkName"),
    "azure-native:network:PublicIPAddress": lambda _: {"ipAddress": EGRESS},
    "azure-native:managedidentity:UserAssignedIdentity": lambda inputs: {
        "name": inputs["resourceName"],
        "principalId": PRINCIPAL,
        "clientId": CLIENT,
    },
    "azure-native:containerservice:ManagedCluster": lambda inputs: {
        "name": inputs["resourceName"],
        # A list going in, an object coming out.
        "identity": {
            "type": "UserAssigned",
            "userAssignedIdentities": {
                one: {"principalId": PRINCIPAL} for one in inputs["identity"]["userAssignedIdentities"]
            },
        },
        "oidcIssuerProfile": {"enabled": True, "issuerURL": ISSUER},
        "identityProfile": {"kubeletidentity": {"objectId": KUBELET}},
    },
    "azure-native:containerservice:listManagedClusterUserCredentials": handed_out,
    "azure-native:dns:getZone": lambda wanted: {
        "id": f"{GROUP.rpartition('/')[0]}/{wanted['resourceGroupName']}/providers/Microsoft.Network/dnszones/"
        f"{wanted['zoneName']}",
        "name": wanted["zoneName"],
    },
    "azure-native:containerregistry:Registry": lambda _: {"loginServer": "registry1a2b3c4d.azurecr.io"},
    "azure-native:storage:StorageAccount": _storage_account,
    "azure-native:storage:FileShare": _named("shareName"),
}


def resource_id(type_token: str, name: str) -> str:
    """Return an id in the form of Azure's, which tells the subscription."""
    _, module, kind = type_token.split(":")
    return f"{GROUP}/providers/Microsoft.{module}/{kind}/{name}"


class AnsweringMonitor(Monitor):
    """The recorder's side of the engine, with ids as Azure has them."""

    def RegisterResource(self, request: Any, context: Any) -> Any:
        response = super().RegisterResource(request, context)
        if response.id and request.type.startswith("azure-native:"):
            response.id = resource_id(request.type, request.name)
        if self._preview and request.type == "azure-native:containerservice:ManagedCluster":
            # Its form going in is not that coming out: in a preview the provider does not know it.
            response.object["identity"] = pulumi.runtime.rpc.UNKNOWN
        return response


_AZURE = CloudConfigurations(CONFIGURATIONS, OUTPUTS, monitor=AnsweringMonitor)
settings_of, record_settings = _AZURE.settings_of, _AZURE.record_settings
record_configuration = _AZURE.record_configuration
