"""The files that settings name, looked for. The models do not look: they only know what is written.

`os.path` is asked: it calls absent what cannot be looked at, as a name that is too long or what a closed folder has.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from qhub.config.model import Problem
from qhub.config.settings import Settings
from qhub.config.sources import PROJECT_FILE
from qhub.config.theme import is_address, logo_problem

_WHERE = f"relative paths start at the folder of {PROJECT_FILE}"


def missing_files(settings: Settings) -> Iterator[Problem]:
    """Yield what is wrong with the files that settings name."""
    mirror, logo = settings.charts.mirror, settings.jupyterhub.theme.logo
    if mirror is not None and "://" not in mirror and (wrong := _folder_problem(mirror, settings)):
        yield Problem(("charts", "mirror"), wrong)
    if logo is not None and not is_address(logo):
        wrong = home_problem(logo) or logo_problem(logo, settings.path(logo))
        if wrong:
            yield Problem(("jupyterhub", "theme", "logo"), wrong)
    for name, release in settings.extra_releases.items():
        if release.is_path and (wrong := _chart_problem(release.chart, settings)):
            yield Problem(("extra_releases", name, "chart"), wrong)
    # A kubeconfig may be made later, by what brings the cluster up.
    kubeconfig = getattr(settings.cluster, "kubeconfig", None)
    if kubeconfig is not None and (wrong := home_problem(kubeconfig)):
        yield Problem(("cluster", "kubeconfig"), wrong)


def home_problem(path: str) -> str | None:
    """Return what is wrong with a path that starts in somebody's home, `~ada/charts`; None for nothing."""
    try:
        Path(path).expanduser()
    except RuntimeError:
        return f'"{path}" starts in the home of a user that this machine does not have; {_WHERE}'
    return None


def is_chart(path: Path) -> bool:
    """Return whether there is a chart: a folder with a Chart.yaml, or a .tgz."""
    return os.path.isfile(path / "Chart.yaml") or (path.suffix == ".tgz" and os.path.isfile(path))  # noqa: PTH113


def _chart_problem(chart: str, settings: Settings) -> str | None:
    if wrong := home_problem(chart):
        return wrong
    if is_chart(settings.path(chart)):
        return None
    return f'"{chart}" is no folder with a Chart.yaml and no .tgz; {_WHERE}'


def _folder_problem(path: str, settings: Settings) -> str | None:
    if wrong := home_problem(path):
        return wrong
    there = os.path.isdir(settings.path(path))  # noqa: PTH112
    return None if there else f'there is no folder "{path}"; {_WHERE}'
