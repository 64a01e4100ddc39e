"""The Kubernetes provider through which everything on a cluster is made, the same on every cloud."""

from __future__ import annotations

import pulumi
from pulumi_kubernetes import Provider


def kubernetes_provider(
    name: str, *, kubeconfig: pulumi.Input[str], cluster_name: str, parent: pulumi.Resource
) -> Provider:
    """Make the provider of a cluster.

    Args:
        name: its logical name.
        kubeconfig: leads to the cluster; a secret.
        cluster_name: name of the cluster. While it stays, another address or certificate updates the provider; else it
            would replace every object on the cluster.
        parent: the component of the cluster.
    """
    return Provider(
        name,
        kubeconfig=kubeconfig,
        cluster_identifier=cluster_name,
        enable_server_side_apply=True,
        opts=pulumi.ResourceOptions(parent=parent),
    )
