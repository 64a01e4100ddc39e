"""A resource's inputs against the SDK's types, nested ones too: what is unknown, missing or of the wrong type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qhub.rehearsal.clouds.schema import Schema
from qhub.rehearsal.plugins.errors import listing, nearest
from qhub.rehearsal.plugins.treediff import Path, format_path
from qhub.rehearsal.plugins.wire import UNKNOWN, FileAsset, Secret

Problems = Iterator[tuple[str, str]]
_NAMES = {
    "string": "a string",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "asset": "an asset",
    "list": "a list",
    "map": "an object",
    "object": "an object",
}


def problems(schema: Schema, token: str, inputs: dict[str, Any]) -> Problems:
    """Yield (property path, text) for everything in a resource's inputs that the SDK's types forbid.

    Unknown values pass; a secret is looked into, and its value is never part of a text.

    Args:
        schema: the SDK's types.
        token: type of the resource.
        inputs: its inputs as a property tree.

    Raises:
        PluginError: the SDK does not have the resource.
    """
    for path, text in _check(schema, schema.inputs(token), inputs, ()):
        yield format_path(path), text


_Found = Iterator[tuple[Path, str]]


def _check(schema: Schema, spec: dict[str, Any], value: Any, path: Path) -> _Found:
    while isinstance(value, Secret):
        value = value.value
    if value is UNKNOWN or value is None:
        return  # a null is as good as absent; whether it is required is told by the object around it
    kind = spec["kind"]
    if kind == "union":
        yield from _union(schema, spec, value, path)
    elif kind == "enum":
        yield from _enum(spec, value, path)
    elif not _fits(kind, value):
        yield path, f"must be {_NAMES[kind]}, not {_called(value)}"
    else:
        yield from _inside(schema, spec, value, path)


def _inside(schema: Schema, spec: dict[str, Any], value: Any, path: Path) -> _Found:
    kind = spec["kind"]
    if kind == "list":
        for index, item in enumerate(value):
            yield from _item(schema, spec["items"], item, (*path, index))
    elif kind == "map":
        for key, item in value.items():
            yield from _check(schema, spec["items"], item, (*path, key))
    elif kind == "object":
        yield from _object(schema, schema.objects[spec["type"]], value, path)


def _item(schema: Schema, spec: dict[str, Any], value: Any, path: Path) -> _Found:
    if value is None and spec["kind"] != "any":
        yield path, "must not be null in a list"
    yield from _check(schema, spec, value, path)


def _object(schema: Schema, properties: dict[str, Any], value: dict[str, Any], path: Path) -> _Found:
    for key, item in value.items():
        if key in properties:
            yield from _check(schema, properties[key]["type"], item, (*path, key))
        else:
            hint = nearest(_camel(key), properties) or f" It has: {listing(properties)}"
            yield (*path, key), f"there is no such property.{hint}"
    for key, declared in properties.items():
        given = value.get(key)
        while isinstance(given, Secret):
            given = given.value
        if declared["required"] and given is None:
            yield (*path, key), "is required and missing"


def _union(schema: Schema, spec: dict[str, Any], value: Any, path: Path) -> _Found:
    """Accept what one member accepts; else tell the member whose kind fits, where there is one."""
    fitting = []
    for member in spec["of"]:
        found = list(_check(schema, member, value, path))
        if not found:
            return
        if _fits(member["kind"], value):
            fitting = fitting or found
    if fitting:
        yield from fitting
    else:
        wanted = " or ".join(_NAMES.get(member["kind"], "a known word") for member in spec["of"])
        yield path, f"must be {wanted}, not {_called(value)}"


def _enum(spec: dict[str, Any], value: Any, path: Path) -> _Found:
    values = spec["values"]
    if value in values and not isinstance(value, bool):
        return
    if not isinstance(value, type(values[0]) if values else str):
        yield (
            path,
            f"must be {'a string' if not values or isinstance(values[0], str) else 'a number'}, not {_called(value)}",
        )
        return
    # An open enum takes words that the SDK does not know yet, but none that only differs in case from one it knows.
    if not spec["open"] or str(value).lower() in {str(known).lower() for known in values}:
        yield path, f"is none of {listing(map(str, values))}.{nearest(str(value), map(str, values))}"


def _fits(kind: str, value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": number and float(value).is_integer(),
        "number": number,
        "asset": isinstance(value, FileAsset),
        "list": isinstance(value, list),
        "map": isinstance(value, dict),
        "object": isinstance(value, dict),
        "enum": isinstance(value, str | int | float),
        "union": False,
        "any": True,
    }[kind]


def _called(value: Any) -> str:
    """Return what a value is, not what it says: it may be secret."""
    if isinstance(value, bool):
        return "true or false"
    kinds = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return kinds.get(type(value), "an asset")


def _camel(key: str) -> str:
    """Return a Python name as on the wire, so that an untranslated `subnet_ids` finds `subnetIds`."""
    head, *rest = key.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)
