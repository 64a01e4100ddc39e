"""Dask Gateway: clusters of workers that people start from their notebooks, through the hub's own proxy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
from pulumi_kubernetes.helm.v3 import Release
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from qhub.platform.dask_gateway_values import dask_gateway_values
from qhub.platform.egress import nearly_everywhere
from qhub.platform.helm import ChartStore, helm_release
from qhub.platform.monitoring_values import monitoring_namespace
from qhub.platform.names import DASK_SERVICE

if TYPE_CHECKING:
    from pulumi_kubernetes.meta.v1 import LabelSelectorArgsDict
    from pulumi_kubernetes.networking.v1 import NetworkPolicyIngressRuleArgsDict, NetworkPolicySpecArgsDict

    from qhub.clouds.cluster import Cluster
    from qhub.config import Settings

#: On every scheduler and worker pod (dask_gateway_server.backends.kubernetes).
CLUSTER_LABEL = "gateway.dask.org/cluster"

SCHEDULER_LABELS = {"app.kubernetes.io/component": "dask-scheduler"}

#: Where a scheduler speaks TLS to the workers and clients of its cluster, and where it shows its dashboard and its
#: measurements to whoever asks (`KubeController.get_scheduler_command` of dask-gateway-server 2026.3).
SCHEDULER_PORT = 8786
DASHBOARD_PORT = 8787

#: On every pod of the release, whichever part it is, and on those of clusters.
GATEWAY_LABELS = {"app.kubernetes.io/name": "dask-gateway"}


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
    """The Helm release `dask-gateway`, what its clusters must not reach, and who reaches their schedulers.

    Creates:
        Helm release: API server, controller, proxy; a NetworkPolicy for schedulers and workers, and one for schedulers.

    Attributes:
        release: the Helm release.
    """

    release: Release

    def __init__(self, name: str, args: DaskGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:platform:DaskGateway", name, None, opts)
        namespace = args.settings.namespace.name
        # Before the gateway: no cluster ever runs without them.
        policies = [
            NetworkPolicy(
                f"{name}-{kind}",
                metadata={"name": f"dask-{kind}", "namespace": namespace},
                spec=spec,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[args.namespace]),
            )
            for kind, spec in (
                ("clusters", cluster_policy_spec()),
                ("schedulers", scheduler_policy_spec(args.settings)),
            )
        ]
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
            depends_on=[args.namespace, *policies],
        )
        self.register_outputs({})


def cluster_policy_spec() -> NetworkPolicySpecArgsDict:
    """Return `spec` of the NetworkPolicy for the pods of Dask clusters: everything out, but two things.

    A worker runs whatever its user sends, so it must reach neither the file server nor the metadata service
    (`nearly_everywhere` says why). Scheduler, workers and gateway speak to each other at ports that are drawn when they
    start: among them all ports are open, and no range is needed. So what Dask needs works with any network plug-in;
    where ranges of ports are not known, outside is reached at 80 and 443 alone.
    """
    clusters: LabelSelectorArgsDict = {"match_expressions": [{"key": CLUSTER_LABEL, "operator": "Exists"}]}
    return {
        "pod_selector": clusters,
        "policy_types": ["Egress"],
        "egress": [
            {"to": [{"pod_selector": clusters}, {"pod_selector": {"match_labels": GATEWAY_LABELS}}]},
            *nearly_everywhere(),
        ],
    }


def scheduler_policy_spec(settings: Settings) -> NetworkPolicySpecArgsDict:
    """Return `spec` of the NetworkPolicy for schedulers: who may connect to them.

    A dashboard asks nobody who they are, and tells what a cluster computes. People reach it through the gateway's
    proxy, under the name of the cluster, which is drawn and told to its user alone; Prometheus reads its measurements.
    Workers need the port with TLS, and no policy can say that a worker and a scheduler are of one cluster. Workers have
    dashboards too, and ports that they draw: with Cilium before 1.16 nothing can be said of all ports but one, so these
    stay open to the pods of other clusters.
    """
    clusters: LabelSelectorArgsDict = {"match_expressions": [{"key": CLUSTER_LABEL, "operator": "Exists"}]}
    # The gateway gives the pods of clusters its own labels and more.
    gateway: LabelSelectorArgsDict = {
        "match_labels": GATEWAY_LABELS,
        "match_expressions": [{"key": CLUSTER_LABEL, "operator": "DoesNotExist"}],
    }
    ingress: list[NetworkPolicyIngressRuleArgsDict] = [
        {"from_": [{"pod_selector": gateway}]},
        {"from_": [{"pod_selector": clusters}], "ports": [{"protocol": "TCP", "port": SCHEDULER_PORT}]},
    ]
    if settings.monitoring.enabled:
        prometheus = {"kubernetes.io/metadata.name": monitoring_namespace(settings)}
        ingress.append(
            {
                "from_": [{"namespace_selector": {"match_labels": prometheus}}],
                "ports": [{"protocol": "TCP", "port": DASHBOARD_PORT}],
            }
        )
    return {
        "pod_selector": {"match_labels": SCHEDULER_LABELS, **clusters},
        "policy_types": ["Ingress"],
        "ingress": ingress,
    }
