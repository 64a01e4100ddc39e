"""Which chart a rehearsal installs for a Helm release of the user's own.

| the chart is | and the platform's charts are | installed |
|---|---|---|
| a folder or an archive | any | itself |
| in a repository or a registry | our contract charts | an empty one: namespace and order are rehearsed |
| in a repository or a registry | from a mirror of the user's own | itself, from where it says |

A rehearsal on our own charts reaches nothing outside this machine; of a chart out there it says that it was left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import qhub.rehearsal
from qhub.config import Settings
from qhub.config.extra_releases import ExtraRelease

#: Folder of our own charts.
CHARTS = Path(qhub.rehearsal.__file__).parent / "charts"
#: On each of our own charts.
CONTRACT_CHART = 'qhub.dev/contract-chart: "true"'
#: The empty one. It has no version that anybody asks for.
STAND_IN = CHARTS / "extra-release"


def on_contract_charts(settings: Settings) -> bool:
    """Tell whether a rehearsal takes our own charts for the platform's."""
    mirror = settings.charts.mirror
    if mirror is None:
        return True
    folder = settings.path(mirror)
    return any(CONTRACT_CHART in chart.read_text(encoding="utf-8") for chart in folder.glob("*/Chart.yaml"))


def extra_charts(settings: Settings) -> dict[str, Path]:
    """Return the chart of each release that a rehearsal gives another place: its folder in full, or the empty one.

    The project's copy in which the program runs has no other folder of the project's.
    """
    return {
        name: settings.path(release.chart) if release.is_path else STAND_IN
        for name, release in settings.extra_releases.items()
        if release.is_path or on_contract_charts(settings)
    }


def not_rehearsed(settings: Settings) -> Iterator[str]:
    """Yield what a report says of each release whose chart is the empty one."""
    for name, chart in extra_charts(settings).items():
        if chart == STAND_IN:
            yield (
                f"NOT REHEARSED: release {name}: its chart, {_named(settings.extra_releases[name])}, is not on this "
                "machine, and an empty one took its place. Whether it takes its values, and finds room, was not seen: "
                f"`helm pull --untar` it and name the folder in extra_releases.{name}.chart"
            )


def _named(release: ExtraRelease) -> str:
    where = f" of {release.repository}" if release.repository else ""
    return f"{release.chart} {release.version}{where}"
