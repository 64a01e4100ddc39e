"""Which images each chart runs, under which keys of its values they are, and how all of them come from one registry.

Names, tags and keys are those of the charts' versions that QHub has been written for (`qhub.config.charts`), read in
their default values and templates. No Pulumi in here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qhub.config.charts import value_at
from qhub.platform.merging import deep_merge, tree
from qhub.platform.profile_options import TYPED

if TYPE_CHECKING:
    from qhub.config.images import Images
    from qhub.platform.chart_source import ChartKey


@dataclass(frozen=True, kw_only=True)
class ChartImage:
    """One image of a chart.

    Attributes:
        key: dotted path of the value that says where the image is.
        name: full name, unless the values have another one.
        tag: tag; `{version}` stands for the chart's version, since the chart derives it from there.
        rest: what of the name the chart adds to the value itself; "" where the value is the whole name.
        when: dotted paths of switches of which one has to be on; none for an image that is always used.
        pulled: whether a pod is ever made from it. An operator is told of images that nobody asks it for.
    """

    key: str
    name: str
    tag: str
    rest: str = ""
    when: tuple[str, ...] = ()
    pulled: bool = True

    @property
    def tag_key(self) -> str:
        """Dotted path of the value with the tag."""
        return f"{self.key.rpartition('.')[0]}.tag"

    def used(self, values: Mapping[str, Any]) -> bool:
        """Tell whether a release with these values uses it."""
        return not self.when or any(value_at(values, switch) for switch in self.when)

    def name_in(self, values: Mapping[str, Any]) -> str:
        """Return the image's name in a release with these values, without its tag."""
        value = value_at(values, self.key)
        return self.name if value is None else f"{value}/{self.rest}" if self.rest else value

    def tag_in(self, values: Mapping[str, Any], version: str) -> str:
        """Return the image's tag in a release with these values, of a version of the chart."""
        return value_at(values, self.tag_key) or self.tag.format(version=version)


def _split(key: str, host: str, rest: str, tag: str, **more: Any) -> ChartImage:
    return ChartImage(key=key, name=f"{host}/{rest}", rest=rest, tag=tag, **more)


def _hub(part: str, image: str, tag: str = "{version}", *when: str) -> ChartImage:
    return ChartImage(key=f"{part}.image.name", name=image, tag=tag, when=when)


_PAUSE = "registry.k8s.io/pause"
_PULLERS = ("prePuller.hook.enabled", "prePuller.continuous.enabled")
_CERT_MANAGER = tuple(
    _split("imageRegistry", "quay.io", f"jetstack/cert-manager-{part}", "{version}")
    for part in ("controller", "webhook", "cainjector", "acmesolver", "startupapicheck")
)
#: Tags in chart kube-prometheus-stack 88.5.3 and in the charts inside it: grafana 12.11.1, kube-state-metrics 8.4.0,
#: prometheus-node-exporter 4.56.1.
_MONITORING = (
    _split("prometheusOperator.image.registry", "quay.io", "prometheus-operator/prometheus-operator", "v0.93.1"),
    _split(
        "prometheusOperator.prometheusConfigReloader.image.registry",
        "quay.io",
        "prometheus-operator/prometheus-config-reloader",
        "v0.93.1",
    ),
    _split("prometheusOperator.thanosImage.registry", "quay.io", "thanos/thanos", "v0.42.4", pulled=False),
    _split("prometheus.prometheusSpec.image.registry", "quay.io", "prometheus/prometheus", "v3.14.0-distroless"),
    _split("grafana.image.registry", "docker.io", "grafana/grafana", "13.2.0"),
    _split("grafana.sidecar.image.registry", "quay.io", "kiwigrid/k8s-sidecar", "2.10.1"),
    _split("kube-state-metrics.image.registry", "registry.k8s.io", "kube-state-metrics/kube-state-metrics", "v2.20.0"),
    _split("prometheus-node-exporter.image.registry", "quay.io", "prometheus/node-exporter", "v1.12.1-distroless"),
)

#: Every image of every chart that QHub's values can make use of.
CHART_IMAGES: Mapping[ChartKey, tuple[ChartImage, ...]] = {
    "jupyterhub": (
        _hub("hub", "quay.io/jupyterhub/k8s-hub"),
        _hub("proxy.chp", "quay.io/jupyterhub/configurable-http-proxy", "5.2.0"),
        _hub("singleuser", "quay.io/jupyterhub/k8s-singleuser-sample"),
        _hub("singleuser.networkTools", "quay.io/jupyterhub/k8s-network-tools"),
        _hub("scheduling.userPlaceholder", _PAUSE, "3.10.1", "scheduling.userPlaceholder.enabled"),
        _hub(
            "scheduling.userScheduler", "registry.k8s.io/kube-scheduler", "v1.30.14", "scheduling.userScheduler.enabled"
        ),
        _hub("prePuller.hook", "quay.io/jupyterhub/k8s-image-awaiter", "{version}", "prePuller.hook.enabled"),
        _hub("prePuller.pause", _PAUSE, "3.10.1", *_PULLERS),
    ),
    "dask_gateway": (
        _hub("gateway", "ghcr.io/dask/dask-gateway-server"),
        _hub("gateway.backend", "ghcr.io/dask/dask-gateway"),
        _hub("controller", "ghcr.io/dask/dask-gateway-server"),
        _hub("traefik", "docker.io/traefik", "3.3.5"),
    ),
    "ingress_nginx": (
        _split(
            "global.image.registry",
            "registry.k8s.io",
            "ingress-nginx/controller",
            "v1.15.1@sha256:594ceea76b01c592858f803f9ff4d2cb40542cae2060410b2c95f75907d659e1",
        ),
        _split(
            "global.image.registry",
            "registry.k8s.io",
            "ingress-nginx/kube-webhook-certgen",
            "v1.6.9@sha256:01038e7de14b78d702d2849c3aad72fd25903c4765af63cf16aa3398f5d5f2dd",
        ),
    ),
    "traefik": (_split("image.registry", "docker.io/library", "traefik", "v3.7.11"),),
    "cert_manager": _CERT_MANAGER,
    "cluster_autoscaler": (
        ChartImage(key="image.repository", name="registry.k8s.io/autoscaling/cluster-autoscaler", tag="v1.35.0"),
    ),
    "nvidia_device_plugin": (
        ChartImage(key="image.repository", name="nvcr.io/nvidia/k8s-device-plugin", tag="v{version}"),
    ),
    "kube_prometheus_stack": _MONITORING,
}

#: Dotted paths under which each chart takes names of Secrets for pulling.
PULL_SECRETS: Mapping[ChartKey, tuple[str, ...]] = {
    "jupyterhub": ("imagePullSecrets",),
    "dask_gateway": tuple(
        f"{part}.imagePullSecrets" for part in ("gateway", "gateway.backend", "controller", "traefik")
    ),
    "ingress_nginx": ("imagePullSecrets",),
    "traefik": ("deployment.imagePullSecrets",),
    "cert_manager": ("global.imagePullSecrets",),
    "cluster_autoscaler": ("image.pullSecrets",),
    "nvidia_device_plugin": ("imagePullSecrets",),
    "kube_prometheus_stack": ("global.imagePullSecrets",),
}
#: Charts that take the bare names; the others take objects, as pods do.
_BARE_NAMES: tuple[ChartKey, ...] = ("cluster_autoscaler",)

#: What of our hub-side settings (`custom.qhub`) names images: what KubeSpawner is told of each profile.
_OVERRIDE = "kubespawner_override"


def with_registry(chart: ChartKey, values: Mapping[str, Any], images: Images) -> dict[str, Any]:
    """Return values of a chart with which all of its images come from `images.registry`; unchanged where there is none.

    Args:
        chart: which chart.
        values: its values; leaves may be outputs, those under the keys of images may not.
        images: the `images` section.
    """
    made = dict(values)
    if images.registry is None:
        return made
    for image in CHART_IMAGES[chart]:
        if image.used(values):
            where = images.located(image.name_in(values))
            made = deep_merge(made, tree(image.key, where.removesuffix(f"/{image.rest}") if image.rest else where))
    if chart == "jupyterhub" and "custom" in made:
        made["custom"] = _profiles_located(made["custom"], images)
    return made


def with_pull_secret(chart: ChartKey, values: Mapping[str, Any], secret: str) -> dict[str, Any]:
    """Return values of a chart whose pods, and those that they make for users, pull with a Secret."""
    made = dict(values)
    for path in PULL_SECRETS[chart]:
        made = deep_merge(made, tree(path, [secret if chart in _BARE_NAMES else {"name": secret}]))
    return made


def profile_images(custom: Any) -> list[str]:
    """Return the images that profiles name, as written: wherever KubeSpawner is told of one.

    Not the one that somebody types: it is pulled as it is typed.
    """
    if isinstance(custom, list):
        return [image for item in custom for image in profile_images(item)]
    if not isinstance(custom, Mapping):
        return []
    return _named_in(custom.get(_OVERRIDE)) + [image for item in custom.values() for image in profile_images(item)]


def _named_in(override: Any) -> list[str]:
    image = override.get("image", TYPED) if isinstance(override, Mapping) else TYPED
    return [] if image == TYPED else [image]


def _profiles_located(custom: Any, images: Images) -> Any:
    """Return hub-side settings in which the images of profiles come from the registry."""
    if isinstance(custom, list):
        return [_profiles_located(item, images) for item in custom]
    if not isinstance(custom, Mapping):
        return custom
    made = {key: _profiles_located(item, images) for key, item in custom.items()}
    for image in _named_in(made.get(_OVERRIDE)):
        made[_OVERRIDE] |= {"image": images.located(image)}
    return made
