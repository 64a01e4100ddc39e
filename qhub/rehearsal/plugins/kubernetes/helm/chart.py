"""Where a Release's chart comes from, and whether it and its version are there."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import tarfile
import tempfile
import threading
from pathlib import Path
from typing import Any

from qhub.rehearsal.plugins.errors import PluginError, listing, nearest
from qhub.rehearsal.plugins.kubernetes.helm.command import Helm, HelmError
from qhub.rehearsal.plugins.kubernetes.helm.options import Options

_REPOSITORY_FLAGS = {"caFile": "--ca-file", "certFile": "--cert-file", "keyFile": "--key-file"}
_EXACT = re.compile(r"v?\d+\.\d+\.\d+([-+].*)?")
_REPOSITORIES = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Source:
    """A chart as helm is told of it.

    Attributes:
        reference: folder, archive, `oci://…`, or `alias/name` of a repository.
        flags: `--version` and what it takes to fetch it.
        version: the chart's own; empty where an exact one was asked for and its repository only had to have it.
    """

    reference: str
    flags: tuple[str, ...] = ()
    version: str = ""


def locate(options: Options, helm: Helm) -> Source:
    """Return where the chart is, after making sure that it and its version exist.

    | `chart`                           | looked for                                                        |
    |-----------------------------------|-------------------------------------------------------------------|
    | folder or `.tgz`                  | there, seen from the program's folder; the version must be its own |
    | `oci://host/path/name`            | in the registry                                                   |
    | name, with `repositoryOpts.repo`  | in that repository's index                                        |
    | `alias/name`                      | in the provider's `helmReleaseSettings.repositoryConfigPath`       |

    Raises:
        PluginError: no such chart or version; the message lists those that exist and names the nearest.
    """
    chart, version = str(options.inputs["chart"]), str(options.inputs.get("version") or "")
    repository = options.inputs.get("repositoryOpts") or {}
    flags = (f"--version={version}",) if version else ()
    if chart.startswith("oci://"):
        source = Source(chart, (*flags, *_certificate_flags(repository)))
        source = _shown(helm, source, chart, version)
        return _pulled(helm, source, options) if options.is_set("lint") else source
    if repository.get("repo"):
        with _REPOSITORIES:  # helm keeps one list of them, and one index each
            return _in_repository(helm, options, chart, version, repository)
    path = Path(chart)
    if path.exists():
        # An absolute path also keeps helm from taking `a/b` for chart `b` of repository `a`.
        return Source(str(path.resolve()), version=_check_local(path, chart, version))
    if re.fullmatch(r"[\w.-]+/[\w.-]+", chart) and helm.has_repositories:
        source = _shown(helm, Source(chart, flags), chart, version)
        return _pulled(helm, source, options) if options.is_set("lint") else source
    raise _missing(path, chart)


def is_on_disk(inputs: dict[str, Any]) -> bool:
    """Tell whether the chart of a Release's inputs lies on disk, where it can change while they stay the same."""
    chart = str(inputs["chart"])
    repository = (inputs.get("repositoryOpts") or {}).get("repo")
    return not repository and not chart.startswith("oci://") and Path(chart).exists()


def _missing(path: Path, chart: str) -> PluginError:
    folder = path.parent
    if not folder.is_dir() or (folder == Path() and "/" not in chart):
        return PluginError(
            f"there is no chart '{chart}': no such file or folder seen from {Path.cwd()}. Give "
            "`repository_opts={'repo': URL}` for a chart of a repository, oci://… for one of a registry, or a path"
        )
    charts = [one.name for one in folder.iterdir() if one.suffix == ".tgz" or (one / "Chart.yaml").is_file()]
    same = [name for name in charts if _stem(name) == _stem(path.name)] or charts
    return PluginError(f"there is no chart '{chart}'.{nearest(path.name, same)} In {folder} there are: {listing(same)}")


def _stem(name: str) -> str:
    """Return `name` of `name-1.2.3.tgz`."""
    return re.sub(r"-v?\d.*$", "", name.removesuffix(".tgz"))


def _check_local(path: Path, chart: str, version: str) -> str:
    """Return the version of a chart on disk, which must be the one that is asked for."""
    found = metadata(path)
    own = str(found.get("version") or "")
    if version and _EXACT.fullmatch(version) and own.lstrip("v") != version.lstrip("v"):
        others = sorted(
            one.name for one in path.parent.glob(f"{found.get('name', path.name)}*") if one.name != path.name
        )
        beside = f" Beside it lie: {listing(others)}." if others else ""
        raise PluginError(
            f"chart '{chart}' has version {own or 'none'}, not {version}, which the Release asks for.{beside} "
            f"Set the version to {own}, or point the chart at the archive of {version}"
        )
    return own


def metadata(path: Path) -> dict[str, Any]:
    """Return `Chart.yaml` of a chart's folder or archive.

    Raises:
        PluginError: not a chart.
    """
    try:
        text = _chart_yaml(path)
    except (OSError, tarfile.TarError) as error:
        raise PluginError(f"'{path}' is no Helm chart: {error}") from None
    return _parsed(text, str(path))


def _parsed(text: str, chart: str) -> dict[str, Any]:
    """Return the fields of a Chart.yaml."""
    import yaml

    try:
        found = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe ones
    except yaml.YAMLError as error:
        raise PluginError(f"'{chart}' is no Helm chart: {error}") from None
    if not isinstance(found, dict):
        raise PluginError(f"'{chart}' is no Helm chart: its Chart.yaml holds no fields")
    return found


def _chart_yaml(path: Path) -> str:
    if path.is_dir():
        return (path / "Chart.yaml").read_text(encoding="utf-8")
    with tarfile.open(path) as archive:
        for member in archive:
            if member.name.count("/") == 1 and member.name.endswith("/Chart.yaml"):
                stream = archive.extractfile(member)
                return stream.read().decode() if stream else ""
    raise OSError("no Chart.yaml in the archive")


def _certificate_flags(repository: dict[str, Any]) -> tuple[str, ...]:
    return tuple(f"{flag}={repository[key]}" for key, flag in _REPOSITORY_FLAGS.items() if repository.get(key))


def _shown(helm: Helm, source: Source, chart: str, version: str) -> Source:
    """Return the source with the version that helm finds there."""
    try:
        shown = helm.run("show", "chart", source.reference, *source.flags)
    except HelmError as error:
        wanted = f" version {version}" if version else ""
        raise PluginError(f"chart '{chart}'{wanted} cannot be had: {error}") from None
    return dataclasses.replace(source, version=str(_parsed(shown, chart).get("version") or ""))


def _in_repository(helm: Helm, options: Options, chart: str, version: str, repository: dict[str, Any]) -> Source:
    """Return the chart of a repository, which is added to helm's own list; its index tells which versions exist."""
    url = str(repository["repo"])
    alias = "qhub-" + hashlib.sha256(json.dumps(repository, sort_keys=True).encode()).hexdigest()[:12]
    kept = helm.home() / "charts" / alias / f"{chart}-{version}"
    if kept.is_dir():
        return _archive_in(kept)
    _add(helm, alias, url, repository)
    try:
        _check_index(helm, alias, url, chart, version)
        wanted = [f"--version={version}"] if version else []
        source = Source(f"{alias}/{chart}", (*wanted, *(["--devel"] if options.is_set("devel") else [])))
        if not _EXACT.fullmatch(version):
            source = _shown(helm, source, chart, version)
        if options.is_set("lint") or repository.get("password"):
            return _pulled(helm, source, options, folder=kept)
        return source
    finally:
        if repository.get("password"):  # helm's list of repositories holds it in clear
            helm.run("repo", "remove", alias)
            (helm.home() / f"{alias}.added").unlink()


def _check_index(helm: Helm, alias: str, url: str, chart: str, version: str) -> None:
    found = json.loads(helm.run("search", "repo", f"{alias}/", "--versions", "--devel", "--output=json") or "[]")
    versions = [one["version"] for one in found if one["name"] == f"{alias}/{chart}"]
    if not versions:
        names = {one["name"].removeprefix(f"{alias}/") for one in found}
        raise PluginError(f"repository {url} has no chart '{chart}'.{nearest(chart, names)} It has: {listing(names)}")
    if _EXACT.fullmatch(version) and version.lstrip("v") not in {one.lstrip("v") for one in versions}:
        raise PluginError(
            f"chart '{chart}' of {url} has no version {version}.{nearest(version, versions)} "
            f"The newest of {len(versions)}: {', '.join(versions[:8])}"
        )


def _add(helm: Helm, alias: str, url: str, repository: dict[str, Any]) -> None:
    marker = helm.home() / f"{alias}.added"
    if marker.exists():
        return
    login = [f"--username={repository['username']}", "--password-stdin"] if repository.get("username") else []
    flags = [*login, *_certificate_flags(repository)]
    try:
        helm.run("repo", "add", alias, url, *flags, stdin=str(repository.get("password") or ""))
    except HelmError as error:
        raise PluginError(f"the chart repository {url} cannot be read: {error}") from None
    marker.touch()


def _pulled(helm: Helm, source: Source, options: Options, *, folder: Path | None = None) -> Source:
    """Return the chart as an archive of our own: what `helm lint` needs, and what needs no password any more."""
    folder = folder or Path(tempfile.mkdtemp(dir=helm.home()))
    folder.mkdir(parents=True, exist_ok=True)
    verify = ["--verify", *([f"--keyring={options.inputs['keyring']}"] if options.inputs.get("keyring") else [])]
    flags = [*source.flags, *(verify if options.is_set("verify") else [])]
    try:
        helm.run("pull", source.reference, *flags, f"--destination={folder}")
    except HelmError as error:
        folder.rmdir()
        raise PluginError(f"chart '{options.inputs['chart']}' cannot be fetched: {error}") from None
    return _archive_in(folder)


def _archive_in(folder: Path) -> Source:
    archive = next(folder.glob("*.tgz"))
    return Source(str(archive), version=str(metadata(archive).get("version") or ""))
