"""Every image that a stack pulls: for sites whose registry has to have them before `pulumi up`.

Read from the same values that the releases get, without Pulumi's engine and without any network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qhub.clouds.cluster import Autoscaler
from qhub.clouds.node_pools import node_pools
from qhub.config.charts import Charts
from qhub.config.images import full_name
from qhub.config.storage import NfsServerStorage
from qhub.platform.chart_images import CHART_IMAGES, profile_images, with_registry
from qhub.platform.cluster_autoscaler import cluster_autoscaler_values
from qhub.platform.dask_gateway_values import dask_gateway_values
from qhub.platform.jupyterhub_values import JupyterHubSecrets, jupyterhub_values
from qhub.platform.merging import deep_merge

if TYPE_CHECKING:
    from qhub.config import Settings
    from qhub.platform.chart_source import ChartKey

#: Clouds on which QHub installs NVIDIA's device plugin, and the one on which it installs the autoscaler.
OWN_DEVICE_PLUGIN, OWN_AUTOSCALER = ("aws", "azure"), "aws"
#: Stands for a secret: none is in an image's name.
_NO_SECRET = "-"  # noqa: S105


@dataclass(frozen=True, order=True)
class NeededImage:
    """One image.

    Attributes:
        source: reference of the image itself, with its registry.
        pulled_as: the reference that nodes pull.
        needed_by: what runs it: a release, or a setting.
        sure: whether the tag is known. Of a chart in another version than QHub's own, a tag may be another.
    """

    source: str
    pulled_as: str
    needed_by: str
    sure: bool = True

    @property
    def to_be_copied(self) -> bool:
        """Whether nodes pull a copy."""
        return self.source != self.pulled_as


def needed_images(settings: Settings) -> list[NeededImage]:
    """Return every image that the stack's own parts, its servers and its Dask clusters pull, each once, sorted.

    Not among them: images of `extra_releases`, which QHub cannot know, and those of the cluster itself.
    """
    found: dict[str, NeededImage] = {}
    for image in _images(settings):
        found.setdefault(image.source, image)
    return sorted(found.values())


def _images(settings: Settings) -> Iterator[NeededImage]:
    for chart, values in _charts(settings).items():
        yield from _images_of(settings, chart, values)
    own: dict[str, str] = {}
    if isinstance(settings.storage, NfsServerStorage):
        own["storage.image"] = settings.storage.image.reference
    if settings.ssh.enabled and settings.ssh.image is not None:
        own["ssh.image"] = settings.ssh.image.reference
    for key, reference in own.items():
        yield NeededImage(full_name(reference), full_name(settings.images.located(reference)), key)


def _images_of(settings: Settings, chart: ChartKey, values: Mapping[str, Any]) -> Iterator[NeededImage]:
    about = getattr(settings.charts, chart)
    as_usual = about.version == getattr(Charts(), chart).version
    named = deep_merge(values, about.overrides)
    # What the release gets: an image of the overrides is pulled as it is named there.
    sent = deep_merge(with_registry(chart, values, settings.images), about.overrides)
    for image in CHART_IMAGES[chart]:
        if image.pulled and image.used(sent):
            tag = image.tag_in(sent, about.version)
            source, pulled_as = (full_name(f"{image.name_in(given)}:{tag}") for given in (named, sent))
            yield NeededImage(source, pulled_as, about.chart_name, as_usual or "{version}" in image.tag)
    written, located = (profile_images(given.get("custom")) for given in (named, sent))
    for source, pulled_as in zip(written, located, strict=True):
        yield NeededImage(full_name(source), full_name(pulled_as), "jupyterhub.profiles")


def _charts(settings: Settings) -> dict[ChartKey, Mapping[str, Any]]:
    """Return the values of each chart that the stack installs, as far as they name images."""
    pools = node_pools(settings.cluster.pools)
    secrets = JupyterHubSecrets(
        cookie_secret=_NO_SECRET, crypt_key=_NO_SECRET, proxy_token=_NO_SECRET, dask_gateway_token=_NO_SECRET
    )
    made: dict[ChartKey, Mapping[str, Any]] = {
        "ingress_nginx" if settings.ingress.controller == "ingress-nginx" else "traefik": {},
        "jupyterhub": jupyterhub_values(
            settings, node_pools=pools, secrets=secrets, claim_name="", block_storage_class=None, cluster_issuer=None
        ),
    }
    if settings.dask.enabled:
        made["dask_gateway"] = dask_gateway_values(settings, node_pools=pools, api_token=_NO_SECRET, claim_name="")
    if settings.certificates.issuer not in ("existing-secret", "none"):
        made["cert_manager"] = {}
    if settings.monitoring.enabled:
        made["kube_prometheus_stack"] = {}
    if settings.cluster.provider in OWN_DEVICE_PLUGIN and any(pool.gpu for pool in settings.cluster.pools.values()):
        made["nvidia_device_plugin"] = {}
    if settings.cluster.provider == OWN_AUTOSCALER:
        of_version = Autoscaler(
            cloud_provider=OWN_AUTOSCALER, groups=(), region="", kubernetes_version=settings.cluster.version, ready=()
        )
        made["cluster_autoscaler"] = cluster_autoscaler_values(of_version, pool=pools["general"])
    return made
