"""Helm releases of the user's own: whatever chart they name, with whatever values, beside the platform."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_kubernetes.helm.v3 import Release

from qhub.config.files import is_chart
from qhub.config.namespace import GIVEN_NAMESPACES
from qhub.platform.chart_source import ChartError, ChartSource, version_of
from qhub.platform.helm import MAX_HISTORY
from qhub.platform.merging import deep_merge, has_null, tree
from qhub.platform.namespace import PlatformNamespace, PlatformNamespaceArgs

if TYPE_CHECKING:
    from qhub.config.extra_releases import ExtraRelease


@dataclass(frozen=True, kw_only=True)
class ExtraReleasesArgs:
    """What the releases are given.

    Attributes:
        releases: the `extra_releases` section.
        namespace: the platform's namespace, for those that name none.
        namespace_resource: its Namespace, for `depends_on`.
        own: the platform's releases by name, which others may wait for.
        project_root: folder of `Pulumi.yaml`, which relative charts start at.
        working_dir: folder the program runs in, against which Helm resolves a path.
    """

    releases: Mapping[str, ExtraRelease]
    namespace: str
    namespace_resource: pulumi.Resource
    own: Mapping[str, pulumi.Resource]
    project_root: Path
    working_dir: Path


class ExtraReleases(pulumi.ComponentResource):
    """The user's own Helm releases.

    Creates:
        a Namespace for each that is named, is not the platform's and is not in every cluster; a Helm release for each
        entry, called as its key: another order, or another entry, changes none of them.

    Raises:
        ChartError: there is no chart at a path.

    Attributes:
        releases: the Helm releases by name.
    """

    releases: dict[str, Release]

    def __init__(self, name: str, args: ExtraReleasesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:platform:ExtraReleases", name, None, opts)
        self._args, self.releases = args, {}
        self._namespaces = self._make_namespaces(name)
        for key in args.releases:
            self._make(name, key)
        self.register_outputs({})

    def _make_namespaces(self, name: str) -> dict[str, pulumi.Resource]:
        """Make the namespaces; return what has to be there before something is put into one."""
        args = self._args
        named = {release.namespace for release in args.releases.values()}
        made: dict[str, pulumi.Resource] = {args.namespace: args.namespace_resource}
        for namespace in sorted(one for one in named if one is not None and one != args.namespace):
            if namespace not in GIVEN_NAMESPACES:
                made[namespace] = PlatformNamespace(
                    f"{name}-namespace-{namespace}",
                    # What a chart of somebody else's needs is not known.
                    PlatformNamespaceArgs(name=namespace, pod_security="privileged"),
                    opts=pulumi.ResourceOptions(parent=self),
                ).namespace
        return made

    def _make(self, name: str, key: str) -> Release:
        """Make a release, after those that it waits for; a release that is there already is only returned."""
        if key in self.releases:
            return self.releases[key]
        args, release = self._args, self._args.releases[key]
        needs = [args.own[other] if other in args.own else self._make(name, other) for other in release.depends_on]
        namespace = release.namespace or args.namespace
        source = extra_chart_source(key, release, project_root=args.project_root, working_dir=args.working_dir)
        values = extra_values(release)
        self.releases[key] = Release(
            f"{name}-{key}",
            chart=source.chart,
            version=source.version or None,
            repository_opts={"repo": source.repository} if source.repository else None,
            name=key,
            namespace=namespace,
            values=values,
            timeout=release.timeout,
            atomic=release.atomic,
            cleanup_on_fail=True,
            max_history=MAX_HISTORY,
            allow_null_values=True if has_null(values) else None,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[*([self._namespaces[namespace]] if namespace in self._namespaces else []), *needs],
            ),
        )
        return self.releases[key]


def extra_values(release: ExtraRelease) -> dict[str, Any]:
    """Return the values of a release; those from `secret_values` are secret outputs."""
    values = dict(release.values)
    for path, secret in release.secret_values.items():
        values = deep_merge(values, tree(path, pulumi.Output.secret(secret.get_secret_value())))
    return values


def extra_chart_source(name: str, release: ExtraRelease, *, project_root: Path, working_dir: Path) -> ChartSource:
    """Return where the chart of a release comes from.

    Args:
        name: of the release, for the message.
        release: the settings.
        project_root: folder of `Pulumi.yaml`.
        working_dir: folder the Pulumi program runs in. A relative chart is handed on relative to it, so that no path of
            one machine gets into the state.

    Raises:
        ChartError: a chart is named by its path, and is not there or not in that version.
    """
    version = release.version or ""
    if not release.is_path:
        return ChartSource(chart=release.chart, version=version, repository=release.repository)
    key = f"extra_releases.{name}"
    stated = Path(release.chart).expanduser()
    chart = stated if stated.is_absolute() else project_root / stated
    about = chart / "Chart.yaml"
    if not is_chart(chart):
        raise ChartError(
            f"{key}.chart: {release.chart} is no folder with a Chart.yaml and no .tgz; relative paths "
            "start at the folder of Pulumi.yaml."
        )
    found = version_of(about.read_text(encoding="utf-8")) or "" if about.is_file() else version
    if version not in ("", found):
        # Helm ignores the version when it is given a path.
        raise ChartError(f"{key}.version is {version}, but {release.chart} holds version {found}.")
    handed = str(chart) if stated.is_absolute() else Path(os.path.relpath(chart, working_dir)).as_posix()
    return ChartSource(chart=handed, version=found)
