"""Changing what our components send, for tests of what a cloud says to it."""

from __future__ import annotations

from typing import Any


def changed(inputs: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return inputs with values at dotted paths; as names of arguments, paths have `__` for the dot."""
    for path, value in changes.items():
        inputs = _changed(inputs, path.split("__"), value)
    return inputs


def _changed(tree: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    key, *rest = path
    return {**tree, key: _changed(tree.get(key, {}), rest, value) if rest else value}
