"""Where a chart comes from: its public repository, an OCI registry, or a mirror folder. No Pulumi in here.

A mirror is one setting (`charts.mirror`) for every chart:

| `charts.mirror` | where `jupyterhub` 4.4.0 is looked for |
|---|---|
| null | `charts.jupyterhub.repository` |
| `oci://registry.example.org/charts` | `oci://registry.example.org/charts/jupyterhub`, tag 4.4.0 |
| a folder | `FOLDER/jupyterhub/Chart.yaml`, else `FOLDER/jupyterhub-4.4.0.tgz` |
"""

from __future__ import annotations

import difflib
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from qhub.errors import InputError

if TYPE_CHECKING:
    from qhub.config.charts import Chart, Charts

#: Keys of the `charts` section that are charts.
ChartKey = Literal[
    "jupyterhub",
    "dask_gateway",
    "ingress_nginx",
    "traefik",
    "cert_manager",
    "cluster_autoscaler",
    "nvidia_device_plugin",
    "kube_prometheus_stack",
]

OCI_SCHEME = "oci://"


class ChartError(InputError):
    """A chart cannot be had from where the settings point. The message is for the person who wrote them."""


@dataclass(frozen=True, kw_only=True)
class ChartSource:
    """What a Helm release is told of its chart.

    Attributes:
        chart: chart name, `oci://` reference, or path of a folder or archive.
        version: exact version.
        repository: URL of a chart repository; None for an OCI reference and for a path.
    """

    chart: str
    version: str
    repository: str | None = None


def chart_source(charts: Charts, key: ChartKey, *, project_root: Path, working_dir: Path) -> ChartSource:
    """Return where the chart `key` comes from.

    Args:
        charts: the `charts` section of the settings.
        key: which chart.
        project_root: folder of `Pulumi.yaml`; a relative mirror folder is relative to it.
        working_dir: folder the Pulumi program runs in. Helm resolves a chart path against it, so a relative mirror is
            handed on relative to it: a path of one machine must never get into the state.

    Raises:
        ChartError: the mirror folder is missing, or holds no such chart or not in that version.
    """
    wanted: Chart = getattr(charts, key)
    name = wanted.chart_name
    if charts.mirror is None:
        return _from_repository(name, version=wanted.version, repository=wanted.repository)
    if charts.mirror.startswith(OCI_SCHEME):
        return _from_repository(name, version=wanted.version, repository=charts.mirror)
    stated = Path(charts.mirror).expanduser()
    folder = stated if stated.is_absolute() else project_root / stated
    chart = _chart_in_folder(folder, name, version=wanted.version, setting=f"charts.{key}.version")
    return ChartSource(
        chart=str(chart) if stated.is_absolute() else Path(os.path.relpath(chart, working_dir)).as_posix(),
        version=wanted.version,
    )


def _from_repository(name: str, *, version: str, repository: str) -> ChartSource:
    """Return the source for a chart repository or an OCI registry."""
    if repository.startswith(OCI_SCHEME):
        return ChartSource(chart=f"{repository.rstrip('/')}/{name}", version=version)
    return ChartSource(chart=name, version=version, repository=repository)


def _chart_in_folder(folder: Path, name: str, *, version: str, setting: str) -> Path:
    """Return the chart's own folder in `folder`, else its archive.

    Helm ignores the version when it is given a path, so a mirror with another one would be installed without a word:
    the version is read and compared here.

    Raises:
        ChartError: see `chart_source`.
    """
    if not folder.is_dir():
        raise ChartError(
            f"charts.mirror: there is no folder {folder}. It should hold one folder or .tgz for each chart; "
            "set charts.mirror to null to take the charts from their public repositories."
        )
    unpacked, archive = folder / name, folder / f"{name}-{version}.tgz"
    if (unpacked / "Chart.yaml").is_file():
        found = version_of((unpacked / "Chart.yaml").read_text(encoding="utf-8"))
        if found != version:
            raise ChartError(
                f"{setting} is {version}, but {unpacked} holds version {found}. "
                f"Put {version} there, or set {setting}: {found}."
            )
        return unpacked
    if archive.is_file():
        _check_archive(archive, name)
        return archive
    held = sorted(path.name for path in folder.iterdir() if path.suffix == ".tgz" or (path / "Chart.yaml").is_file())
    near = difflib.get_close_matches(archive.name, held, n=1, cutoff=0.5)
    hint = f"The nearest is {near[0]}." if near else f"It holds: {', '.join(held) or 'no chart at all'}."
    raise ChartError(
        f"charts.mirror: {folder} has neither the folder {name} nor {archive.name} ({setting} is {version}). {hint}"
    )


def _check_archive(archive: Path, name: str) -> None:
    """Refuse an archive that is no chart, before Helm does so in its own words.

    Raises:
        ChartError: not a gzipped tar with `<name>/Chart.yaml` in it.
    """
    try:
        with tarfile.open(archive, mode="r:gz") as tar:
            tar.getmember(f"{name}/Chart.yaml")
    except (tarfile.TarError, OSError, EOFError, KeyError) as error:
        raise ChartError(f"charts.mirror: {archive} is not a packed chart of {name}: {error}") from error


def version_of(chart_yaml: str) -> str | None:
    """Return `version` of a Chart.yaml."""
    import yaml

    loaded = yaml.safe_load(chart_yaml)
    return cast("str | None", loaded.get("version")) if isinstance(loaded, dict) else None
