"""Values of charts as trees: laying one over another, and setting one value. No Pulumi in here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def deep_merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `over` laid on it: maps are merged key by key, everything else is replaced.

    A null in `over` stays a null: Helm then deletes the chart's own default too.
    """
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both_maps = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = deep_merge(below, value) if both_maps else value
    return merged


def has_null(value: object) -> bool:
    """Tell whether there is a null anywhere in `value`."""
    if isinstance(value, Mapping):
        return any(has_null(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(has_null(item) for item in value)
    return value is None


def tree(path: str, value: object) -> dict[str, Any]:
    """Return values that have one value, under a dotted path."""
    first, dot, rest = path.partition(".")
    return {first: tree(rest, value) if dot else value}
