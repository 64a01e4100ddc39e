"""The contract charts and the real ones make the same objects of the same values, but for a list with reasons.

It needs the real charts: see `tests/real_charts.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.graph.configurations import CONFIGURATIONS
from tests.real_charts import VARIABLE, charts_folder
from tests.unit.charts.objects import flat
from tests.unit.charts.rendering import CHARTS, every_key, render
from tests.unit.platform.building import all_values, make_settings

FOLDER = charts_folder()
pytestmark = pytest.mark.skipif(
    FOLDER is None, reason=f"NOT CHECKED against the real charts: {VARIABLE} names no folder that has them"
)

#: chart -> what may differ, `kind/name.path` as a regular expression -> why. All of it stands in docs/charts.md.
DIFFERS: dict[str, dict[str, str]] = {
    "jupyterhub": {
        r"ConfigMap/hub\.data\.": "Python of our own, and no names of parts that we do not have",
        r"Secret/hub\.data\.values\.yaml": "without the keys that we do not have",
        r"Deployment/hub.*\.checksum/(config-map|secret)": "of the two above",
        r"Deployment/proxy.*\.checksum/proxy-secret": "of a certificate, which the proxy does not have",
        r"Deployment/proxy.*\.httpGet\.scheme: 'HTTP'": "what Kubernetes fills in",
        r"NetworkPolicy/singleuser.*autohttps": "a proxy for TLS that we do not have",
        r"NetworkPolicy/(hub|proxy)\.spec\.ingress.*namespaceSelector": "{matchLabels: {}} and {} are the same",
        r"PriorityClass/.*(\.description|/release-name|/release-namespace)": "nobody reads them",
        r"PriorityClass/.*\.value: '1e\+06'": "the same number",
        r"StatefulSet/user-placeholder.*Affinity": "placeholders do not follow singleuser.extra*Affinity",
    },
    "dask-gateway": {
        r"ConfigMap/.*\.data\.": "Python of our own, and the values beside it instead of in it",
        r"Deployment/(api|controller)-.*\.checksum/": "of the above",
        r"Deployment/traefik-.*\.successThreshold: '1'": "what Kubernetes fills in",
        r"Service/api-.*8000": "what Kubernetes fills in: protocol TCP",
        r"ClusterRole/traefik-.*\.extensions/": "a group that no Kubernetes has any more",
    },
    "traefik": {
        r"ClusterRole/.*\.extensions/": "a group that no Kubernetes has any more",
        r"CustomResourceDefinition/": "QHub installs the chart without them",
        r"[A-Za-z]+/traefik\.metadata\.namespace": "the release's own",
        r"Deployment/.*GOMEMLIMIT": "a hint to Go's garbage collector",
        r"Deployment/.*\.hostNetwork: 'False'": "what Kubernetes fills in",
        r"PodDisruptionBudget/.*policy/v1beta1": "rendered without a cluster; in one it is policy/v1",
    },
}


def differences(chart: str, values: Mapping[str, Any]) -> Iterator[str]:
    """Yield `kind/name.path: real value, our value` for every leaf that is not the same."""
    assert FOLDER is not None
    real, ours = (render(chart, values, charts=charts) for charts in (FOLDER, CHARTS))
    for kind, name in sorted(real.keys() | ours.keys()):
        sides = [flat(side[kind, name]) if (kind, name) in side else {} for side in (real, ours)]
        if kind == "CustomResourceDefinition":  # their schemas are our own
            sides = [{"": bool(side)} if side else {} for side in sides]
        for path in sorted(sides[0].keys() | sides[1].keys()):
            one, other = (side.get(path, "nothing") for side in sides)
            if one != other:
                yield f"{kind}/{name}{path}: {str(one)[:200]!r}, ours {str(other)[:200]!r}"


def sent() -> list[tuple[str, str]]:
    """Return chart and configuration of everything that is compared."""
    return [(chart, name) for chart in DIFFERS for name in ("every key", *CONFIGURATIONS)]


def values_of(chart: str, name: str) -> dict[str, Any]:
    if name == "every key":
        return every_key(chart)
    return all_values(make_settings(**CONFIGURATIONS[name]))[chart]


@pytest.mark.parametrize(("chart", "name"), sent())
def test_same_objects_but_for_what_is_listed(chart: str, name: str) -> None:
    need(chart)
    found = [line for line in differences(chart, values_of(chart, name)) if why(chart, line) is None]

    assert not found, "\n".join(["not listed:", *found])


@pytest.mark.parametrize("chart", DIFFERS)
def test_what_is_listed_is_still_different(chart: str) -> None:
    need(chart)
    found = {why(chart, line) for _, name in sent() for line in differences(chart, values_of(chart, name))}

    assert set(DIFFERS[chart]) <= found


def why(chart: str, line: str) -> str | None:
    """Return the entry of the list that a difference falls under."""
    return next((listed for listed in DIFFERS[chart] if re.match(listed, line)), None)


def need(chart: str) -> None:
    """Skip where the folder does not have the chart."""
    assert FOLDER is not None
    if not (Path(FOLDER) / chart / "Chart.yaml").is_file():
        pytest.skip(f"NOT CHECKED against the real chart {chart}: {FOLDER} does not hold it")
