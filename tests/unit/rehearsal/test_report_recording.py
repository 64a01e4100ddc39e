"""The recording as JSON, and what is worked out from it."""

from __future__ import annotations

import json

import pytest

from qhub.rehearsal.report import Rehearsal, from_json, to_json
from qhub.rehearsal.report.costs import monthly_cost
from qhub.rehearsal.report.recording import Picture
from tests.unit.rehearsal.recordings import FAILED, PASSED, node

#: The document's keys. Programs read them: a key may be added; one that goes or changes needs a new schema number.
KEYS = {
    "": {
        "schema", "stack", "file", "provider", "region", "started", "speed", "passed", "steps", "operations",
        "resources", "pictures", "failures", "notes", "simulated", "seconds", "wall_seconds", "critical_path",
        "usd_per_month",
    },
    "steps": {"name", "title", "start", "seconds", "wall_seconds", "passed", "told"},
    "operations": {"step", "urn", "type", "name", "op", "start", "end", "depends_on", "waited_for"},
    "pictures": {"moment", "nodes", "pods"},
    "failures": {"step", "what", "message", "key", "hint"},
    "critical_path": {"urn", "seconds"},
}  # fmt: skip


class TestJson:
    def test_the_keys_are_those_that_programs_read(self) -> None:
        document = to_json(FAILED)
        assert document["schema"] == 1
        assert set(document) == KEYS[""]
        for name, keys in KEYS.items():
            if name:
                assert set(document[name][0]) == keys, name

    @pytest.mark.parametrize("recording", [PASSED, FAILED], ids=["passed", "failed"])
    def test_it_is_read_back_as_it_was(self, recording: Rehearsal) -> None:
        assert from_json(json.loads(json.dumps(to_json(recording)))) == recording

    def test_another_schema_is_refused(self) -> None:
        with pytest.raises(ValueError, match="schema 99"):
            from_json({**to_json(PASSED), "schema": 99})


class TestCosts:
    def test_a_month_has_730_hours(self) -> None:
        assert to_json(PASSED)["usd_per_month"] == {"idle": pytest.approx(73.0), "peak": pytest.approx(365.0)}

    def test_a_node_without_a_price_is_counted_and_not_guessed(self) -> None:
        cost = monthly_cost(Picture(moment="idle", nodes=(node("a", "p", 1.0), node("b", "p", None)), pods=()))
        assert (cost.usd, cost.unpriced) == (pytest.approx(730.0), 1)

    def test_no_price_at_all_is_not_zero(self) -> None:
        assert monthly_cost(Picture(moment="idle", nodes=(node("a", "p", None),), pods=())).usd is None
