"""A YAML file with the place of everything in it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Mark:
    """Where something stands in a file; lines and columns count from 1.

    Attributes:
        line: line of its key, or of the list item.
        column: column of its key, or of the list item.
        value_line: line of its value.
        value_column: column of its value.
        text: key and value as written where both fit on one line; None for sections, lists and long text.
    """

    line: int
    column: int
    value_line: int
    value_column: int
    text: str | None = None


@dataclass(frozen=True)
class Flaw:
    """What is wrong with a file as YAML, whatever it says."""

    message: str
    line: int | None = None
    column: int | None = None
    path: Path = ()


@dataclass
class Document:
    """A YAML file as plain data, with places.

    Attributes:
        file: the file's path.
        data: mappings, lists and scalars; an empty file is an empty mapping. Keys are text.
        marks: place of every key and list item, by its path from the root.
        flaws: broken syntax (then `data` is empty), or keys that are there twice.
    """

    file: FilePath
    data: dict[str, Any] = field(default_factory=dict)
    marks: dict[Path, Mark] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)


def read_document(file: FilePath) -> Document:
    """Read a YAML file. What is wrong with it as YAML is in the result's `flaws`.

    YAML 1.2 rules hold, as in the engine: `yes` and `on` are text, and a bare date is a date.

    Raises:
        OSError: the file cannot be read.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError

    document = Document(file)
    yaml = YAML(typ="safe", pure=True)
    try:
        text = file.read_text(encoding="utf-8")
        with warnings.catch_warnings():
            # An anchor that is set anew is fine; ruamel would write to the terminal about it.
            warnings.simplefilter("ignore", ReusedAnchorWarning)
            root = yaml.compose(text)
        data = _Reader(document, yaml.constructor, text.splitlines()).value(root, ()) if root is not None else {}
    except UnicodeDecodeError:
        document.flaws.append(Flaw("is not a UTF-8 text file"))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (None, None)
        document.flaws.append(Flaw(f"is not valid YAML: {_told(error)}", *place))
    except (YAMLError, ValueError) as error:
        document.flaws.append(Flaw(f"is not valid YAML: {str(error).splitlines()[0]}"))
    else:
        if isinstance(data, Mapping):
            document.data = dict(data)
        elif data is not None:
            document.flaws.append(Flaw("should be a map of keys at its top level", 1, 1))
    return document


def _told(error: Any) -> str:
    problem = (error.problem or error.context or "unknown problem").strip()
    hints = {
        "mapping values are not allowed here": "a `:` where no key can be; check the indentation, quote text with `: `",
        "found character '\\t' that cannot start any token": "a tab in the indentation; use spaces",
        "could not find expected ':'": "a `:` is missing after a key",
    }
    return f"{problem} ({hints[problem]})" if problem in hints else problem


def _is_merge(key_node: Any) -> bool:
    return str(key_node.tag).endswith(":merge")


class _Reader:
    """Makes plain data of a tree of YAML nodes and notes where everything stands."""

    def __init__(self, document: Document, constructor: Any, lines: list[str]) -> None:
        self._document = document
        self._constructor = constructor
        self._lines = lines
        self._open: set[int] = set()

    def value(self, node: Any, path: Path) -> Any:
        if not isinstance(node.value, list):
            return self._scalar(node)
        if id(node) in self._open:
            raise ValueError("an alias (*) stands inside what it refers to")
        self._open.add(id(node))
        result = self._mapping(node, path) if node.id == "mapping" else self._sequence(node, path)
        self._open.discard(id(node))
        return result

    def _scalar(self, node: Any) -> Any:
        from ruamel.yaml.constructor import ConstructorError

        try:
            return self._constructor.construct_object(node, deep=True)
        except (ArithmeticError, LookupError, ValueError):  # what ruamel's constructors raise of themselves
            kind = str(node.tag).rpartition(":")[2]
            problem = f"this cannot be read as a {kind}; put text in quotes"
            raise ConstructorError(problem=problem, problem_mark=node.start_mark) from None

    def _sequence(self, node: Any, path: Path) -> list[Any]:
        items = []
        for place, item in enumerate(node.value):
            self._document.marks[(*path, place)] = self._mark(item, item)
            items.append(self.value(item, (*path, place)))
        return items

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        # What is merged comes first, wherever it stands: the map's own keys replace it, and its places with it.
        merged = self._merged(node, path)
        own: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if _is_merge(key_node):
                continue
            key = str(key_node.value)
            here = (*path, key)
            if key in own:
                first = self._document.marks[here].line
                message = f"is there twice: the first one stands in line {first}; remove one"
                place = key_node.start_mark
                self._document.flaws.append(Flaw(message, place.line + 1, place.column + 1, here))
                continue
            if key in merged:
                self._forget(here)
            self._document.marks[here] = self._mark(key_node, value_node)
            own[key] = self.value(value_node, here)
        return merged | own

    def _merged(self, node: Any, path: Path) -> dict[str, Any]:
        """Return what a map takes over from others by `<<`; of several the first one holds."""
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if _is_merge(key_node):
                sources = value_node.value if value_node.id == "sequence" else [value_node]
                for source in reversed(sources):
                    merged |= self._taken_over(source, path, over=merged, line=key_node.start_mark.line + 1)
        return merged

    def _taken_over(self, source: Any, path: Path, *, over: Mapping[str, Any], line: int) -> dict[str, Any]:
        """Return one map that `<<` names, its places put over those of another."""
        marks, self._document.marks = self._document.marks, {}
        given = self.value(source, path)
        found, self._document.marks = self._document.marks, marks
        if not isinstance(given, dict):
            raise ValueError(f"`<<` in line {line} takes a map, or a list of maps")  # noqa: TRY004
        for key in given.keys() & over.keys():
            self._forget((*path, key))
        marks |= found
        return given

    def _forget(self, path: Path) -> None:
        """Forget the places of what something else replaces."""
        for place in [place for place in self._document.marks if place[: len(path)] == path]:
            del self._document.marks[place]

    def _mark(self, first: Any, value: Any) -> Mark:
        start, end = first.start_mark, value.end_mark
        fits = not isinstance(value.value, list) and start.line == end.line
        text = self._lines[start.line][start.column : end.column] if fits else None
        at = value.start_mark
        return Mark(start.line + 1, start.column + 1, at.line + 1, at.column + 1, text)
