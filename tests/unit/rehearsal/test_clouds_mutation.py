"""Mistakes put into what our components send to a cloud: what the provider's types forbid is told, all of it."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

import pytest

from qhub.rehearsal.clouds.mutation import Report, mutate
from qhub.rehearsal.clouds.schema import load_schema
from qhub.rehearsal.plugins.wire import UNKNOWN, Secret

#: Cloud -> package and SDK.
CLOUDS = {
    "aws": ("aws", "pulumi_aws"),
    "azure": ("azure-native", "pulumi_azure_native"),
    "digitalocean": ("digitalocean", "pulumi_digitalocean"),
    "gcp": ("gcp", "pulumi_gcp"),
}


@cache
def report_of(cloud: str) -> Report:
    """Return what came of every mistake in every configuration of a cloud's components."""
    package, sdk = CLOUDS[cloud]
    configurations = importlib.import_module(f"tests.graph.clouds_{cloud}")
    resources = [
        (made.type, tree(made.inputs))
        for name in configurations.CONFIGURATIONS
        for made in configurations.record_configuration(name).resources.values()
        if made.type.startswith(f"{package}:")
    ]
    schema = load_schema(package=package, sdk=sdk, tokens={token for token, _ in resources})
    return mutate(schema, resources)


def tree(value: Any) -> Any:
    """Return recorded inputs as a property tree."""
    from tests.graph.recorder import SECRET_SIGNATURE, SIGNATURE_KEY

    if isinstance(value, list):
        return [tree(item) for item in value]
    if isinstance(value, dict):
        if value.get(SIGNATURE_KEY) == SECRET_SIGNATURE:
            return Secret(tree(value["value"]))
        return {key: tree(item) for key, item in value.items()}
    return UNKNOWN if value == "<unknown>" else value


@pytest.mark.parametrize("cloud", CLOUDS)
class TestMistakesInWhatIsSent:
    def test_everything_that_the_types_forbid_is_told(self, cloud: str) -> None:
        report = report_of(cloud)
        assert [str(mutant) for mutant in report.missed] == []

    def test_nothing_is_told_that_the_types_allow(self, cloud: str) -> None:
        assert [str(mutant) for mutant in report_of(cloud).strict] == []

    def test_most_mistakes_are_of_the_kind_that_types_forbid(self, cloud: str) -> None:
        report = report_of(cloud)
        kinds = {mutant.kind for mutant in report.caught}
        assert kinds == {"drop", "rename", "retype"}
        assert len(report.caught) > report.made / 2
        assert any("." in mutant.path for mutant in report.caught), "nested ones too"
