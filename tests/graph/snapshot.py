"""A recording as text that a person can review: committed, so that a change of the graph is seen in a diff."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from tests.graph.recorder import SECRET_SIGNATURE, SIGNATURE_KEY, Recording, Registered

FOLDER = Path(__file__).parent / "snapshots"

#: Set to 1, the tests write the snapshots instead of comparing them.
UPDATE_VARIABLE = "QHUB_UPDATE_SNAPSHOTS"

#: Longer texts (programs, configuration files) have tests of their own; here only a change is to be seen.
LONGEST_TEXT = 300


def render(recording: Recording) -> str:
    """Return a recording as JSON, sorted by URN, without the value of any secret."""
    resources = {urn: _resource(recording.resources[urn]) for urn in sorted(recording.resources)}
    return json.dumps({"resources": resources, "outputs": _masked(recording.outputs)}, indent=1, sort_keys=True) + "\n"


def compare(name: str, recording: Recording) -> None:
    """Compare a recording with its snapshot, or write that where it was asked for.

    Raises:
        AssertionError: they differ. A moved URN is a resource that `pulumi up` deletes and makes anew: it needs an
            alias in the program, not only a new snapshot.
    """
    path, text = FOLDER / f"{name}.json", render(recording)
    if os.environ.get(UPDATE_VARIABLE) == "1":
        path.write_text(text, encoding="utf-8")
        return
    assert path.is_file(), f"no snapshot {path.name}: run the tests once with {UPDATE_VARIABLE}=1 and review it"
    known, made = json.loads(path.read_text(encoding="utf-8")), json.loads(text)
    before, after = set(known["resources"]), set(made["resources"])
    hint = f"If that is meant, run with {UPDATE_VARIABLE}=1 and review the diff."
    assert after == before, (
        f"gone: {sorted(before - after)}; new: {sorted(after - before)}. A moved URN needs an alias. {hint}"
    )
    assert made == known, f"resources of {name} differ from {path.name}. {hint}"


def _resource(made: Registered) -> dict[str, Any]:
    """Return one resource: what the engine decides by, then the inputs."""
    said = {
        "parent": made.parent,
        "provider": made.provider,
        "protect": made.protect,
        "retainOnDelete": made.retain_on_delete,
        "ignoreChanges": list(made.ignore_changes),
        "dependencies": list(made.dependencies),
        "inputs": _masked(made.inputs),
    }
    return {key: value for key, value in said.items() if value}


def _masked(value: Any) -> Any:
    """Return plain data with secrets blotted out and long texts shortened to a hash."""
    if isinstance(value, dict):
        if value.get(SIGNATURE_KEY) == SECRET_SIGNATURE:
            return "<secret>"
        return {key: _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"<text, sha256 {hashlib.sha256(value.encode()).hexdigest()[:12]}>"
    return value
