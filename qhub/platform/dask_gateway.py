"""Dask Gateway: clusters of workers that people start from their notebooks, through the hub's own proxy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
from pulumi_kubernetes.helm.v3 import Release
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from qhub.platform.dask_gateway_values import dask_gateway_values
from qhub.platform.helm import ChartStore, helm_release
from qhub.platform.names import DASK_SERVICE
from qhub.platform.nfs_server import NFS_PORT

if TYPE_CHECKING:
    from pulumi_kubernetes.networking.v1 import (
        NetworkPolicyPeerArgsDict,
        NetworkPolicyPortArgsDict,
        NetworkPolicySpecArgsDict,
    )

    from qhub.clouds.cluster import Cluster
    from qhub.config import Settings

#: On every scheduler and worker pod (dask_gateway_server.backends.kubernetes).
CLUSTER_LABEL = "gateway.dask.org/cluster"

#: Where every cloud hands out the credentials of a node.
METADATA_ADDRESS = "169.254.169.254/32"
METADATA_ADDRESS_V6 = "fd00:ec2::254/128"

LAST_PORT = 65535


@dataclass(frozen=True, kw_only=True)
class DaskGatewayArgs:
    """What Dask Gateway is given.

    Attributes:
        settings: the whole settings.
        cluster: where it runs.
        api_token: the token that the hub knows this service by.
        claim_name: claim of the shared storage, for the environments.
        namespace: the Namespace resource.
        charts: where the chart comes from.
    """

    settings: Settings
    cluster: Cluster
    api_token: pulumi.Input[str]
    claim_name: str
    namespace: pulumi.Resource
    charts: ChartStore


class DaskGateway(pulumi.ComponentResource):
    """The Helm release `dask-gateway` and what its clusters must not reach.

    Creates:
        Helm release: API server, controller, proxy; NetworkPolicy for schedulers and workers.

    Attributes:
        release: the Helm release.
    """

    release: Release

    def __init__(self, name: str, args: DaskGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:platform:DaskGateway", name, None, opts)
        namespace = args.settings.namespace.name
        # Before the gateway: no cluster ever runs without it.
        policy = NetworkPolicy(
            f"{name}-clusters",
            metadata={"name": "dask-clusters", "namespace": namespace},
            spec=cluster_policy_spec(),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args.namespace]),
        )
        self.release = helm_release(
            name,
            charts=args.charts,
            chart="dask_gateway",
            release_name=DASK_SERVICE,
            namespace=namespace,
            values=dask_gateway_values(
                args.settings,
                node_pools=args.cluster.node_pools,
                api_token=args.api_token,
                claim_name=args.claim_name,
            ),
            parent=self,
            # Not the hub: it is asked about users only once there are some, and the token comes from us.
            depends_on=[args.namespace, policy],
        )
        self.register_outputs({})


def cluster_policy_spec() -> NetworkPolicySpecArgsDict:
    """Return `spec` of the NetworkPolicy for the pods of Dask clusters: everything out, but two things.

    NFS with AUTH_SYS believes any uid that a client names, so a worker, which runs whatever its user sends, could read
    all homes if it reached the file server. And from the metadata service it could take the node's own cloud rights.
    z2jh's policy keeps both from notebook pods; nothing keeps them from these. A policy can only allow: hence all ports
    but one, and all addresses but one. Other pods are named by themselves, since some network plug-ins apply address
    ranges to what is outside the cluster only.
    """
    ports: list[NetworkPolicyPortArgsDict] = [
        {"protocol": "TCP", "port": 1, "end_port": NFS_PORT - 1},
        {"protocol": "TCP", "port": NFS_PORT + 1, "end_port": LAST_PORT},
        {"protocol": "UDP", "port": 1, "end_port": LAST_PORT},
    ]
    outside: list[NetworkPolicyPeerArgsDict] = [
        {"ip_block": {"cidr": "0.0.0.0/0", "except_": [METADATA_ADDRESS]}},
        {"ip_block": {"cidr": "::/0", "except_": [METADATA_ADDRESS_V6]}},
    ]
    return {
        "pod_selector": {"match_expressions": [{"key": CLUSTER_LABEL, "operator": "Exists"}]},
        "policy_types": ["Egress"],
        "egress": [{"to": [{"namespace_selector": {}}], "ports": ports}, {"to": outside, "ports": ports}],
    }
