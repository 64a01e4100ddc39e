"""The difference of two property trees, path by path, and what of it asks for a replacement.

Paths are written as the engine writes them: `spec.containers[0].image`, `metadata.labels["app.kubernetes.io/name"]`.
"""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Iterable
from typing import Any

from qhub.rehearsal.plugins._proto import provider_pb2
from qhub.rehearsal.plugins.wire import UNKNOWN, Secret, reveal

Path = tuple[str | int, ...]


class Change(enum.Enum):
    """What happened to a value."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


@dataclasses.dataclass(frozen=True)
class Difference:
    """One changed value: where, and how."""

    path: Path
    change: Change

    def __str__(self) -> str:
        return format_path(self.path)


_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")


def format_path(path: Path) -> str:
    """Return a path in the engine's notation."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            quoted = step.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{quoted}"]'
    return text


_STEP = re.compile(r"""\.?(?P<key>[^.\[\]"]+)|\[(?P<index>\d+)\]|\["(?P<quoted>(?:[^"\\]|\\.)*)"\]|\[(?P<star>\*)\]""")


def parse_path(text: str) -> Path:
    """Return a path from the engine's notation; `*` stays a step that matches any.

    Raises:
        ValueError: not a path.
    """
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise ValueError(f"not a property path: {text!r}, at character {position + 1}")
        if match["index"] is not None:
            steps.append(int(match["index"]))
        elif match["quoted"] is not None:
            steps.append(re.sub(r"\\(.)", r"\1", match["quoted"]))
        else:
            steps.append(match["key"] if match["key"] is not None else "*")
        position = match.end()
    return tuple(steps)


def covers(pattern: Path, path: Path) -> bool:
    """Say whether `path` lies at or below `pattern`; a `*` step of the pattern matches any step."""
    return len(pattern) <= len(path) and all(wanted in ("*", step) for wanted, step in zip(pattern, path, strict=False))


def touches(pattern: Path, path: Path) -> bool:
    """Say whether a change at `path` changes anything at, above or below `pattern`."""
    return covers(pattern, path) or covers(path, pattern[: len(path)]) or covers(pattern[: len(path)], path)


def differences(old: Any, new: Any, path: Path = ()) -> list[Difference]:
    """Return what changed from `old` to `new`, as deep as it can be told.

    A value that turns unknown counts as changed. Whether a value is secret is no difference.
    """
    old, new = _bare(old), _bare(new)
    if isinstance(old, dict) and isinstance(new, dict):
        found: list[Difference] = []
        for key in [*old, *(key for key in new if key not in old)]:
            step = (*path, key)
            if key not in new:
                found.append(Difference(step, Change.DELETE))
            elif key not in old:
                found.append(Difference(step, Change.ADD))
            else:
                found.extend(differences(old[key], new[key], step))
        return found
    if isinstance(old, list) and isinstance(new, list):
        return _list_differences(old, new, path)
    if old is UNKNOWN or new is UNKNOWN or not _same(old, new):
        return [Difference(path, Change.UPDATE)]
    return []


def _list_differences(old: list[Any], new: list[Any], path: Path) -> list[Difference]:
    found: list[Difference] = []
    for index in range(max(len(old), len(new))):
        step = (*path, index)
        if index >= len(new):
            found.append(Difference(step, Change.DELETE))
        elif index >= len(old):
            found.append(Difference(step, Change.ADD))
        else:
            found.extend(differences(old[index], new[index], step))
    return found


def _bare(node: Any) -> Any:
    while isinstance(node, Secret):
        node = node.value
    return node


def _same(old: Any, new: Any) -> bool:
    # True == 1 in Python, not in a manifest.
    return isinstance(old, bool) == isinstance(new, bool) and reveal(old) == reveal(new)


def without(found: Iterable[Difference], ignored: Iterable[str]) -> list[Difference]:
    """Return the differences that none of the `ignoreChanges` paths covers."""
    patterns = [parse_path(text) for text in ignored]
    return [one for one in found if not any(covers(pattern, one.path) for pattern in patterns)]


def with_value_of(tree: Any, other: Any, path: Path) -> Any:
    """Return `tree` with the value at `path` taken from `other`, where both have one; `*` stands for every step."""
    if isinstance(tree, Secret):
        return Secret(with_value_of(tree.value, other, path))
    if not path:
        return other
    step, rest = path[0], path[1:]
    if isinstance(tree, dict) and isinstance(other, dict):
        return {
            key: with_value_of(value, other[key], rest) if step in ("*", key) and key in other else value
            for key, value in tree.items()
        }
    if isinstance(tree, list) and isinstance(other, list):
        return [
            with_value_of(value, other[index], rest) if step in ("*", index) and index < len(other) else value
            for index, value in enumerate(tree)
        ]
    return tree


def response(found: Iterable[Difference], *, replaced_by: Iterable[Path], delete_first: bool) -> Any:
    """Return the protocol's answer to `Diff`.

    Args:
        found: the differences.
        replaced_by: places where a change cannot be made in place.
        delete_first: whether a replacement must delete before it creates (the name is taken).
    """
    kinds = provider_pb2.PropertyDiff
    plain = {Change.ADD: kinds.ADD, Change.DELETE: kinds.DELETE, Change.UPDATE: kinds.UPDATE}
    replacing = {
        Change.ADD: kinds.ADD_REPLACE,
        Change.DELETE: kinds.DELETE_REPLACE,
        Change.UPDATE: kinds.UPDATE_REPLACE,
    }
    patterns = list(replaced_by)
    answer = provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE, hasDetailedDiff=True)
    for one in found:
        key = str(one)
        replace = any(touches(pattern, one.path) for pattern in patterns)
        kind = (replacing if replace else plain)[one.change]
        answer.detailedDiff[key].CopyFrom(provider_pb2.PropertyDiff(kind=kind, inputDiff=True))
        answer.changes = provider_pb2.DiffResponse.DIFF_SOME
        top = str(one.path[0])
        if top not in answer.diffs:
            answer.diffs.append(top)
        if replace:
            answer.replaces.append(key)
    answer.deleteBeforeReplace = delete_first and bool(answer.replaces)
    return answer
