"""A Kubernetes cluster that is there already: kind, minikube, k3s, the embedded one, anything with a kubeconfig."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pulumi
from pulumi_kubernetes import Provider

from qhub.clouds.cluster import Cluster
from qhub.clouds.kubeconfig import find_kubeconfigs, load_kubeconfig, minify
from qhub.clouds.kubernetes_provider import kubernetes_provider
from qhub.clouds.node_pools import node_pools

if TYPE_CHECKING:
    from qhub.config import Settings
    from qhub.config import cluster as config


#: The same on every stack: there is one cluster in each.
LOGICAL_NAME = "cluster"


class ExistingCluster(pulumi.ComponentResource):
    """The provider for a cluster that is there already.

    Creates:
        a Kubernetes provider, and nothing on the cluster.

    Attributes:
        provider: the provider.
        kubeconfig: secret output: kubeconfig with the one context.
    """

    provider: Provider
    kubeconfig: pulumi.Output[str]

    def __init__(
        self, name: str, *, cluster_name: str, kubeconfig: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Make the provider.

        Args:
            name: logical name.
            cluster_name: what the cluster is known by. While it stays, new credentials or another address of the API
                server update the provider; without it they would replace the provider and with it every object.
            kubeconfig: contents of a kubeconfig with one context.
            opts: options of the component.
        """
        super().__init__("qhub:existing:Cluster", name, None, opts)
        self.kubeconfig = pulumi.Output.secret(kubeconfig)
        self.provider = kubernetes_provider(name, kubeconfig=self.kubeconfig, cluster_name=cluster_name, parent=self)
        self.register_outputs({})


def make(settings: Settings, *, opts: pulumi.ResourceOptions | None = None) -> Cluster:
    """Return the cluster that the kubeconfig of the settings leads to. It is not contacted.

    Raises:
        KubeconfigError: file or context is missing; the message names those there are.
    """
    section = cast("config.ExistingCluster", settings.cluster)
    stated = None if section.kubeconfig is None else settings.path(section.kubeconfig)
    kubeconfig = minify(load_kubeconfig(find_kubeconfigs(stated)), section.context)
    made = ExistingCluster(LOGICAL_NAME, cluster_name=section.name, kubeconfig=kubeconfig, opts=opts)
    return Cluster(
        name=section.name,
        provider=made.provider,
        kubeconfig=made.kubeconfig,
        node_pools=node_pools(section.pools),
        block_storage_class=section.storage_class,
        load_balancer_annotations=section.load_balancer_annotations,
    )
