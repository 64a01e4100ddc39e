"""The real charts' schemas and default values, which lie beside the checkout and are not part of it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

#: The folder that QHUB_CHART_REFERENCE names, else `<checkout>/../shared/reference/charts`. It is too large to commit,
#: and other people's work.
REFERENCE = Path(
    os.environ.get("QHUB_CHART_REFERENCE") or Path(__file__).parents[4] / "shared" / "reference" / "charts"
)

#: Chart, version -> what is known of it: its schema, or only its defaults.
VERSIONS = {
    "jupyterhub": "4.4.0",
    "dask-gateway": "2026.3.0",
    "cert-manager": "v1.21.1",
    "traefik": "41.3.0",
    "ingress-nginx": "4.15.1",
    "cluster-autoscaler": "9.59.0",
    "nvidia-device-plugin": "0.20.0",
    "kube-prometheus-stack": "88.5.3",
}

#: Paths below which a chart takes any key: maps that go as they are into Kubernetes or into a program's own
#: configuration. The list is for the charts that have no schema; `*` stands for one key.
FREE_FORM = {
    "cluster-autoscaler": ("extraArgs", "nodeSelector", "resources"),
    "nvidia-device-plugin": ("affinity", "nodeSelector", "resources"),
    "kube-prometheus-stack": (
        "grafana.env",
        "prometheus.prometheusSpec.resources",
        "prometheus.prometheusSpec.storageSpec",
        *(
            f"{part}.{key}"
            for part in (
                "prometheusOperator",
                "prometheusOperator.prometheusConfigReloader",
                "prometheus.prometheusSpec",
                "grafana",
                "grafana.sidecar",
                "kube-state-metrics",
                "prometheus-node-exporter",
            )
            for key in ("resources", "nodeSelector")
        ),
    ),
    "ingress-nginx": (
        "controller.podLabels",
        "controller.extraArgs",
        "controller.config",
        "controller.nodeSelector",
        "controller.resources",
        "controller.admissionWebhooks.patch.nodeSelector",
        "controller.admissionWebhooks.createSecretJob.resources",
        "controller.admissionWebhooks.patchWebhookJob.resources",
    ),
}

needs_reference = pytest.mark.skipif(
    not REFERENCE.is_dir(),
    reason=f"NOT CHECKED against the real charts: their schemas and defaults are not in {REFERENCE}",
)


def is_known(chart: str) -> bool:
    """Return whether the default values of a chart are there to compare with."""
    return chart in VERSIONS and _defaults_file(chart).is_file()


def _defaults_file(chart: str) -> Path:
    return REFERENCE / "defaults" / f"{chart}-{VERSIONS[chart]}.values.yaml"


@cache
def defaults(chart: str) -> dict[str, Any]:
    """Return the default values of a chart, those of charts inside it below their names; skip the test without them."""
    file = _defaults_file(chart)
    if not file.is_file():
        pytest.skip(f"NOT CHECKED against the real chart {chart}: its defaults are not in {file}")
    return yaml.safe_load(file.read_text(encoding="utf-8"))


@cache
def _validator(chart: str) -> Any:
    file = REFERENCE / "schemas" / f"{chart}-{VERSIONS[chart]}.schema.json"
    schema = json.loads(file.read_text(encoding="utf-8"))
    return jsonschema.validators.validator_for(schema)(schema)


def coalesced(below: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values laid over a chart's defaults as Helm does it: a null takes a default away."""
    made = dict(below)
    for key, value in values.items():
        if value is None:
            made.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(made.get(key), Mapping):
            made[key] = coalesced(made[key], value)
        else:
            made[key] = value
    return made


def schema_errors(chart: str, values: Mapping[str, Any]) -> list[str]:
    """Return what the chart's schema has against values, as Helm would say it at install time."""
    found = _validator(chart).iter_errors(coalesced(defaults(chart), values))
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in found]


def unknown_keys(chart: str, values: Mapping[str, Any]) -> list[str]:
    """Return the paths in `values` that the chart's defaults do not know, free-form maps left out."""
    return list(_unknown(values, defaults(chart), FREE_FORM.get(chart, ()), ""))


def _unknown(values: Mapping[str, Any], known: Any, free: tuple[str, ...], path: str) -> Any:
    for key, value in values.items():
        here = f"{path}{key}"
        if not isinstance(known, Mapping) or key not in known:
            yield here
        elif isinstance(value, Mapping) and here not in free:
            yield from _unknown(value, known[key], free, f"{here}.")
