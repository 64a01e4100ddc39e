"""Property trees: what the engine sends and gets, as plain Python values.

| on the wire                          | here                                            |
|--------------------------------------|-------------------------------------------------|
| null, bool, string                   | `None`, `bool`, `str`                           |
| number                               | `int` where it is whole, else `float`           |
| list, object                         | `list`, `dict`                                  |
| unknown (the value of a preview)     | `UNKNOWN`                                       |
| secret                               | `Secret(value)`                                 |
| output value                         | its value, `UNKNOWN` and `Secret` as they apply |
| asset of text or of a local file     | `FileAsset(text=…)`, `FileAsset(path=…)`        |
| anything else with a signature       | `PluginError`                                   |

Source of the signatures: the property wire format of the Pulumi SDK (`pulumi/runtime/rpc.py`).
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from qhub.rehearsal.plugins._proto import Message, struct_pb2
from qhub.rehearsal.plugins.errors import PluginError

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the wire's mark of a secret, not one
ASSET = "c44067f5952c0a294b673a41bacd8c17"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class _Unknown:
    """A value that will be known after the update."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __deepcopy__(self, memo: dict[int, Any]) -> _Unknown:
        return self

    def __copy__(self) -> _Unknown:
        return self


UNKNOWN = _Unknown()


@dataclasses.dataclass(frozen=True)
class Secret:
    """A value that is secret. Its representation does not show it."""

    value: Any

    def __repr__(self) -> str:
        return "Secret(…)"


@dataclasses.dataclass(frozen=True)
class FileAsset:
    """A file by path, or its text; `digest` is the engine's hash of the content, kept so that the state keeps it."""

    path: str | None = None
    text: str | None = None
    digest: str = ""


# -- from the wire -----------------------------------------------------------------------------------------------------


def from_struct(struct: Message) -> dict[str, Any]:
    """Return the property tree of a protobuf struct."""
    return {key: from_value(value) for key, value in struct.fields.items()}


def from_value(value: Message) -> Any:  # noqa: PLR0911 - one per kind of the protocol
    """Return one protobuf value as a property tree.

    Raises:
        PluginError: an asset from a URL, an archive, a resource reference: the stand-ins carry none.
    """
    kind = value.WhichOneof("kind")
    if kind is None or kind == "null_value":
        return None
    if kind == "string_value":
        return UNKNOWN if value.string_value == UNKNOWN_STRING else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [from_value(item) for item in value.list_value.values]
    fields = value.struct_value.fields
    if SIGNATURE in fields:
        return _from_signed(fields)
    return {key: from_value(item) for key, item in fields.items()}


def _from_signed(fields: Any) -> Any:
    signature = fields[SIGNATURE].string_value
    if signature == SECRET:
        inner = from_value(fields["value"])
        return inner if isinstance(inner, Secret) else Secret(inner)
    if signature == OUTPUT:
        inner = from_value(fields["value"]) if "value" in fields else UNKNOWN
        return Secret(inner) if fields["secret"].bool_value and not isinstance(inner, Secret) else inner
    if signature == ASSET:
        digest = fields["hash"].string_value
        if path := fields["path"].string_value:
            return FileAsset(path=path, digest=digest)
        if not fields["uri"].string_value:
            return FileAsset(text=fields["text"].string_value, digest=digest)
    raise PluginError("the stand-in plugin carries plain values and file assets: no archive, remote asset or reference")


# -- to the wire -------------------------------------------------------------------------------------------------------


def to_struct(tree: dict[str, Any]) -> Message:
    """Return a property tree as a protobuf struct."""
    struct = struct_pb2.Struct()
    for key, value in tree.items():
        struct.fields[key].CopyFrom(to_value(value))
    return struct


def to_value(tree: Any) -> Message:  # noqa: C901, PLR0911 - one branch per row of the table above
    """Return one node of a property tree as a protobuf value."""
    if tree is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if tree is UNKNOWN:
        return struct_pb2.Value(string_value=UNKNOWN_STRING)
    if isinstance(tree, bool):
        return struct_pb2.Value(bool_value=tree)
    if isinstance(tree, int | float):
        return struct_pb2.Value(number_value=tree)
    if isinstance(tree, str):
        return struct_pb2.Value(string_value=tree)
    if isinstance(tree, Secret):
        return _signed(SECRET, {"value": tree.value})
    if isinstance(tree, FileAsset):
        content = {"path": tree.path} if tree.path is not None else {"text": tree.text}
        return _signed(ASSET, {**content, **({"hash": tree.digest} if tree.digest else {})})
    value = struct_pb2.Value()
    if isinstance(tree, dict):
        value.struct_value.SetInParent()
        for key, item in tree.items():
            value.struct_value.fields[str(key)].CopyFrom(to_value(item))
        return value
    if isinstance(tree, list | tuple):
        value.list_value.SetInParent()
        value.list_value.values.extend(to_value(item) for item in tree)
        return value
    raise TypeError(f"a {type(tree).__name__} has no place in a property tree")


def _signed(signature: str, fields: dict[str, Any]) -> Message:
    return to_value({SIGNATURE: signature, **fields})


# -- trees -------------------------------------------------------------------------------------------------------------


def reveal(tree: Any) -> Any:
    """Return a copy of the tree without its `Secret` wrappers."""
    if isinstance(tree, Secret):
        return reveal(tree.value)
    if isinstance(tree, dict):
        return {key: reveal(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [reveal(value) for value in tree]
    return tree


def has_unknown(tree: Any) -> bool:
    """Say whether any leaf of the tree is only known after the update."""
    if isinstance(tree, Secret):
        return has_unknown(tree.value)
    if isinstance(tree, dict):
        return any(has_unknown(value) for value in tree.values())
    if isinstance(tree, list):
        return any(has_unknown(value) for value in tree)
    return tree is UNKNOWN


def _strings(tree: Any) -> Iterator[str]:
    if isinstance(tree, Secret):
        yield from _strings(tree.value)
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from _strings(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _strings(value)
    elif isinstance(tree, str):
        yield tree
    elif isinstance(tree, int | float) and not isinstance(tree, bool):
        yield str(tree)


def secret_strings(tree: Any) -> set[str]:
    """Return every string (and number, as text) below a `Secret` in the tree."""
    if isinstance(tree, Secret):
        return set(_strings(tree.value))
    if isinstance(tree, dict):
        return set().union(*(secret_strings(value) for value in tree.values()))
    if isinstance(tree, list):
        return set().union(*(secret_strings(value) for value in tree))
    return set()


def mark_like(tree: Any, pattern: Any) -> Any:
    """Return `tree` with every node marked secret that is secret at the same place in `pattern`.

    A list whose length differs from the pattern's is secret as a whole where the pattern's holds any secret: its
    items cannot be told apart.
    """
    if isinstance(pattern, Secret):
        return tree if isinstance(tree, Secret) else Secret(tree)
    if isinstance(tree, dict) and isinstance(pattern, dict):
        return {key: mark_like(value, pattern[key]) if key in pattern else value for key, value in tree.items()}
    if isinstance(tree, list) and isinstance(pattern, list):
        if len(tree) == len(pattern):
            return [mark_like(value, like) for value, like in zip(tree, pattern, strict=True)]
        return Secret(tree) if secret_strings(pattern) else tree
    return tree


def mark_containing(tree: Any, secrets: set[str]) -> Any:
    """Return `tree` with every string leaf marked secret that contains one of `secrets`, plain or in base64.

    It catches copies: an annotation that repeats the object, or `data` that a server made of `stringData`.
    """
    needles = _needles(secrets)
    if not needles:
        return tree
    return map_leaves(
        tree, lambda leaf: Secret(leaf) if isinstance(leaf, str) and any(needle in leaf for needle in needles) else leaf
    )


def map_leaves(tree: Any, function: Callable[[Any], Any]) -> Any:
    """Return a copy of the tree with `function` applied to each leaf outside of a `Secret`."""
    if isinstance(tree, dict):
        return {key: map_leaves(value, function) for key, value in tree.items()}
    if isinstance(tree, list):
        return [map_leaves(value, function) for value in tree]
    return tree if isinstance(tree, Secret) else function(tree)


#: Shorter strings ("a", "80") would hide half of any message and are no secret worth the name.
_SHORTEST_SECRET = 4
MASK = "[secret]"


def _needles(secrets: set[str]) -> list[str]:
    long_enough = {text for text in secrets if len(text) >= _SHORTEST_SECRET}
    encoded = {base64.b64encode(text.encode()).decode() for text in long_enough}
    return sorted(long_enough | encoded, key=len, reverse=True)


def mask(text: str, secrets: set[str]) -> str:
    """Return `text` with every secret, its lines, and their base64 and JSON-quoted forms replaced by `[secret]`."""
    parts = set(secrets)
    for secret in secrets:
        parts.update(line.strip() for line in secret.splitlines() if len(line.strip()) >= 2 * _SHORTEST_SECRET)
        parts.add(secret.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
    for needle in _needles(parts):
        text = text.replace(needle, MASK)
    return text
