"""Helm charts: which version of each, and where from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from qhub.config.model import Expected, Problem, Section, nested
from qhub.config.names import ChartRepository, ChartVersion, Text
from qhub.config.quantities import Seconds

#: Pulumi and Helm wait 300 s by default; a first start with cold nodes and large images takes longer than that.
RELEASE_TIMEOUT = 900


def value_at(values: Mapping[str, Any], path: str) -> Any:
    """Return what stands under a dotted path of a chart's values; None where nothing does."""
    inside: Any = values
    for part in path.split("."):
        inside = inside.get(part) if isinstance(inside, Mapping) else None
    return inside


class Chart(Section):
    """One chart."""

    chart_name: ClassVar[str]

    version: ChartVersion = Field(description="Exact version of the chart.")
    repository: ChartRepository = Field(
        description="Address of the chart's repository (https:// or oci://); not used while charts.mirror is set."
    )
    timeout: Seconds = Field(
        default=RELEASE_TIMEOUT, description="Seconds to wait until everything that the chart installs is ready."
    )
    atomic: bool = Field(
        default=False, description="On failure, undo: uninstall a first install, roll an upgrade back."
    )
    overrides: dict[str, Any] = Field(
        default={},
        description="Values for the chart, merged over QHub's own last. Not checked by QHub; no secrets here.",
    )


class JupyterHubChart(Chart):
    """Zero to JupyterHub."""

    chart_name = "jupyterhub"
    version: ChartVersion = Field(default="4.4.0", description="Exact version of the chart.")
    repository: ChartRepository = Field(default="https://hub.jupyter.org/helm-chart", description="Its repository.")


class DaskGatewayChart(Chart):
    """Dask Gateway."""

    chart_name = "dask-gateway"
    version: ChartVersion = Field(default="2026.3.0", description="Exact version of the chart.")
    repository: ChartRepository = Field(default="https://helm.dask.org", description="Its repository.")


class IngressNginxChart(Chart):
    """ingress-nginx; 4.15.1 is the last release there will be."""

    chart_name = "ingress-nginx"
    version: ChartVersion = Field(default="4.15.1", description="Exact version of the chart.")
    repository: ChartRepository = Field(
        default="https://kubernetes.github.io/ingress-nginx", description="Its repository."
    )


class TraefikChart(Chart):
    """Traefik."""

    chart_name = "traefik"
    version: ChartVersion = Field(default="41.3.0", description="Exact version of the chart.")
    repository: ChartRepository = Field(default="https://traefik.github.io/charts", description="Its repository.")


class CertManagerChart(Chart):
    """cert-manager; its versions start with a v."""

    chart_name = "cert-manager"
    version: ChartVersion = Field(default="v1.21.1", description="Exact version of the chart, with its leading v.")
    repository: ChartRepository = Field(default="https://charts.jetstack.io", description="Its repository.")


class ClusterAutoscalerChart(Chart):
    """cluster-autoscaler; only on clouds that do not run one themselves (AWS)."""

    chart_name = "cluster-autoscaler"
    version: ChartVersion = Field(default="9.59.0", description="Exact version of the chart.")
    repository: ChartRepository = Field(
        default="https://kubernetes.github.io/autoscaler", description="Its repository."
    )


class NvidiaDevicePluginChart(Chart):
    """NVIDIA's device plugin; only where a pool has GPUs and the cloud does not run it itself (AWS, Azure)."""

    chart_name = "nvidia-device-plugin"
    version: ChartVersion = Field(default="0.20.0", description="Exact version of the chart.")
    repository: ChartRepository = Field(
        default="https://nvidia.github.io/k8s-device-plugin", description="Its repository."
    )


class KubePrometheusStackChart(Chart):
    """kube-prometheus-stack; only with monitoring."""

    chart_name = "kube-prometheus-stack"
    version: ChartVersion = Field(default="88.5.3", description="Exact version of the chart.")
    repository: ChartRepository = Field(
        default="https://prometheus-community.github.io/helm-charts", description="Its repository."
    )


class Charts(Section):
    """Version and source of every chart."""

    mirror: Annotated[Text, Expected("a folder, or oci://registry/path")] | None = Field(
        default=None,
        description="Where every chart comes from instead of its own repository: a folder, relative to the project "
        "folder, that holds one folder or .tgz per chart, or oci://registry/path. For networks without the public "
        "repositories.",
    )
    jupyterhub: JupyterHubChart = nested("The hub's chart (Zero to JupyterHub).")
    dask_gateway: DaskGatewayChart = nested("Dask Gateway's chart.")
    ingress_nginx: IngressNginxChart = nested("The chart of ingress.controller ingress-nginx.")
    traefik: TraefikChart = nested("The chart of ingress.controller traefik.")
    cert_manager: CertManagerChart = nested(
        "The chart of what gets certificates; not used with issuers that need none."
    )
    cluster_autoscaler: ClusterAutoscalerChart = nested("The chart of what adds and removes nodes on AWS.")
    nvidia_device_plugin: NvidiaDevicePluginChart = nested("The chart of what offers GPUs to pods on AWS and Azure.")
    kube_prometheus_stack: KubePrometheusStackChart = nested("The chart of monitoring.")


def versions_have_their_form(charts: Charts) -> Iterator[Problem]:
    """Only cert-manager's chart versions start with a v; Helm finds nothing under the other form."""
    for name in (name for name in Charts.model_fields if name not in ("mirror", "cert_manager")):
        version = getattr(charts, name).version
        if version.startswith("v"):
            yield Problem(("charts", name, "version"), f'this chart\'s versions have no "v": write {version[1:]}')
    version = charts.cert_manager.version
    if not version.startswith("v"):
        yield Problem(
            ("charts", "cert_manager", "version"), f'cert-manager\'s versions start with "v": write v{version}'
        )


def mirror_has_its_form(charts: Charts) -> Iterator[Problem]:
    """A mirror is a folder or an OCI path; an index over https would need one address per chart."""
    mirror = charts.mirror
    if mirror is not None and "://" in mirror and not mirror.startswith("oci://"):
        yield Problem(
            ("charts", "mirror"),
            f"{mirror.split('://')[0]}:// is not supported here: give a folder or oci://registry/path; for one chart's "
            "https repository set that chart's `repository`",
        )
