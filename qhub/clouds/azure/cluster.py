"""The control plane on AKS and the Kubernetes provider for what is put on it.

**Its own pool.** AKS makes every cluster with one pool for its own pods, which it wants to be there always. It stands
in the cluster's resource, in a list where Azure shows all other pools too: no change of it can be told from theirs. So
it is none of the pools that people set: a small one (`system`, one node that can become three) with the taint that AKS'
own pods tolerate, made with the cluster and then left alone (`ignore_changes`). Every other pool, `general` too, can
change its machines and go. The price is that node. Its version follows with AKS' next patch; Kubernetes lets nodes be
three minor versions behind. `az aks nodepool upgrade --name system` does not wait for that.

**Who gets in.** With `admin_groups` people sign in with Entra, and there are no local accounts: the kubeconfig holds no
key. Without, it holds a certificate of the cluster. Both kubeconfigs need the certificate authority of the API server,
which is no output of the cluster's resource: it takes one call (`listManagedClusterUserCredentials`), made once the
cluster is there; its result is a secret.

**Disks.** In a cluster that is made in several zones, AKS' own StorageClasses make disks that are in all of them (from
1.29 on, learn.microsoft.com/azure/aks/concepts-storage): a pod finds its disk in whichever zone it gets a node.

**Deletion.** AKS has no switch against deletion. A management lock would hold for all that is in the cluster: no node
pool could be taken away any more. So `protect` is Pulumi's alone, on the cluster and on its resource group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pulumi
import pulumi_azure_native as azure
from pulumi_kubernetes import Provider

from qhub.clouds.azure.identity import NETWORK_CONTRIBUTOR, grant
from qhub.clouds.azure.kubeconfig import kubeconfig
from qhub.clouds.azure.naming import dns_prefix
from qhub.clouds.azure.network import OUTBOUND_TYPES
from qhub.clouds.kubernetes_provider import kubernetes_provider
from qhub.config.azure import SYSTEM_NODES

if TYPE_CHECKING:
    from pulumi_azure_native.containerservice import (
        ContainerServiceNetworkProfileArgsDict,
        ManagedClusterAgentPoolProfileArgsDict,
    )
    from pulumi_azure_native.containerservice.outputs import UserAssignedIdentityManagedClusterResponse

    from qhub.config.azure import AzureCluster, AzureNetwork

#: The tenth address of the Services' range is the DNS server's, as on other Kubernetes; the first one is taken.
DNS_PLACE = 10
#: Pods on a node; the reason stands in the catalogue of instance types (`qhub/config/instances/azure.csv`).
MOST_PODS = 110
#: Hours between two looks for images that nothing runs and that have known holes: once a week, the default of AKS.
IMAGE_CLEANER_HOURS = 168
#: The two windows that AKS knows for its own upgrades: Kubernetes, and the images of nodes. The names are AKS'.
MAINTENANCE = ("aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule")
#: Five to ten minutes as a rule; an upgrade of the version replaces the control plane and the system pool.
PATIENCE = pulumi.CustomTimeouts(create="45m", update="90m", delete="45m")


@dataclass(frozen=True, kw_only=True)
class AksClusterArgs:
    """What the cluster is made from.

    Attributes:
        settings: the section `cluster`.
        resource_group: name of the resource group.
        subnet_id: subnet of the nodes.
        egress_address: the address that nodes are seen with; None where it is not known, or AKS knows it itself.
        tags: tags.
    """

    settings: AzureCluster
    resource_group: pulumi.Input[str]
    subnet_id: pulumi.Input[str]
    egress_address: pulumi.Output[str] | None
    tags: Mapping[str, str]


class AksCluster(pulumi.ComponentResource):
    """A cluster on AKS.

    Creates:
        UserAssignedIdentity with a RoleAssignment for the subnet, ManagedCluster with its system pool, two
        MaintenanceConfigurations, a Kubernetes provider.

    Attributes:
        name: name of the cluster; an output, known only when the cluster is there.
        kubelet_principal_id: object id of the identity with which nodes pull images; AKS makes it.
        oidc_issuer: who signs the tokens of service accounts, for identities that trust them.
        provider: the Kubernetes provider.
        kubeconfig: secret output.
    """

    name: pulumi.Output[str]
    kubelet_principal_id: pulumi.Output[str | None]
    oidc_issuer: pulumi.Output[str]
    provider: Provider
    kubeconfig: pulumi.Output[str]

    def __init__(self, name: str, args: AksClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:azure:Cluster", name, None, opts)
        self._name, self._args, self._settings = name, args, args.settings
        made = self._managed_cluster()
        self._maintenance(made)
        self.name = made.name
        self.kubelet_principal_id = made.identity_profile.apply(_object_id)
        self.oidc_issuer = _issuer_of(made)
        self.kubeconfig = self._kubeconfig(made)
        self.provider = kubernetes_provider(
            name, kubeconfig=self.kubeconfig, cluster_name=args.settings.name, parent=self
        )
        self.register_outputs({"name": self.name})

    def _managed_cluster(self) -> azure.containerservice.ManagedCluster:
        settings, args = self._settings, self._args
        identity, may_use_subnet = self._identity()
        return azure.containerservice.ManagedCluster(
            f"{self._name}-aks",
            resource_name_=settings.name,
            resource_group_name=args.resource_group,
            location=settings.region,
            # Of what AKS makes itself. Its own name for it would be too long for some names.
            node_resource_group=f"{settings.name}-nodes",
            dns_prefix=dns_prefix(settings.name),
            kubernetes_version=settings.version,
            # Standard has a service level agreement and room for more than a few nodes.
            sku={"name": "Base", "tier": "Standard" if settings.protect else "Free"},
            identity={
                "type": azure.containerservice.ResourceIdentityType.USER_ASSIGNED,
                "user_assigned_identities": [identity.id],
            },
            agent_pool_profiles=[system_pool(settings, subnet_id=args.subnet_id, tags=args.tags)],
            network_profile=network_profile(settings.network),
            api_server_access_profile={"authorized_ip_ranges": self._authorized_ranges()},
            enable_rbac=True,
            aad_profile={"managed": True, "admin_group_object_ids": list(settings.admin_groups)}
            if settings.admin_groups
            else None,
            disable_local_accounts=bool(settings.admin_groups),
            oidc_issuer_profile={"enabled": True},
            security_profile={
                "workload_identity": {"enabled": True},
                "image_cleaner": {"enabled": True, "interval_hours": IMAGE_CLEANER_HOURS},
            },
            auto_scaler_profile={
                "expander": azure.containerservice.Expander.LEAST_WASTE,
                # A user's pod has memory as a disk (/dev/shm); that would keep its node for ever.
                "skip_nodes_with_local_storage": "false",
            },
            auto_upgrade_profile={
                "upgrade_channel": settings.auto_upgrade,
                "node_os_upgrade_channel": azure.containerservice.NodeOSUpgradeChannel.NODE_IMAGE,
            },
            tags=args.tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=settings.protect,
                depends_on=[may_use_subnet],
                # Two clusters of one name cannot be there at a time.
                delete_before_replace=True,
                ignore_changes=["agentPoolProfiles"],
                custom_timeouts=PATIENCE,
            ),
        )

    def _identity(self) -> tuple[azure.managedidentity.UserAssignedIdentity, pulumi.Resource]:
        """Make the identity of the control plane, which puts nodes and load balancers into the subnet."""
        made = azure.managedidentity.UserAssignedIdentity(
            f"{self._name}-identity",
            resource_name_=f"{self._settings.name}-aks",
            resource_group_name=self._args.resource_group,
            location=self._settings.region,
            tags=self._args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        right = grant(
            f"{self._name}-uses-subnet",
            role=NETWORK_CONTRIBUTOR,
            scope=self._args.subnet_id,
            principal_id=made.principal_id,
            parent=self,
        )
        return made, right

    def _authorized_ranges(self) -> Sequence[pulumi.Input[str]]:
        """Return who may reach the API server; nobody named lets everybody in.

        Nodes reach it by its public address too, from behind the NAT gateway, so that is one of them.
        """
        if any(ip_network(one).prefixlen == 0 for one in self._settings.api_access):
            return []
        egress = self._args.egress_address
        return [*self._settings.api_access, *([] if egress is None else [pulumi.Output.concat(egress, "/32")])]

    def _maintenance(self, cluster: azure.containerservice.ManagedCluster) -> None:
        window = self._settings.maintenance
        for config in MAINTENANCE:
            azure.containerservice.MaintenanceConfiguration(
                f"{self._name}-{config}",
                config_name=config,
                resource_group_name=self._args.resource_group,
                resource_name_=cluster.name,
                maintenance_window={
                    "schedule": {
                        "weekly": {
                            "day_of_week": azure.containerservice.WeekDay(window.day.capitalize()),
                            "interval_weeks": 1,
                        }
                    },
                    "start_time": window.start_time,
                    "utc_offset": "+00:00",
                    "duration_hours": window.hours,
                },
                opts=pulumi.ResourceOptions(parent=self),
            )

    def _kubeconfig(self, cluster: azure.containerservice.ManagedCluster) -> pulumi.Output[str]:
        name, entra = self._settings.name, bool(self._settings.admin_groups)
        handed_out = azure.containerservice.list_managed_cluster_user_credentials_output(
            resource_group_name=self._args.resource_group,
            resource_name=cluster.name,
            format="exec" if entra else None,
            opts=pulumi.InvokeOutputOptions(parent=self),
        )
        return pulumi.Output.secret(
            handed_out.apply(lambda found: kubeconfig(found.kubeconfigs[0].value, name=name, entra=entra))
        )


def system_pool(
    settings: AzureCluster, *, subnet_id: pulumi.Input[str], tags: Mapping[str, str]
) -> ManagedClusterAgentPoolProfileArgsDict:
    """Return the pool that AKS keeps for its own pods."""
    return {
        "name": "system",
        "mode": azure.containerservice.AgentPoolMode.SYSTEM,
        "type": azure.containerservice.AgentPoolType.VIRTUAL_MACHINE_SCALE_SETS,
        "vm_size": settings.system_instance_type,
        "os_type": azure.containerservice.OSType.LINUX,
        "os_sku": azure.containerservice.OSSKU.UBUNTU,
        "enable_auto_scaling": True,
        "min_count": 1,
        "max_count": SYSTEM_NODES,
        "max_pods": MOST_PODS,
        "availability_zones": list(settings.zones) or None,
        "vnet_subnet_id": subnet_id,
        "node_taints": ["CriticalAddonsOnly=true:NoSchedule"],
        "tags": tags,
    }


def network_profile(network: AzureNetwork) -> ContainerServiceNetworkProfileArgsDict:
    """Return the network of pods and Services: Azure's CNI as an overlay, on Cilium, which NetworkPolicies need."""
    return {
        "network_plugin": azure.containerservice.NetworkPlugin.AZURE,
        "network_plugin_mode": azure.containerservice.NetworkPluginMode.OVERLAY,
        "network_dataplane": azure.containerservice.NetworkDataplane.CILIUM,
        "network_policy": azure.containerservice.NetworkPolicy.CILIUM,
        "pod_cidr": network.pods_cidr,
        "service_cidr": network.services_cidr,
        "dns_service_ip": str(ip_network(network.services_cidr)[DNS_PLACE]),
        "outbound_type": OUTBOUND_TYPES[network.way_out],
        "load_balancer_sku": azure.containerservice.LoadBalancerSku.STANDARD,
    }


def _object_id(identities: Mapping[str, UserAssignedIdentityManagedClusterResponse] | None) -> str | None:
    """Return the object id of the nodes' identity; None while a preview does not know it."""
    return None if identities is None else identities["kubeletidentity"].object_id


def _issuer_of(cluster: azure.containerservice.ManagedCluster) -> pulumi.Output[str]:
    """Return the address of the cluster's OIDC issuer."""
    # A field that Azure adds to a section of ours reads as none in the first preview, so the id is waited for.
    return cluster.id.apply(
        lambda _: cluster.oidc_issuer_profile.apply(lambda profile: "" if profile is None else profile.issuer_url)
    )
