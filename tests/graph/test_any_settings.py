"""Any valid settings go through the program, and the values that come out are values that the real charts take."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from qhub.config import Settings
from tests.graph.any_settings import PLACES, written_settings
from tests.graph.clouds_azure import AnsweringMonitor
from tests.graph.configurations import KUBECONFIG, program_of
from tests.graph.matrix import record_any
from tests.graph.recorder import SIGNATURE_KEY, Monitor, Recording, record
from tests.unit.platform.reference import is_known, needs_reference, schema_errors, unknown_keys

WITH_SCHEMA = ("jupyterhub", "dask-gateway", "cert-manager", "traefik")
#: Examples for each kind of cluster: together they take less than a minute on a machine that does nothing else.
EXAMPLES = 6


def run(written: dict[str, Any]) -> Recording:
    """Run the program for settings as a person would write them."""
    provider = written["cluster"]["provider"]
    name = "configurations" if provider == "existing" else f"clouds_{provider}"
    module = importlib.import_module(f"tests.graph.{name}")
    with TemporaryDirectory() as root:
        (Path(root) / "kubeconfig").write_text(json.dumps(KUBECONFIG), encoding="utf-8")
        settings = Settings.model_validate({**written, "stack": "test", "root": Path(root)})
        monitor = AnsweringMonitor if provider == "azure" else Monitor
        return record(program_of(settings), outputs=module.OUTPUTS, monitor=monitor)


def in_clear(value: Any) -> Any:
    """Return values as Helm would get them: without the envelopes of secrets."""
    if isinstance(value, list):
        return [in_clear(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return in_clear(value["value"]) if SIGNATURE_KEY in value else {key: in_clear(item) for key, item in value.items()}


def refused(recording: Recording) -> dict[str, list[str]]:
    """Return what the real charts have against the values of each release."""
    found = {}
    for release in recording.of_type("kubernetes:helm.sh/v3:Release"):
        if not is_known(str(release.inputs["name"])):
            continue  # a release of the user's own, or a chart of which nothing is there to compare with
        chart, values = str(release.inputs["name"]), in_clear(release.inputs.get("values", {}))
        check = schema_errors if chart in WITH_SCHEMA else unknown_keys
        found[chart] = check(chart, values)
    return {chart: errors for chart, errors in found.items() if errors}


@needs_reference
@pytest.mark.parametrize("provider", PLACES)
@hypothesis_settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_the_real_charts_take_the_values(provider: str, data: st.DataObject) -> None:
    recording = run(data.draw(written_settings(provider)))

    assert recording.problems == []
    assert {release.name for release in recording.of_type("kubernetes:helm.sh/v3:Release")}
    assert refused(recording) == {}


@needs_reference
@pytest.mark.parametrize("cloud", ["aws", "gcp", "digitalocean", "azure"])
def test_the_real_charts_take_the_values_of_the_templates(cloud: str) -> None:
    recording = record_any(f"{cloud}-template")

    assert {"jupyterhub", "dask-gateway", "headlamp"} <= recording.outputs["releases"].keys()
    assert refused(recording) == {}


@needs_reference
def test_a_value_that_the_chart_does_not_know_is_found() -> None:
    """A check that finds nothing would pass above too."""
    written = {"domain": "qhub.localhost", "cluster": {"provider": "existing", **PLACES["existing"]}}
    recording = run({**written, "charts": {"jupyterhub": {"overrides": {"hub": {"nodeSelektor": {}}}}}})

    assert list(refused(recording)) == ["jupyterhub"]


@pytest.mark.parametrize("provider", PLACES)
def test_random_settings_keep_most_sections(provider: str) -> None:
    """Taking out what breaks a rule must not leave the defaults alone."""
    seen: set[str] = set()

    @hypothesis_settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(written=written_settings(provider))
    def draw(written: dict[str, Any]) -> None:
        sections = {name: inside for name, inside in written.items() if isinstance(inside, dict)}
        seen.update(f"{name}.{key}" for name, inside in sections.items() for key in inside)

    draw()
    assert len(seen) >= 25
