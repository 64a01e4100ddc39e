"""What the contract charts take, held against what the real charts take."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from tests.unit.charts.rendering import CHARTS, NAMES, chart_yaml, every_key, example_values, render
from tests.unit.charts.schemas import ANY, Schema, child, has_path, kinds, leaves, paths, resolve
from tests.unit.platform.reference import REFERENCE, VERSIONS, coalesced, defaults, needs_reference, schema_errors

WITH_SCHEMA = ("jupyterhub", "dask-gateway", "cert-manager", "traefik")

#: Example values for the real charts: chart -> files; later ones are laid over the first.
EXAMPLES = [
    ("jupyterhub", ("jupyterhub",)),
    ("dask-gateway", ("dask-gateway",)),
    ("cert-manager", ("cert-manager",)),
    ("traefik", ("traefik",)),
    ("cluster-autoscaler", ("cluster-autoscaler.aws",)),
    ("nvidia-device-plugin", ("nvidia-device-plugin",)),
    ("ingress-nginx", ("ingress-nginx.base",)),
    *(
        ("ingress-nginx", ("ingress-nginx.base", f"ingress-nginx.{where}"))
        for where in ("aws", "aws-lbc", "azure", "do", "gcp", "local")
    ),
]

#: Keys that have no default in the contract chart's values.yaml, for they have none in the real chart's either.
WITHOUT_DEFAULT: dict[str, set[str]] = {
    "jupyterhub": {
        f"{hooks}.{when}"
        for hooks in ("hub.lifecycle", "singleuser.lifecycleHooks")
        for when in ("postStart", "preStop")
    },
    "dask-gateway": set(),
    "cert-manager": {"acmesolver.image.tag", "serviceAccount", "serviceAccount.annotations"}
    | {
        f"{part}{key}"
        for part in ("", "webhook.", "cainjector.", "startupapicheck.")
        for key in ("image.tag", "podAnnotations")
    },
    "ingress-nginx": {"controller.admissionWebhooks.timeoutSeconds"}
    | {
        f"{image}.{key}"
        for image in ("controller.image", "controller.admissionWebhooks.patch.image")
        for key in ("registry", "repository")
    },
    "traefik": set(),
    "cluster-autoscaler": set(),
    "nvidia-device-plugin": set(),
    "kube-prometheus-stack": {"grafana.podAnnotations"},
}

#: Keys that no template names: taken in one go with the map around them, or, where the values.yaml says so, taken
#: because the real chart takes them and without a meaning here.
PROBE = {"initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold"}
NOT_NAMED = {
    "jupyterhub": PROBE | {"postStart", "preStop", "fullnameOverride", "https"},
    "dask-gateway": set(),
    "cert-manager": PROBE | {"successThreshold"},
    "ingress-nginx": {"failurePolicy", "timeoutSeconds", "patchWebhookJob"},
    "traefik": PROBE | {"successThreshold", "maxSurge", "ingressRoute"},
    "cluster-autoscaler": set(),
    "nvidia-device-plugin": set(),
    "kube-prometheus-stack": set(),
}


def schema_of(chart: str) -> dict[str, Any]:
    return json.loads((CHARTS / chart / "values.schema.json").read_text(encoding="utf-8"))


def real_schema_of(chart: str) -> Schema:
    file = REFERENCE / "schemas" / f"{chart}-{VERSIONS[chart]}.schema.json"
    return json.loads(file.read_text(encoding="utf-8"))


def named_paths(chart: str) -> list[tuple[str, Schema]]:
    schema = schema_of(chart)
    return list(paths(schema, schema))


class TestAContractChartsOwnSchema:
    @pytest.mark.parametrize("chart", NAMES)
    def test_is_a_schema(self, chart: str) -> None:
        jsonschema.Draft7Validator.check_schema(schema_of(chart))

    @pytest.mark.parametrize("chart", NAMES)
    def test_is_closed_wherever_it_names_keys(self, chart: str) -> None:
        schema = schema_of(chart)
        open_ones = [
            path
            for path, inner in [("", schema), *paths(schema, schema)]
            if inner.get("properties") and inner.get("additionalProperties") is not False
        ]

        # Any chart gets `global` from a chart above it, with keys of others in it.
        assert set(open_ones) <= {"global"}

    @pytest.mark.parametrize("chart", NAMES)
    def test_names_what_values_yaml_has_and_nothing_else(self, chart: str) -> None:
        values = chart_yaml(chart, "values.yaml")
        jsonschema.validate(values, schema_of(chart))
        missing = {path for path, _ in named_paths(chart) if not path.endswith(ANY) and f".{ANY}." not in path}

        assert {path for path in missing if not has_path(values, path)} == WITHOUT_DEFAULT[chart]

    @pytest.mark.parametrize("chart", NAMES)
    def test_every_key_is_tried_in_the_tests(self, chart: str) -> None:
        assert [path for path, _ in named_paths(chart) if not has_path(every_key(chart), path)] == []

    @pytest.mark.parametrize("chart", NAMES)
    def test_every_key_is_read_by_a_template_or_a_program(self, chart: str) -> None:
        files = [
            file for part in ("templates", "files") for file in (CHARTS / chart / part).rglob("*") if file.is_file()
        ]
        sources = "\n".join(file.read_text(encoding="utf-8") for file in files)
        last_keys = {path.rsplit(".", 1)[-1] for path, _ in named_paths(chart)} - {ANY}

        assert {key for key in last_keys if key not in sources} == NOT_NAMED[chart]


@needs_reference
class TestHeldAgainstTheRealCharts:
    @pytest.mark.parametrize(("chart", "files"), EXAMPLES)
    def test_the_example_values_are_taken(self, chart: str, files: tuple[str, ...]) -> None:
        values: dict[str, Any] = {}
        for file in files:
            values = coalesced(values, example_values(file))

        assert render(chart, values)

    @pytest.mark.parametrize("chart", WITH_SCHEMA)
    def test_what_we_take_the_real_chart_takes_too(self, chart: str) -> None:
        assert schema_errors(chart, every_key(chart)) == []

    @pytest.mark.parametrize("chart", WITH_SCHEMA)
    def test_the_real_schema_knows_every_key_with_every_type(self, chart: str) -> None:
        real = real_schema_of(chart)
        strange = []
        for path, inner in named_paths(chart):
            known: Schema | None = real
            for part in path.split("."):
                known = child(known, part, real) if known is not None else None
            if known is None:
                strange.append(f"{path}: unknown")
                continue
            ours, theirs = kinds(inner), kinds(resolve(known, real))
            if ours and theirs and not ours - {"integer"} <= theirs | ({"integer"} if "number" in theirs else set()):
                strange.append(f"{path}: {ours} where the real chart takes {theirs}")

        assert strange == []

    @pytest.mark.parametrize("chart", [name for name in NAMES if name not in WITH_SCHEMA])
    def test_the_defaults_of_a_chart_without_schema_know_every_key(self, chart: str) -> None:
        real = defaults(chart)
        strange = [path for path, _ in named_paths(chart) if not path.endswith(ANY) and not has_path(real, path)]

        # Its templates read them.
        assert set(strange) == WITHOUT_DEFAULT[chart]

    @pytest.mark.parametrize("chart", NAMES)
    def test_defaults_are_the_real_ones(self, chart: str) -> None:
        real = dict(leaves(defaults(chart)))
        other = {
            path: (value, real.get(path, "missing"))
            for path, value in leaves(chart_yaml(chart, "values.yaml"))
            if real.get(path, None if value is None else "missing") != value
        }

        assert other == {}
