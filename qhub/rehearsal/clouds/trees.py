"""Reading and writing property trees by path, as the engine writes paths: `vpcConfig.subnetIds[0]`, `taints[*].key`."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from qhub.rehearsal.plugins.treediff import Path, format_path, parse_path

_parsed = functools.lru_cache(maxsize=4096)(parse_path)


def at(tree: Any, path: str) -> Any:
    """Return the value at a path, None where there is none."""
    for step in _parsed(path):
        if isinstance(tree, dict) and isinstance(step, str):
            tree = tree.get(step)
        elif isinstance(tree, list) and isinstance(step, int) and step < len(tree):
            tree = tree[step]
        else:
            return None
    return tree


def each(tree: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield (path, value) of everything that a path with `*` stands for and that is there."""
    for found, value in _each(tree, _parsed(path), ()):
        yield format_path(found), value


def _each(tree: Any, steps: Path, done: Path) -> Iterator[tuple[Path, Any]]:
    if not steps:
        yield done, tree
        return
    step, rest = steps[0], steps[1:]
    if isinstance(tree, dict):
        for key in tree if step == "*" else [step] if step in tree else []:
            yield from _each(tree[key], rest, (*done, key))
    elif isinstance(tree, list):
        for index in range(len(tree)) if step == "*" else [step] if isinstance(step, int) and step < len(tree) else []:
            yield from _each(tree[index], rest, (*done, index))


def put(tree: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy with `value` at a path of keys where nothing is; objects on the way must be there, or it is as is.

    A `*` step goes into every item.
    """
    return _put(tree, _parsed(path), value)


def _put(tree: Any, steps: Path, value: Any) -> Any:
    step, rest = steps[0], steps[1:]
    if isinstance(tree, dict):
        if step == "*":
            return {key: _put(item, rest, value) if rest else value for key, item in tree.items()}
        if not rest:
            return tree if tree.get(str(step)) is not None else {**tree, str(step): value}
        return {key: _put(item, rest, value) if key == step else item for key, item in tree.items()}
    if isinstance(tree, list):
        return [_put(item, rest, value) if rest and step in ("*", index) else item for index, item in enumerate(tree)]
    return tree
