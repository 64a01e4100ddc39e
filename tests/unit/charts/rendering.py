"""The contract charts, and what `helm` makes of them."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml

from qhub.rehearsal.toolchain import ToolchainError, tool_path
from qhub.rehearsal.toolchain.modules import read_module
from qhub.rehearsal.toolchain.table import TOOLS
from tests.unit.platform.reference import REFERENCE

Objects = dict[tuple[str, str], dict[str, Any]]

CHARTS = Path(__file__).parents[3] / "qhub" / "rehearsal" / "charts"
NAMES = (
    "jupyterhub",
    "dask-gateway",
    "cert-manager",
    "ingress-nginx",
    "traefik",
    "cluster-autoscaler",
    "nvidia-device-plugin",
    "kube-prometheus-stack",
)

#: The Kubernetes that the embedded cluster runs.
KUBERNETES = read_module("kubernetes").version_of(TOOLS["kube-apiserver"])


def chart_yaml(chart: str, file: str = "Chart.yaml") -> dict[str, Any]:
    """Return a YAML or JSON file of a chart."""
    return yaml.safe_load((CHARTS / chart / file).read_text(encoding="utf-8"))


def every_key(chart: str) -> dict[str, Any]:
    """Return the values that have every key of the chart, most of them not at their default."""
    file = Path(__file__).parent / "values" / f"{chart}.yaml"
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def example_values(name: str) -> dict[str, Any]:
    """Return a file of example values for the real charts, which lie beside the checkout."""
    return yaml.safe_load((REFERENCE / "values" / f"{name}.yaml").read_text(encoding="utf-8"))


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run helm without a cluster; skip the test where there is no helm."""
    try:
        tool = tool_path("helm")
    except ToolchainError as error:
        pytest.skip(f"NOT CHECKED with helm: {error}")
    # Without a home of its own, helm would read the caches and plugins of whoever runs the tests.
    with TemporaryDirectory() as home:
        return subprocess.run(
            [str(tool), *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={"HOME": home, "KUBECONFIG": "/dev/null", "PATH": "/usr/bin:/bin"},
        )


@cache
def _template(charts: Path, chart: str, values: str, namespace: str) -> subprocess.CompletedProcess[str]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "values.json"
        file.write_text(values, encoding="utf-8")
        release = [chart, str(charts / chart), "--namespace", namespace]
        return helm("template", *release, "--kube-version", KUBERNETES, "--include-crds", "--values", str(file))


def template(
    chart: str, values: Mapping[str, Any], *, namespace: str = "qhub", charts: Path = CHARTS
) -> subprocess.CompletedProcess[str]:
    """Return what `helm template` said; the release is called as the chart."""
    return _template(charts, chart, json.dumps(values), namespace)


def text(chart: str, values: Mapping[str, Any], *, namespace: str = "qhub", charts: Path = CHARTS) -> str:
    """Return the rendered chart as text; fail the test where helm refuses."""
    done = template(chart, values, namespace=namespace, charts=charts)
    assert done.returncode == 0, done.stderr
    return done.stdout


def render(chart: str, values: Mapping[str, Any], *, namespace: str = "qhub", charts: Path = CHARTS) -> Objects:
    """Return the objects of a chart by (kind, name); no two may have both in common."""
    found = [item for item in yaml.safe_load_all(text(chart, values, namespace=namespace, charts=charts)) if item]
    objects = {(item["kind"], item["metadata"]["name"]): item for item in found}
    assert len(objects) == len(found), "two objects of one kind and name"
    return objects


def refusal(chart: str, values: Mapping[str, Any]) -> str:
    """Return what helm says against these values; fail the test where it takes them."""
    done = template(chart, values)
    assert done.returncode != 0, "helm took it"
    return done.stderr


def pods(objects: Objects) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the pod template of every workload."""
    return {key: item["spec"]["template"] for key, item in objects.items() if "template" in item.get("spec", {})}


def changed(values: Mapping[str, Any], path: str, value: object) -> dict[str, Any]:
    """Return values with the one at a dotted path replaced."""
    made = copy.deepcopy(dict(values))
    *parents, last = path.split(".")
    place = made
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value
    return made
