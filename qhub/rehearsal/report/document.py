"""The recording as a JSON document, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from qhub.rehearsal.report.costs import monthly_costs
from qhub.rehearsal.report.critical_path import critical_path
from qhub.rehearsal.report.recording import Failure, Node, Operation, Picture, Pod, Rehearsal, Step

#: Goes up when a field of the JSON document is renamed or taken away; new fields do not count.
SCHEMA = 1


def to_json(rehearsal: Rehearsal) -> dict[str, Any]:
    """Return the recording as plain data for JSON, with the number of its schema and what follows from it."""
    path = critical_path([one for one in rehearsal.operations if one.step == "up"])
    return {
        "schema": SCHEMA,
        **asdict(rehearsal),
        "seconds": rehearsal.seconds,
        "wall_seconds": rehearsal.wall_seconds,
        "critical_path": [{"urn": one.urn, "seconds": one.seconds} for one in path],
        "usd_per_month": {cost.moment: cost.usd for cost in monthly_costs(rehearsal)},
    }


def from_json(document: Mapping[str, Any]) -> Rehearsal:
    """Return the recording that `to_json` wrote, for instance to draw its page again.

    Raises:
        ValueError: the document is of another schema.
    """
    if document.get("schema") != SCHEMA:
        raise ValueError(f"a recording of schema {document.get('schema')}; this version reads {SCHEMA}")
    lists: dict[str, Any] = {"steps": Step, "operations": Operation, "failures": Failure}
    values: dict[str, Any] = {one.name: document[one.name] for one in fields(Rehearsal)}
    values |= {name: tuple(_made(kind, item) for item in document[name]) for name, kind in lists.items()}
    values["pictures"] = tuple(
        Picture(
            moment=one["moment"],
            nodes=tuple(_made(Node, node) for node in one["nodes"]),
            pods=tuple(_made(Pod, pod) for pod in one["pods"]),
        )
        for one in document["pictures"]
    )
    return _made(Rehearsal, values)


def _made(kind: Any, item: Mapping[str, Any]) -> Any:
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in item.items()})
