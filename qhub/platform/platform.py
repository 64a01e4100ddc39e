"""KubernetesPlatform: everything that QHub puts on a cluster, whichever cloud the cluster is on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi_kubernetes.helm.v3 import Release

from qhub.clouds.cluster import Cluster, DnsZone
from qhub.config import Settings
from qhub.platform.cert_manager import ISSUERS, CertManager, CertManagerArgs
from qhub.platform.cluster_autoscaler import ClusterAutoscaler, ClusterAutoscalerArgs
from qhub.platform.environments import Environments, EnvironmentsArgs
from qhub.platform.extra_releases import ExtraReleases, ExtraReleasesArgs
from qhub.platform.generated_secrets import GeneratedSecrets
from qhub.platform.gpu_device_plugin import GpuDevicePlugin, GpuDevicePluginArgs
from qhub.platform.helm import ChartStore
from qhub.platform.ingress import Ingress, IngressArgs
from qhub.platform.jupyterhub import RELEASE_NAME as HUB_RELEASE
from qhub.platform.jupyterhub import JupyterHub, JupyterHubArgs, jupyterhub_secrets
from qhub.platform.jupyterhub_values import keeps_data
from qhub.platform.monitoring import Monitoring, MonitoringArgs
from qhub.platform.monitoring_values import GRAFANA_PATH
from qhub.platform.monitoring_values import RELEASE_NAME as MONITORING_RELEASE
from qhub.platform.namespace import PlatformNamespace, PlatformNamespaceArgs, quota_hard
from qhub.platform.outputs import login_hint, release_status
from qhub.platform.ssh import SshServer, SshServerArgs, ssh_output
from qhub.platform.storage import Storage, StorageArgs


@dataclass(frozen=True, kw_only=True)
class KubernetesPlatformArgs:
    """What the platform is made from.

    Attributes:
        settings: the whole settings.
        cluster: where it goes. The platform never asks which cloud that is.
    """

    settings: Settings
    cluster: Cluster


class KubernetesPlatform(pulumi.ComponentResource):
    """JupyterHub with Dask on a Kubernetes cluster.

    Creates, each as a component of its own:
        Secrets, Namespace, Storage, Ingress, ClusterAutoscaler and GpuDevicePlugin (only on clouds that do not
        bring them), CertManager (only for issuers that need it), JupyterHub, DaskGateway (only if enabled), SshServer
        (only if enabled), Environments (only if there are some), Monitoring (only if enabled), ExtraReleases (only if
        there are some). The record of the hub's name is the cluster's: it is only told the load balancer's address.

    Order, and the other way round on destroy: namespace, storage, then JupyterHub; ingress-nginx before JupyterHub too,
    whose Ingress its webhook checks. What needs nothing of each other (certificates, Traefik, Dask Gateway, which gets
    its token from us) is installed side by side: a first start takes as long as the slowest of them.

    Raises:
        ChartError: a chart cannot be had from the mirror.
        StorageError: managed storage, but none is named.
        DnsError: challenge dns01, but the cluster has no zone to write into.
    """

    def __init__(self, name: str, args: KubernetesPlatformArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        # The component's own options, not a child's: children take their provider from here.
        own = pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(providers=[args.cluster.provider], depends_on=list(args.cluster.ready))
        )
        super().__init__("qhub:platform:KubernetesPlatform", name, None, own)
        self._settings, self._cluster = args.settings, args.cluster
        self._charts = ChartStore(
            settings=args.settings.charts,
            project_root=args.settings.root,
            working_dir=Path.cwd(),
            images=args.settings.images,
        )
        self._secrets = GeneratedSecrets(f"{name}-secrets", opts=pulumi.ResourceOptions(parent=self))
        self._namespace = self._make_namespace(name)
        self._storage = self._make_storage(name)
        self._ingress = self._make_ingress(name)
        self._dns = args.cluster.dns or DnsZone()
        if self._dns.point is not None:
            self._dns.point(self._ingress.address)
        nodes = self._make_node_parts(name)
        self._cert_manager = self._make_cert_manager(name)
        self._monitoring = self._make_monitoring(name)
        self._environments = self._make_environments(name) if args.settings.environments.named else None
        self._hub = self._make_hub(name)
        self._releases: dict[str, Release] = {
            args.settings.ingress.controller: self._ingress.release,
            "jupyterhub": self._hub.release,
        }
        self._releases |= nodes
        if self._cert_manager is not None:
            self._releases["cert-manager"] = self._cert_manager.release
        if args.settings.dask.enabled:
            self._releases["dask-gateway"] = self._make_dask(name)
        if self._monitoring is not None:
            self._releases[MONITORING_RELEASE] = self._monitoring.release
        if args.settings.extra_releases:
            self._releases |= self._make_extra_releases(name)
        self._ssh = self._make_ssh(name) if args.settings.ssh.enabled else None
        self.register_outputs({"address": args.settings.address})

    def exports(self) -> Mapping[str, pulumi.Output[Any]]:
        """Return the outputs of the stack.

        | name | what it is |
        |---|---|
        | `address` | URL of the hub |
        | `load_balancer` | IP address or host name that DNS points at; "" where the Service has none of its own |
        | `login_hint` | what a person does next, as a sentence |
        | `namespace` | Kubernetes namespace of the hub |
        | `grafana`, `grafana_admin_password` | with monitoring: URL of Grafana, and the password of its user admin |
        | `releases` | Helm release -> {version, app_version, status, revision} |
        | `ssh` | {address, port, command}: where terminals are, and what a person types; only with `ssh.enabled` |
        """
        settings = self._settings
        made: dict[str, pulumi.Output[Any]] = {
            "address": pulumi.Output.from_input(settings.address),
            "load_balancer": self._ingress.address,
            "login_hint": self._ingress.address.apply(
                lambda address: login_hint(settings, address if self._dns.point is None else "")
            ),
            "namespace": pulumi.Output.from_input(settings.namespace.name),
            "releases": pulumi.Output.all(
                **{name: release.status.apply(release_status) for name, release in sorted(self._releases.items())}
            ),
        }
        if settings.monitoring.enabled:
            made["grafana"] = pulumi.Output.from_input(f"{settings.address}{GRAFANA_PATH}/")
            made["grafana_admin_password"] = self._grafana_password
        if self._ssh is not None:
            made["ssh"] = self._ssh.address.apply(lambda address: ssh_output(settings, address))
        return made

    def _make_namespace(self, name: str) -> PlatformNamespace:
        namespace = self._settings.namespace
        quota = namespace.quota
        return PlatformNamespace(
            f"{name}-namespace",
            PlatformNamespaceArgs(
                name=namespace.name,
                pod_security=namespace.pod_security,
                labels=namespace.labels,
                quota=quota_hard(cpu=quota.cpu, memory=quota.memory, pods=quota.pods, storage=quota.storage)
                if quota is not None
                else {},
                keep=keeps_data(self._settings),
                # Where the claim is there already, so is its namespace.
                existing=self._settings.storage.kind == "existing-claim",
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _make_storage(self, name: str) -> Storage:
        return Storage(
            f"{name}-storage",
            StorageArgs(
                storage=self._settings.storage,
                cluster=self._cluster,
                namespace=self._settings.namespace.name,
                namespace_resource=self._namespace.namespace,
                server_namespace=f"{self._settings.namespace.name}-storage",
                images=self._settings.images,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _make_ingress(self, name: str) -> Ingress:
        return Ingress(
            f"{name}-ingress",
            IngressArgs(
                ingress=self._settings.ingress,
                namespace=f"{self._settings.namespace.name}-ingress",
                annotations=self._cluster.load_balancer_annotations,
                pool=self._cluster.node_pools["general"],
                charts=self._charts,
                measured=self._settings.monitoring.enabled,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _make_node_parts(self, name: str) -> dict[str, Release]:
        """Install what nodes need and this cluster does not bring; return the releases by name."""
        cluster, made = self._cluster, dict[str, Release]()
        if cluster.autoscaler is not None:
            made["cluster-autoscaler"] = ClusterAutoscaler(
                f"{name}-cluster-autoscaler",
                ClusterAutoscalerArgs(
                    autoscaler=cluster.autoscaler, pool=cluster.node_pools["general"], charts=self._charts
                ),
                opts=pulumi.ResourceOptions(parent=self),
            ).release
        gpu_pools = {pool: found for pool, found in cluster.node_pools.items() if found.gpu is not None}
        if cluster.gpu_device_plugin and gpu_pools:
            made["nvidia-device-plugin"] = GpuDevicePlugin(
                f"{name}-gpu-device-plugin",
                GpuDevicePluginArgs(pools=gpu_pools, charts=self._charts),
                opts=pulumi.ResourceOptions(parent=self),
            ).release
        return made

    def _make_cert_manager(self, name: str) -> CertManager | None:
        if self._settings.certificates.issuer not in ISSUERS:
            return None
        return CertManager(
            f"{name}-cert-manager",
            CertManagerArgs(
                certificates=self._settings.certificates,
                ingress_class=self._settings.ingress.class_name,
                issuer_name=self._issuer_name,
                dns=self._dns,
                solver_secret=None if self._settings.images.credentials is None else f"{HUB_RELEASE}-registry",
                pool=self._cluster.node_pools["general"],
                charts=self._charts,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _make_monitoring(self, name: str) -> Monitoring | None:
        if not self._settings.monitoring.enabled:
            return None
        return Monitoring(
            f"{name}-monitoring",
            MonitoringArgs(
                settings=self._settings,
                pool=self._cluster.node_pools["general"],
                metrics_token=self._secrets.metrics_token,
                admin_password=self._grafana_password,
                charts=self._charts,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _make_environments(self, name: str) -> Environments:
        return Environments(
            f"{name}-environments",
            EnvironmentsArgs(
                settings=self._settings,
                claim_name=self._storage.claim_name,
                pool=self._cluster.node_pools["user"],
                depends_on=[self._namespace.namespace, *self._storage.ready],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    @property
    def _grafana_password(self) -> pulumi.Output[str]:
        """Password of Grafana's administrator: from the settings, else one that was made. A secret output."""
        written = self._settings.monitoring.grafana.admin_password
        return self._secrets.grafana_password if written is None else pulumi.Output.secret(written.get_secret_value())

    def _make_extra_releases(self, name: str) -> dict[str, Release]:
        return ExtraReleases(
            f"{name}-extra",
            ExtraReleasesArgs(
                releases=self._settings.extra_releases,
                namespace=self._settings.namespace.name,
                namespace_resource=self._namespace.namespace,
                own=self._releases,
                project_root=self._charts.project_root,
                working_dir=self._charts.working_dir,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        ).releases

    def _make_hub(self, name: str) -> JupyterHub:
        secrets = self._secrets
        needs = [self._namespace.namespace, *self._storage.ready]
        if self._settings.ingress.controller == "ingress-nginx":
            needs.append(self._ingress.release)
        if self._environments is not None:
            # Nobody is offered what is not there yet; where one cannot be installed, all stays as it was.
            needs += self._environments.jobs
        return JupyterHub(
            f"{name}-jupyterhub",
            JupyterHubArgs(
                settings=self._settings,
                cluster=self._cluster,
                secrets=jupyterhub_secrets(
                    self._settings,
                    cookie_secret=secrets.cookie_secret,
                    crypt_key=secrets.crypt_key,
                    proxy_token=secrets.proxy_token,
                    dask_gateway_token=secrets.dask_gateway_token,
                    metrics_token=secrets.metrics_token if self._monitoring is not None else None,
                    grafana_token=secrets.grafana_token if self._monitoring is not None else None,
                ),
                claim_name=self._storage.claim_name,
                cluster_issuer=self._issuer_name if self._cert_manager is not None else None,
                depends_on=needs,
                charts=self._charts,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _make_dask(self, name: str) -> Release:
        from qhub.platform.dask_gateway import DaskGateway, DaskGatewayArgs

        return DaskGateway(
            f"{name}-dask-gateway",
            DaskGatewayArgs(
                settings=self._settings,
                cluster=self._cluster,
                api_token=self._secrets.dask_gateway_token,
                claim_name=self._storage.claim_name,
                namespace=self._namespace.namespace,
                charts=self._charts,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        ).release

    def _make_ssh(self, name: str) -> SshServer:
        return SshServer(
            f"{name}-ssh",
            SshServerArgs(
                settings=self._settings,
                cluster=self._cluster,
                host_key=self._secrets.ssh_host_key,
                namespace=self._namespace.namespace,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    @property
    def _issuer_name(self) -> str:
        """Name of the ClusterIssuer. It says whose and which, since issuers belong to the whole cluster."""
        return f"{self._settings.namespace.name}-{self._settings.certificates.issuer}"
