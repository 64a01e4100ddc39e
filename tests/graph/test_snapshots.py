"""The whole resource graph of each configuration is the one that was reviewed."""

from __future__ import annotations

import pytest

from tests.graph.configurations import SECRETS, record_configuration
from tests.graph.matrix import MATRIX, record_any
from tests.graph.snapshot import FOLDER, compare, render


@pytest.mark.parametrize("name", MATRIX)
def test_the_graph_is_the_one_that_was_reviewed(name: str) -> None:
    compare(name, record_any(name))


def test_two_runs_register_the_same() -> None:
    again = record_configuration("local", dask={})

    assert render(again) == render(record_configuration("local"))


def test_there_is_no_snapshot_of_a_configuration_that_is_gone() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(MATRIX)


def test_no_snapshot_holds_a_secret() -> None:
    for path in FOLDER.glob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert not [secret for secret in SECRETS.values() if secret in text], path.name
