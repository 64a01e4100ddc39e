"""Walks through the values that a JSON schema knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

#: What stands in a path for the keys of a map that takes any.
ANY = "*"


def resolve(schema: Schema, root: Schema) -> Schema:
    """Return the schema that a `$ref` inside `root` stands for."""
    while "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#").strip("/").split("/"):
            target = target[part] if part else target
        schema = target
    return schema


def child(schema: Schema, key: str, root: Schema) -> Schema | None:
    """Return the schema of one key of an object; None where the object takes no such key."""
    schema = resolve(schema, root)
    if key in schema.get("properties", {}):
        return schema["properties"][key]
    for candidate in schema.get("patternProperties", {}).values():
        return candidate
    rest = schema.get("additionalProperties", True)
    if isinstance(rest, Mapping):
        return rest
    return {} if rest else None


def paths(schema: Schema, root: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Yield every key that the schema names, as a dotted path, with its own schema."""
    schema = resolve(schema, root)
    named = dict(schema.get("properties", {}))
    rest = schema.get("additionalProperties")
    if isinstance(rest, Mapping) and "properties" in resolve(rest, root):
        named[ANY] = rest
    for key, inner in named.items():
        here = f"{path}{key}"
        yield here, resolve(inner, root)
        yield from paths(inner, root, f"{here}.")


def kinds(schema: Schema) -> set[str] | None:
    """Return the JSON types that a schema takes; None where it says nothing of them."""
    if "enum" in schema:
        names = {bool: "boolean", str: "string", type(None): "null", int: "integer"}
        return {names[type(value)] for value in schema["enum"]}
    said = schema.get("type")
    return None if said is None else {said} if isinstance(said, str) else set(said)


def leaves(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value that is no map, or an empty one, under its dotted path."""
    for key, value in values.items():
        here = f"{path}{key}"
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{here}.")
        else:
            yield here, value


def has_path(values: Any, path: str) -> bool:
    """Tell whether there is something under a dotted path of `paths`."""
    for part in path.split("."):
        if not isinstance(values, Mapping):
            return False
        if part == ANY:
            # One entry is enough, and the first that has the rest of the path would do; all have the same schema.
            rest = path.split(f"{ANY}.", 1)[1] if f"{ANY}." in path else ""
            return any(not rest or has_path(value, rest) for value in values.values())
        if part not in values:
            return False
        values = values[part]
    return True
