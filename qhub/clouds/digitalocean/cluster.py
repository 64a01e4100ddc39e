"""The DOKS cluster and the Kubernetes provider.

**Its own pool.** DOKS makes every cluster with one pool, and another size for that pool means another cluster. So it is
none of the pools that people set: one small node for the cluster's own pods (DNS, controllers), which also lets every
other pool go down to zero.

**Version.** The API takes a minor version, `1.34`, for its newest patch, and DigitalOcean puts in later patches in the
maintenance window. What then runs is a full version, `1.34.1-do.0`. To the provider that is another one, and a higher
one at that, so it would replace the cluster. Therefore, while the settings have a minor version, the version is left
alone. In full (`cluster.version: 1.35.1-do.0`) it upgrades the cluster in place, and no patch comes by itself; a lower
one than what runs would replace the cluster, which `cluster.protect` refuses.

**Credentials.** The kubeconfig that DigitalOcean gives out holds a token of seven days. Ours holds none: `doctl` gets
one when it is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pulumi
import pulumi_digitalocean as digitalocean
from pulumi_kubernetes import Provider

from qhub.clouds.kubeconfig import one_context
from qhub.clouds.kubernetes_provider import kubernetes_provider
from qhub.config.digitalocean import SYSTEM_POOL

if TYPE_CHECKING:
    from pulumi_digitalocean import KubernetesClusterControlPlaneFirewallArgsDict

    from qhub.config import digitalocean as config

#: 2 cores and 4 GiB, of which DOKS leaves 2.5 GiB to pods (docs.digitalocean.com/products/kubernetes/details/limits).
SYSTEM_SIZE = "s-2vcpu-4gb"


@dataclass(frozen=True, kw_only=True)
class DoksClusterArgs:
    """What the cluster is given.

    Attributes:
        section: the `cluster` section.
        vpc_uuid: the VPC of its nodes.
        tags: for the cluster and its pool.
        registry: the account's registry, where this stack makes it.
        keep_volumes: whether volumes and load balancers that Kubernetes made outlive the cluster.
    """

    section: config.DigitalOceanCluster
    vpc_uuid: pulumi.Input[str]
    tags: tuple[str, ...]
    registry: pulumi.Resource | None
    keep_volumes: bool = True


class DoksCluster(pulumi.ComponentResource):
    """The cluster.

    Creates:
        a KubernetesCluster with its own pool, a Kubernetes provider.

    Attributes:
        cluster_id: id of the cluster.
        provider: the Kubernetes provider.
        kubeconfig: secret output; asks `doctl` for a token.
    """

    cluster_id: pulumi.Output[str]
    provider: Provider
    kubeconfig: pulumi.Output[str]

    def __init__(self, name: str, args: DoksClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:digitalocean:Cluster", name, None, opts)
        section = args.section
        cluster = self._cluster(name, args)
        cluster.version.apply(lambda runs: _warn(upgrade_hint(section.version, runs)))
        self.cluster_id = cluster.id
        self.kubeconfig = pulumi.Output.secret(
            pulumi.Output.all(cluster.endpoint, cluster.kube_configs[0].cluster_ca_certificate, cluster.id).apply(
                lambda known: kubeconfig(section.name, endpoint=known[0], certificate=known[1], cluster_id=known[2])
            )
        )
        self.provider = kubernetes_provider(name, kubeconfig=self.kubeconfig, cluster_name=section.name, parent=self)
        self.register_outputs({"cluster_id": self.cluster_id})

    def _cluster(self, name: str, args: DoksClusterArgs) -> digitalocean.KubernetesCluster:
        section = args.section
        return digitalocean.KubernetesCluster(
            f"{name}-doks",
            name=section.name,
            region=section.region,
            version=section.version,
            auto_upgrade=not section.pinned,
            # New nodes come before old ones go.
            surge_upgrade=True,
            ha=section.ha,
            maintenance_policy={"day": section.maintenance.day, "start_time": section.maintenance.start_time},
            vpc_uuid=args.vpc_uuid,
            cluster_subnet=section.network.pods_cidr,
            service_subnet=section.network.services_cidr,
            node_pool={"name": SYSTEM_POOL, "size": SYSTEM_SIZE, "node_count": 1, "tags": list(args.tags)},
            control_plane_firewall=control_plane_firewall(section.api_access),
            registry_integration=section.registry or section.registry_name is not None,
            # On without GPUs too, where it does nothing: else the first pool with GPUs would change the cluster.
            nvidia_gpu_device_plugin={"enabled": True},
            # Load balancers and volumes that Kubernetes made go with a cluster that may go.
            destroy_all_associated_resources=not args.keep_volumes,
            tags=list(args.tags),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=section.protect,
                depends_on=[] if args.registry is None else [args.registry],
                ignore_changes=[] if section.pinned else ["version"],
            ),
        )


def control_plane_firewall(ranges: tuple[str, ...]) -> KubernetesClusterControlPlaneFirewallArgsDict:
    """Return the firewall of the API server, switched off where everybody is let in.

    Always said: left out, the provider would keep a firewall that was on before.
    """
    everybody = any(ip_network(one).prefixlen == 0 for one in ranges)
    return {"enabled": not everybody, "allowed_addresses": list(ranges)}


def kubeconfig(name: str, *, endpoint: str, certificate: str, cluster_id: str) -> str:
    """Return a kubeconfig without credentials, always as the same text: JSON with sorted keys, which is YAML too.

    Args:
        name: name of its one cluster, user and context.
        endpoint: address of the API server.
        certificate: its certificate authority, PEM in base64.
        cluster_id: id of the cluster, by which `doctl` gets a token.
    """
    # As `doctl kubernetes cluster kubeconfig save` writes it. The context is doctl's, whose default takes its token
    # from DIGITALOCEAN_ACCESS_TOKEN.
    arguments = ["kubernetes", "cluster", "kubeconfig", "exec-credential", "--version=v1beta1", "--context=default"]
    token = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "doctl",
        "args": [*arguments, cluster_id],
        "interactiveMode": "Never",
    }
    cluster = {"server": endpoint, "certificate-authority-data": certificate}
    return one_context(name, cluster=cluster, user={"exec": token})


def upgrade_hint(wanted: str, runs: str) -> str | None:
    """Return what to do where the settings ask for another minor version in a form that changes nothing.

    Args:
        wanted: `cluster.version`.
        runs: the version of the cluster, in full.
    """
    if runs == wanted or runs.startswith(f"{wanted}."):
        return None
    return (
        f"cluster.version is {wanted}, and the cluster runs {runs}. To upgrade it, write the new version in full, as "
        "`doctl kubernetes options versions` lists it."
    )


def _warn(hint: str | None) -> None:
    if hint is not None:
        pulumi.log.warn(hint)
