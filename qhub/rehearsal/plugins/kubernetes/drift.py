"""What a refresh makes of an object: the program's own fields, with the values they have in the cluster."""

from __future__ import annotations

from typing import Any

_IGNORED = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink")


def drifted_inputs(inputs: Any, live: Any, applied: Any) -> Any:
    """Return the inputs with the values that somebody else changed since.

    Args:
        inputs: what was asked for.
        live: what is there.
        applied: what would be there if the inputs were applied now (a server-side dry run). Where it equals
            `live`, nothing has drifted, however differently the server spells the value (`0.5` and `500m`, `data`
            for `stringData`, defaults); `None`: not known, compare the spelling.
    """
    if applied is not None and _plain(applied) == _plain(live):
        return inputs
    if isinstance(inputs, dict) and isinstance(live, dict):
        known = applied if isinstance(applied, dict) else {}
        return {
            key: drifted_inputs(value, live[key], known.get(key)) if key in live else value
            for key, value in inputs.items()
            if key in live or (applied is not None and key not in known)  # write-only fields such as `stringData`
        }
    if isinstance(inputs, list) and isinstance(live, list) and len(inputs) == len(live):
        known_items = applied if isinstance(applied, list) and len(applied) == len(live) else [None] * len(live)
        return [drifted_inputs(*items) for items in zip(inputs, live, known_items, strict=True)]
    return inputs if inputs == live else live


def _plain(tree: Any) -> Any:
    """Return the tree without the parts of `metadata` that change with every write."""
    if isinstance(tree, dict):
        return {key: value for key, value in tree.items() if key not in _IGNORED}
    return tree


def imported_inputs(live: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs of an object that no program has described yet: all of it but what the server keeps."""
    found = {key: value for key, value in live.items() if key not in ("status", "metadata")}
    kept = {key: value for key, value in (live.get("metadata") or {}).items() if key not in _IGNORED}
    notes = {
        key: value
        for key, value in (kept.pop("annotations", None) or {}).items()
        if key not in ("kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision")
    }
    found["metadata"] = {**kept, **({"annotations": notes} if notes else {})}
    return found
