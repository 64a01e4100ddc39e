"""What `qhub explain` says: one key in full, or the keys that were probably meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from qhub.config.describe import ANY_ITEM, ANY_NAME, Key, all_keys
from qhub.config.judge import set_secret
from qhub.config.model import Fixed, Path, parse_key
from qhub.config.nearest import nearest


class UnknownKeyError(ValueError):
    """There is no such key. The message names those that were probably meant."""


def explain(text: str) -> str:
    """Return what a key is, as a person reads it in a terminal.

    Args:
        text: the key as it stands in a message or a stack file: `jupyterhub.profiles[0].cpu`, `users.alice.uid`,
            `qhub:storage`. Positions and names may be left out. "" lists the sections.

    Raises:
        UnknownKeyError: there is no such key.
    """
    keys = all_keys()
    named = text.removeprefix("qhub:")
    if not named:
        return "\n".join(_listed([key for key in keys if len(key.path) == 1], keys=keys))
    path = parse_key(named.replace(ANY_ITEM, ""))
    if not path:
        raise UnknownKeyError(f'there is no key "{text}"; `qhub explain` lists the sections')
    found = [key for key in keys if _means(path, key.path)]
    # One item of a map or list has no description of its own: what holds it says what it is.
    found = found or [key for key in keys if key.holds_many and _means(path[:-1], key.path)]
    if not found:
        raise UnknownKeyError(_unknown(text, path, keys))
    told = [_told(key, when, text=path, keys=keys) for key, when in _distinct(found, keys)]
    return "\n\n".join("\n".join(lines) for lines in told)


def value_text(value: Any) -> str:
    """Return a default as YAML on one line."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {value_text(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(value_text, value)) + "]"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if isinstance(value, int) else _text(value)


def _text(value: str) -> str:
    number = value.replace(".", "", 1).replace("-", "").replace(":", "").isdigit()
    special = not value or number or any(sign in value for sign in (": ", "#", "{", ",", "*")) or value[0] in "/[&!@"
    return f'"{value}"' if special and value != "/" else value


def _means(path: Path, pattern: Sequence[str]) -> bool:
    """Return whether a written key means one of the models'; names of maps and positions may be left out."""
    if not pattern:
        return not path
    first, rest = pattern[0], pattern[1:]
    if first in (ANY_NAME, ANY_ITEM):
        taken = bool(path) and (isinstance(path[0], int) or path[0] == first or first == ANY_NAME)
        return _means(path, rest) or (taken and _means(path[1:], rest))
    return bool(path) and path[0] == first and _means(path[1:], rest)


def _told(key: Key, when: str, *, text: Path, keys: Sequence[Key]) -> Iterator[str]:
    yield f"{key.name}{f'   (with {when})' if when else ''}"
    yield f"    {key.description}"
    yield f"    Expected: {key.expected}{', or null' if key.nullable else ''}"
    if key.required:
        yield "    It has to be there."
    elif not key.computed:
        yield f"    Default: {value_text(key.default)}"
    if key.fixed is not None:
        yield f"    {fixed_text(key.fixed)}"
    below = [one for one in keys if _is_next(one, key)]
    if below:
        yield "    Keys:"
        yield from (f"    {line}" for line in _listed(below, keys=keys, under=key))
    elif key.secret:
        yield f"    To set it: {set_secret(text)}"
    elif key.holds_secrets:
        one = text if text[-1] != key.path[-1] else (*text, ANY_NAME)
        yield f"    To set one: {set_secret(one)}"


def fixed_text(fixed: Fixed) -> str:
    """Return what is to be known about changing a setting once the stack is up."""
    if fixed.grows or fixed.order:
        return f"Once the stack is up: {fixed.text}."
    but = ", except for a range around it" if fixed.widens else ""
    return f"It cannot be changed once the stack is up{but}: {fixed.text}."


def _is_next(one: Key, key: Key) -> bool:
    if one.path[: len(key.path)] != key.path or (key.when and one.when != key.when):
        return False
    return len([step for step in one.path[len(key.path) :] if step not in (ANY_NAME, ANY_ITEM)]) == 1


def _listed(some: Sequence[Key], *, keys: Sequence[Key], under: Key | None = None) -> Iterator[str]:
    depth = len(under.path) if under else 0
    lines: dict[str, str] = {}
    for key, when in _distinct(some, keys):
        name = ".".join(step for step in key.path[depth:] if step not in (ANY_NAME, ANY_ITEM))
        own = when and when != (under.when if under else "")
        lines.setdefault(name, f"{key.description} (with {when})" if own else key.description)
    width = max(map(len, lines))
    yield from (f"{name:<{width}}  {words}" for name, words in lines.items())


def _distinct(found: Sequence[Key], keys: Sequence[Key]) -> list[tuple[Key, str]]:
    """Return what was found, each text once, and with what it is there: what all variants share is always there."""
    texts: dict[tuple[str, str, str], list[Key]] = {}
    for key in found:
        texts.setdefault((key.name, key.description, value_text(key.default)), []).append(key)
    return [(same[0], _condition(same, keys)) for same in texts.values()]


def _condition(same: Sequence[Key], keys: Sequence[Key]) -> str:
    whens = list(dict.fromkeys(key.when for key in same))
    choice = whens[0].partition(":")[0]
    every = {key.when for key in keys if key.path[0] == same[0].path[0] and key.when.partition(":")[0] == choice}
    if set(whens) == every:
        return "" if len(every) > 1 else whens[0]
    return f"{choice}: {', '.join(when.partition(': ')[2] for when in whens)}" if choice else ""


def _unknown(text: str, path: Path, keys: Sequence[Key]) -> str:
    same_end = list(dict.fromkeys(key.name for key in keys if key.path[-1] == path[-1]))
    if same_end:
        return f'there is no key "{text}"; keys of that name: {", ".join(same_end[:6])}'
    names = list(dict.fromkeys(key.name for key in keys))
    close = nearest(text, names)
    if close is None:
        ends = {key.path[-1]: key.name for key in keys}
        end = nearest(str(path[-1]), ends)
        close = ends[end] if end else None
    hint = f'; did you mean "{close}"?' if close else "; `qhub explain` lists the sections"
    return f'there is no key "{text}"{hint}'
