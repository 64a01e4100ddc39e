"""Whatever the settings are, the values we send are values that the real charts take."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from tests.graph.configurations import CONFIGURATIONS
from tests.unit.platform.building import all_values, make_settings
from tests.unit.platform.reference import is_known, needs_reference, schema_errors, unknown_keys
from tests.unit.platform.strategies import written_settings

pytestmark = needs_reference

WITH_SCHEMA = ("jupyterhub", "dask-gateway", "cert-manager", "traefik")
WITHOUT_SCHEMA = ("ingress-nginx", *(chart for chart in ("kube-prometheus-stack",) if is_known(chart)))


class TestTheConfigurationsOfTheGraphTests:
    @pytest.mark.parametrize("chart", WITH_SCHEMA)
    @pytest.mark.parametrize("name", CONFIGURATIONS)
    def test_fit_the_schema(self, name: str, chart: str) -> None:
        assert schema_errors(chart, all_values(make_settings(**CONFIGURATIONS[name]))[chart]) == []

    @pytest.mark.parametrize("chart", WITHOUT_SCHEMA)
    @pytest.mark.parametrize("name", CONFIGURATIONS)
    def test_have_no_key_that_a_chart_without_schema_does_not_know(self, name: str, chart: str) -> None:
        assert unknown_keys(chart, all_values(make_settings(**CONFIGURATIONS[name]))[chart]) == []


class TestTheChecksThemselves:
    """A check that accepts everything would pass above too."""

    def test_a_schema_refuses_an_unknown_key(self) -> None:
        assert schema_errors("jupyterhub", {"hub": {"nodeSelektor": {}}}) != []

    def test_a_schema_refuses_a_wrong_type(self) -> None:
        assert schema_errors("dask-gateway", {"gateway": {"backend": {"environment": {"A": 1}}}}) != []

    def test_the_walk_names_an_unknown_key_deep_inside(self) -> None:
        assert unknown_keys("ingress-nginx", {"controller": {"admissionWebhooks": {"porf": 1}}}) == [
            "controller.admissionWebhooks.porf"
        ]

    def test_the_walk_lets_any_key_into_a_free_map(self) -> None:
        assert unknown_keys("ingress-nginx", {"controller": {"podLabels": {"example.org/a": "b"}}}) == []


@hypothesis_settings(max_examples=60)
@given(written=written_settings())
def test_any_valid_settings_give_values_that_the_charts_take(written: dict[str, Any]) -> None:
    values = all_values(make_settings(**written))

    assert {chart: schema_errors(chart, values[chart]) for chart in WITH_SCHEMA} == {chart: [] for chart in WITH_SCHEMA}
    assert {chart: unknown_keys(chart, values[chart]) for chart in WITHOUT_SCHEMA} == {
        chart: [] for chart in WITHOUT_SCHEMA
    }
