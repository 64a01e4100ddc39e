"""The GKE cluster, who its nodes are, and the Kubernetes provider.

**Where.** The control plane is regional: it is in several zones whatever the nodes are, and costs the same. So going
from one zone to three changes lists of zones and replaces nothing.

**Version.** GKE upgrades control plane and nodes itself, through a release channel, within the maintenance window.
`cluster.version` is the least minor version of the control plane: raising it upgrades it now, and a cluster that GKE
has upgraded past it is left alone. Node pools get no version at all: together with automatic upgrades the two would
fight. Nodes follow the control plane.

**Pods.** Dataplane V2 (Cilium) enforces NetworkPolicies, which the hub relies on. Nodes have no public address. A pod
is no node to Google's APIs: it has the identity that its service account is given (Workload Identity), or none.

**Access.** The kubeconfig holds no credentials: `gke-gcloud-auth-plugin` gets a token when one is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_gcp as gcp
from pulumi_kubernetes import Provider

from qhub.clouds.gcp.naming import account_id
from qhub.clouds.gcp.services import switch_on
from qhub.clouds.kubeconfig import one_context
from qhub.clouds.kubernetes_provider import kubernetes_provider

if TYPE_CHECKING:
    from pulumi_gcp.container import (
        ClusterAddonsConfigArgsDict,
        ClusterMasterAuthorizedNetworksConfigArgsDict,
        ClusterRbacBindingConfigArgsDict,
    )

    from qhub.clouds.gcp.network import GcpNetwork
    from qhub.config import gcp as config

#: What a node may do is up to its service account's roles; scopes are the older way, and all of them are asked for.
SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
#: Of a node: writing logs and metrics, and nothing else (cloud.google.com/kubernetes-engine/docs/how-to/
#: service-accounts). Pulling images is granted for the one registry.
NODE_ROLE = "roles/container.defaultNodeServiceAccount"
#: Pods on a node: GKE's default, said because the range of pods is divided by it and it cannot be changed.
PODS_PER_NODE = 110
#: Nobody, and not everybody with a Google account, is to be given rights by a slip.
NO_RIGHTS_FOR_ALL: ClusterRbacBindingConfigArgsDict = {
    "enable_insecure_binding_system_authenticated": False,
    "enable_insecure_binding_system_unauthenticated": False,
}


@dataclass(frozen=True, kw_only=True)
class GkeClusterArgs:
    """What the cluster is made from.

    Attributes:
        section: the `cluster` section.
        network: its network.
        labels: for the cluster.
        filestore: homes are on a Filestore: its driver is wanted.
    """

    section: config.GcpCluster
    network: GcpNetwork
    labels: Mapping[str, str]
    filestore: bool


class GkeCluster(pulumi.ComponentResource):
    """The cluster, without any nodes.

    Creates:
        Services (container, iam, cloudresourcemanager), Account and projects.IAMMember of the nodes, Cluster,
        a Kubernetes provider.

    Does not: give anybody access to the cluster; that is IAM's business (roles/container.developer and its like).

    Attributes:
        cluster: the cluster.
        nodes: the nodes' service account.
        nodes_may: the role of the nodes: to be there before the first of them.
        provider: the Kubernetes provider.
        kubeconfig: secret output.
    """

    cluster: gcp.container.Cluster
    nodes: gcp.serviceaccount.Account
    nodes_may: gcp.projects.IAMMember
    provider: Provider
    kubeconfig: pulumi.Output[str]

    def __init__(self, name: str, args: GkeClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:gcp:Cluster", name, None, opts)
        section = args.section
        container, *identity = switch_on(name, "container", "iam", "cloudresourcemanager", parent=self)
        self.nodes = gcp.serviceaccount.Account(
            f"{name}-nodes",
            account_id=account_id(section.name, "nodes"),
            display_name=f"Nodes of {section.name}",
            opts=pulumi.ResourceOptions(parent=self, depends_on=identity),
        )
        self.nodes_may = gcp.projects.IAMMember(
            f"{name}-nodes-role",
            project=section.project,
            role=NODE_ROLE,
            member=self.nodes.member,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.cluster = self._cluster(name, args, container)
        self.kubeconfig = pulumi.Output.secret(self._kubeconfig(section))
        self.provider = kubernetes_provider(name, kubeconfig=self.kubeconfig, cluster_name=section.name, parent=self)
        self.register_outputs({})

    def _cluster(self, name: str, args: GkeClusterArgs, container: pulumi.Resource) -> gcp.container.Cluster:
        section, network = args.section, args.network
        return gcp.container.Cluster(
            f"{name}-gke",
            name=section.name,
            location=section.region,
            node_locations=list(section.zones),
            release_channel={"channel": section.release_channel},
            min_master_version=section.version,
            network=network.network,
            subnetwork=network.subnetwork,
            networking_mode="VPC_NATIVE",
            ip_allocation_policy={
                "cluster_secondary_range_name": network.pods_range,
                "services_secondary_range_name": network.services_range,
            },
            default_max_pods_per_node=PODS_PER_NODE,
            datapath_provider="ADVANCED_DATAPATH",
            private_cluster_config={"enable_private_nodes": True, "enable_private_endpoint": False},
            control_plane_endpoints_config={
                "dns_endpoint_config": {"allow_external_traffic": section.endpoint == "dns"},
                "ip_endpoints_config": {"enabled": True},
            },
            master_authorized_networks_config=authorized_networks(section.api_access),
            workload_identity_config={"workload_pool": f"{section.project}.svc.id.goog"},
            rbac_binding_config=NO_RIGHTS_FOR_ALL,
            addons_config=addons(filestore=args.filestore),
            # Pools are ours, so no automatic ones. Nodes that are not needed go soon: idle ones are what costs.
            cluster_autoscaling={"enabled": False, "autoscaling_profile": "OPTIMIZE_UTILIZATION"},
            maintenance_policy={"daily_maintenance_window": {"start_time": section.maintenance_start}},
            cost_management_config={"enabled": True},
            resource_labels=dict(args.labels),
            # A cluster cannot be made without a pool. This one goes as soon as it is there; until then its nodes need
            # an account too, and the project's default one may have been switched off.
            remove_default_node_pool=True,
            initial_node_count=1,
            node_config={"service_account": self.nodes.email, "oauth_scopes": list(SCOPES)},
            deletion_protection=section.protect,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[container],
                protect=section.protect,
                # Without its own pool, the cluster says here what its first pool is like, and the provider would
                # replace the cluster for the difference.
                ignore_changes=["nodeConfig"],
            ),
        )

    def _kubeconfig(self, section: config.GcpCluster) -> pulumi.Output[str]:
        cluster = self.cluster
        if section.endpoint == "dns":
            # A field that Google adds to a section of ours reads as none in the first preview, so the id is waited for.
            address = cluster.control_plane_endpoints_config.dns_endpoint_config.endpoint
            # The name has a certificate that every system trusts; the cluster's own authority did not sign it.
            return cluster.id.apply(lambda _: address.apply(lambda known: kubeconfig(section.name, address=known)))
        return pulumi.Output.all(cluster.endpoint, cluster.master_auth.cluster_ca_certificate).apply(
            lambda known: kubeconfig(section.name, address=known[0], certificate=known[1])
        )


def authorized_networks(ranges: Sequence[str]) -> ClusterMasterAuthorizedNetworksConfigArgsDict:
    """Return from where the address of the API server can be reached."""
    return {
        "cidr_blocks": [{"cidr_block": one} for one in ranges],
        # Else every machine on Google Cloud, anybody's, gets to the address.
        "gcp_public_cidrs_access_enabled": False,
    }


def addons(*, filestore: bool) -> ClusterAddonsConfigArgsDict:
    """Return the add-ons that GKE runs.

    Not among them: the Gateway API, whose CRDs would meet those of the ingress controller's chart.

    Args:
        filestore: with the driver for Filestore.
    """
    return {
        "gce_persistent_disk_csi_driver_config": {"enabled": True},
        "gcp_filestore_csi_driver_config": {"enabled": filestore},
        # A cache of DNS on every node: workers that start together ask all at once.
        "dns_cache_config": {"enabled": True},
        # The load balancer with a backend service is made by it.
        "http_load_balancing": {"disabled": False},
        "horizontal_pod_autoscaling": {"disabled": False},
    }


def kubeconfig(name: str, *, address: str, certificate: str | None = None) -> str:
    """Return a kubeconfig without credentials, always as the same text: JSON with sorted keys, which is YAML too.

    Args:
        name: name of its one cluster, user and context.
        address: name or address of the API server.
        certificate: its certificate authority, PEM in base64; None for one that every system trusts.
    """
    cluster = {"server": f"https://{address}"}
    if certificate is not None:
        cluster["certificate-authority-data"] = certificate
    # As `gcloud container clusters get-credentials` writes it.
    token = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "gke-gcloud-auth-plugin",
        "installHint": "Install it with: gcloud components install gke-gcloud-auth-plugin",
        "interactiveMode": "Never",
        "provideClusterInfo": True,
    }
    return one_context(name, cluster=cluster, user={"exec": token})
