"""Settings as YAML that a person reads: small maps and lists on one line, comments above their keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from qhub.config.model import Path

#: Text that YAML reads as text without quotes: words, sizes, address ranges. Words that it reads as something else are
#: below.
_PLAIN = re.compile(r"[A-Za-z][\w./@-]*( [\w./@-]+)*|\d+(\.\d+)?[KMGT]i?|\d+(\.\d+){3}/\d+", re.ASCII)
#: A key on a line of its own, `qhub:domain`.
_KEY = re.compile(r"[A-Za-z][\w./-]*(:[\w./-]+)?", re.ASCII)
#: YAML 1.1 reads some of them so, and editors still mark them.
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
#: Longest line, as in the project's own files.
WIDTH = 120


def scalar(value: Any) -> str:
    """Return one value as YAML reads it back, in quotes where text needs them."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    # What JSON quotes YAML reads too, whatever is in it.
    return text if plain else json.dumps(text, ensure_ascii=False)


def one_line(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {one_line(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(one_line, value))}]"
    return scalar(value)


def lines(
    values: Mapping[str, Any], comments: Mapping[Path, str], *, path: Path = (), indent: int = 0
) -> Iterator[str]:
    """Yield the lines of a map.

    Args:
        values: the map.
        comments: what stands above a key, by its path from the root; one with line breaks has several lines.
        path: path of the map.
        indent: spaces before each line.
    """
    space = " " * indent
    for key, value in values.items():
        here = (*path, key)
        yield from (f"{space}# {line}".rstrip() for line in comments.get(here, "").splitlines())
        name = str(key) if _KEY.fullmatch(str(key)) and str(key).lower() not in _WORDS else scalar(key)
        short = f"{space}{name}: {one_line(value)}"
        if _fits(short, value, here, comments):
            yield short
        elif isinstance(value, Mapping):
            yield f"{space}{name}:"
            yield from lines(value, comments, path=here, indent=indent + 2)
        else:
            yield f"{space}{name}:"
            for place, item in enumerate(value):
                yield from _item(item, comments, path=(*here, place), indent=indent + 2)


def _item(item: Any, comments: Mapping[Path, str], *, path: Path, indent: int) -> Iterator[str]:
    if not isinstance(item, Mapping) or not item:
        yield f"{' ' * indent}- {one_line(item)}"
        return
    first = True
    for line in lines(item, comments, path=path, indent=indent + 2):
        yield f"{' ' * indent}- {line[indent + 2 :]}" if first else line
        first = False


def _fits(short: str, value: Any, path: Path, comments: Mapping[Path, str]) -> bool:
    if not value or not isinstance(value, Mapping | list | tuple):
        return True
    if any(other[: len(path)] == path and other != path for other in comments) or len(short) > WIDTH:
        return False
    below = list(value.values()) if isinstance(value, Mapping) else list(value)
    return len(path) > 1 and not any(isinstance(one, Mapping | list | tuple) for one in below)
