"""Monitoring: Prometheus and Grafana in a namespace of their own, with dashboards for JupyterHub and Dask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
from pulumi_kubernetes.core.v1 import ConfigMap, Secret
from pulumi_kubernetes.helm.v3 import Release
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from qhub.platform.dashboards import dashboards
from qhub.platform.helm import ChartStore, helm_release
from qhub.platform.monitoring_values import (
    ADMIN_PASSWORD_KEY,
    ADMIN_SECRET,
    ADMIN_USER_KEY,
    GRAFANA_PORT,
    RELEASE_NAME,
    TOKEN_KEY,
    TOKEN_SECRET,
    monitoring_namespace,
    monitoring_values,
    password_mark,
)
from qhub.platform.namespace import PlatformNamespace, PlatformNamespaceArgs

if TYPE_CHECKING:
    from pulumi_kubernetes.meta.v1 import LabelSelectorArgsDict
    from pulumi_kubernetes.networking.v1 import NetworkPolicySpecArgsDict

    from qhub.clouds.cluster import NodePool
    from qhub.config import Settings

#: Grafana's sidecar takes ConfigMaps with this label for dashboards.
DASHBOARD_LABEL = {"grafana_dashboard": "1"}


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """What monitoring is given.

    Attributes:
        settings: the whole settings.
        pool: nodes for its pods.
        metrics_token: token that the hub knows Prometheus by.
        admin_password: of Grafana's user admin.
        charts: where the chart comes from.
    """

    settings: Settings
    pool: NodePool
    metrics_token: pulumi.Input[str]
    admin_password: pulumi.Input[str]
    charts: ChartStore


class Monitoring(pulumi.ComponentResource):
    """Prometheus and Grafana.

    Creates:
        Namespace (privileged: node-exporter reads the node's own files), NetworkPolicy, Secrets with Grafana's password
        and the token for the hub's measurements, a ConfigMap for each dashboard, Helm release `kube-prometheus-stack`.

    Attributes:
        release: the Helm release.
    """

    release: Release

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:platform:Monitoring", name, None, opts)
        namespace = PlatformNamespace(
            f"{name}-namespace",
            PlatformNamespaceArgs(name=monitoring_namespace(args.settings), pod_security="privileged"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        inside = pulumi.ResourceOptions(parent=self, depends_on=[namespace.namespace])
        policy = NetworkPolicy(
            f"{name}-reachable",
            metadata={"name": "reachable", "namespace": namespace.name},
            spec=policy_spec(args.settings.namespace.name),
            opts=inside,
        )
        secrets = {
            ADMIN_SECRET: {ADMIN_USER_KEY: "admin", ADMIN_PASSWORD_KEY: args.admin_password},
            TOKEN_SECRET: {TOKEN_KEY: args.metrics_token},
        }
        made = [
            Secret(
                f"{name}-{secret}",
                metadata={"name": secret, "namespace": namespace.name},
                string_data=data,
                opts=inside,
            )
            for secret, data in secrets.items()
        ]
        for file, document in dashboards(args.settings.namespace.name).items():
            title = file.removesuffix(".json")
            ConfigMap(
                f"{name}-dashboard-{title}",
                metadata={"name": f"dashboard-{title}", "namespace": namespace.name, "labels": DASHBOARD_LABEL},
                data={file: document},
                opts=inside,
            )
        # Of two secrets, so a secret itself: it is in no plan and not in clear in the stack's state.
        mark = pulumi.Output.all(args.admin_password, args.metrics_token).apply(lambda both: password_mark(*both))
        self.release = helm_release(
            name,
            charts=args.charts,
            chart="kube_prometheus_stack",
            release_name=RELEASE_NAME,
            namespace=namespace.name,
            values=monitoring_values(args.settings, pool=args.pool, password_mark=mark),
            parent=self,
            depends_on=[namespace.namespace, policy, *made],
        )
        self.register_outputs({})


def policy_spec(hub_namespace: str) -> NetworkPolicySpecArgsDict:
    """Return `spec` of the NetworkPolicy of the namespace.

    Measurements name people, and Prometheus asks nobody who they are. So its pods answer each other, and Grafana, which
    does ask, the hub's proxy as well, and the hub, which looks whether its services are there. Nodes reach the pods on
    them in any case.
    """
    hub: LabelSelectorArgsDict = {"match_labels": {"kubernetes.io/metadata.name": hub_namespace}}
    return {
        "pod_selector": {},
        "policy_types": ["Ingress"],
        "ingress": [
            {"from_": [{"pod_selector": {}}]},
            {
                "from_": [
                    {
                        "namespace_selector": hub,
                        "pod_selector": {"match_labels": {"app": "jupyterhub", "component": component}},
                    }
                    for component in ("hub", "proxy")
                ],
                "ports": [{"protocol": "TCP", "port": GRAFANA_PORT}],
            },
        ],
    }
