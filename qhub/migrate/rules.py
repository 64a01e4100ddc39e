"""A rule for a key of the old file, and how the file is walked by a table of rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qhub.migrate.moving import Moving, Path

#: What is done about a key: the migration, the key in the old file, its value, and where in ours it belongs below.
Rule = Callable[[Moving, Path, Any, Path], None]
#: Key of the old file -> its rule. `*` is any name or position.
Table = Mapping[str, Rule]
#: What is said of a value of another type than theirs.
ODD = "is not written as it is in their own documents: nothing was made of it"


def to(key: str, convert: Callable[[Any], Any] = lambda value: value, *, takes: Any = object) -> Rule:
    """The key has a counterpart of ours.

    Args:
        key: ours, below the section that is being filled.
        convert: makes our value of theirs.
        takes: type of value that `convert` takes; another is told.
    """

    def rule(moving: Moving, path: Path, value: Any, under: Path) -> None:
        moving.put((*under, *key.split(".")), convert(value))

    return of(takes, rule)


def of(takes: Any, rule: Rule) -> Rule:
    """The rule, applied to values of one type; null is passed over, and what is of another type is told."""

    def checked(moving: Moving, path: Path, value: Any, under: Path) -> None:
        if isinstance(value, takes):
            if value is not None:
                rule(moving, path, value, under)
        elif value is not None:
            moving.note("asked", path, ODD)

    return checked


def no_counterpart(advice: str, *, usual: tuple[Any, ...] = ()) -> Rule:
    """Nothing of ours does that. Said only where something is set: not for null, false, an empty value, or a usual one.

    Args:
        advice: what to do instead.
        usual: values that everybody has, about which nobody has to do anything.
    """
    return _noted("lost", advice, usual)


def needless(reason: str) -> Rule:
    """The key has no meaning any more."""
    return _noted("needless", reason, ())


def _noted(kind: Any, text: str, usual: tuple[Any, ...]) -> Rule:
    def rule(moving: Moving, path: Path, value: Any, under: Path) -> None:
        off = isinstance(value, Mapping) and value.get("enabled") is False
        if not off and value not in (None, False, "", {}, [], *usual):
            moving.note(kind, path, text)

    return rule


def walk(moving: Moving, table: Table, value: Any, *, path: Path = (), under: Path = (), top: int = 0) -> None:
    """Apply the rules of a table to everything in a value.

    Args:
        moving: the migration.
        table: the rules, whose keys start at `path[top:]`.
        value: what stands at `path`.
        path: key in the old file.
        under: where in ours it belongs.
        top: how many steps of `path` are above the table.
    """
    rule = _found(table, path[top:])
    moving.at = path
    leads_on = _leads_on(table, path[top:])
    if leads_on and (value in (None, {}, []) or isinstance(value, Mapping) or _is_list(table, path[top:], value)):
        entries = value.items() if isinstance(value, Mapping) else enumerate(value or [])
        for key, below in entries:
            walk(moving, table, below, path=(*path, key), under=under, top=top)
    elif rule is not None:
        rule(moving, path, value, under)
    elif leads_on:
        moving.note("asked", path, ODD)
    else:
        moving.note("lost", path, "is no key that is known here: nothing was made of it")


def _found(table: Table, path: Path) -> Rule | None:
    fitting = [key for key in table if _fits(key.split("."), path) and len(key.split(".")) == len(path)]
    # A name that is written out says more than one that may be any.
    return table[min(fitting, key=lambda key: key.count("*"))] if fitting else None


def _leads_on(table: Table, path: Path) -> bool:
    return any(len(key.split(".")) > len(path) and _fits(key.split("."), path) for key in table)


def _is_list(table: Table, path: Path, value: Any) -> bool:
    """Return whether a value is a list where one may be: its positions are any."""
    return isinstance(value, list) and _found(table, (*path, "*")) is not None


def _fits(steps: list[str], path: Path) -> bool:
    return all(step in ("*", str(part)) for step, part in zip(steps, path, strict=False))
