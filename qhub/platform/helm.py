"""One way to install a chart: every Helm release of the platform is made here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_kubernetes.helm.v3 import Release

from qhub.platform.chart_images import with_pull_secret, with_registry
from qhub.platform.chart_source import ChartKey, chart_source
from qhub.platform.merging import deep_merge, has_null
from qhub.platform.pull_secret import pull_secret

if TYPE_CHECKING:
    from qhub.config.charts import Chart, Charts
    from qhub.config.images import Images

#: Revisions that Helm keeps. Each is a Secret with all values; a few are enough to roll back, and etcd stays small.
MAX_HISTORY = 5


@dataclass(frozen=True, kw_only=True)
class ChartStore:
    """The charts of one stack and the folders that relative paths are resolved against.

    Attributes:
        settings: the `charts` section.
        project_root: folder of `Pulumi.yaml`.
        working_dir: folder the program runs in (`main` of `Pulumi.yaml`).
        images: the `images` section.
    """

    settings: Charts
    project_root: Path
    working_dir: Path
    images: Images


def helm_release(
    name: str,
    *,
    charts: ChartStore,
    chart: ChartKey,
    release_name: str,
    namespace: str,
    values: Mapping[str, Any],
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource],
    skip_crds: bool | None = None,
) -> Release:
    """Install one chart as a Helm release, with the settings' overrides merged last.

    Where the settings name a registry with copies of images, the chart's images come from there; where they say who
    pulls from it, that is a Secret beside the release.

    Args:
        name: logical name of the resource.
        charts: where charts come from.
        chart: which chart.
        release_name: name of the Helm release. Never left to Pulumi, which would add a random suffix: names of
            Services follow from it.
        namespace: an existing namespace.
        values: chart values; leaves may be outputs and secrets.
        parent: component that owns the release.
        depends_on: what has to be there before, and to stay until the release is gone.
        skip_crds: leave the chart's `crds/` folder out.

    Raises:
        ChartError: the chart cannot be had from the mirror.
    """
    settings: Chart = getattr(charts.settings, chart)
    source = chart_source(charts.settings, chart, project_root=charts.project_root, working_dir=charts.working_dir)
    sent, needs = with_registry(chart, values, charts.images), list(depends_on)
    if charts.images.credentials is not None:
        secret = f"{release_name}-registry"
        sent = with_pull_secret(chart, sent, secret)
        needs.append(
            pull_secret(f"{name}-registry", charts.images, secret, namespace=namespace, parent=parent, depends_on=needs)
        )
    merged = deep_merge(sent, settings.overrides)
    return Release(
        name,
        chart=source.chart,
        version=source.version,
        repository_opts={"repo": source.repository} if source.repository else None,
        name=release_name,
        namespace=namespace,
        values=merged,
        timeout=settings.timeout,
        atomic=settings.atomic,
        cleanup_on_fail=True,
        max_history=MAX_HISTORY,
        skip_crds=skip_crds,
        # A null in the overrides takes a default of the chart away; without this it would be dropped on the way.
        allow_null_values=True if has_null(merged) else None,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=needs),
    )
