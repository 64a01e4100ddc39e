"""How many mistakes in a resource's inputs the SDK's types tell: each input dropped, renamed and retyped, nested too.

    report = mutate(schema, [(token, inputs), ...])
    print(report)              # digitalocean 4.84.1: 312 of 398 mistakes are forbidden by the types, all of them caught
    assert not report.missed

What the types forbid is worked out here from the schema alone, apart from the check that is measured:

| mutant | made for                                  | forbidden where                                        |
|--------|-------------------------------------------|--------------------------------------------------------|
| drop   | every property of an object               | the property is required                               |
| rename | every property of an object               | the object is no map, whose keys are free              |
| retype | every value, to each other kind of value  | no type that the place allows has values of that kind  |

What they do not forbid (an optional input that is missing) is for the cloud's rules, or for a person.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from qhub.rehearsal.clouds import checking
from qhub.rehearsal.clouds.schema import Schema
from qhub.rehearsal.plugins.treediff import Path, format_path
from qhub.rehearsal.plugins.wire import UNKNOWN, Secret

#: One value of each kind that travels. A word that no enum has, and no whole number where an integer is wanted.
_OTHER_KINDS: dict[str, Any] = {
    "string": "wrong-on-purpose",
    "number": 7.5,
    "boolean": True,
    "list": ["wrong-on-purpose"],
    "object": {"wrongOnPurpose": "wrong"},
}
_SUFFIX = "Misspelt"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mutant:
    """Inputs with one mistake.

    Attributes:
        token: type of the resource.
        kind: drop, rename or retype.
        path: where.
        inputs: the inputs with the mistake.
        forbidden: whether the SDK's types forbid it.
    """

    token: str
    kind: str
    path: str
    inputs: dict[str, Any]
    forbidden: bool

    def __str__(self) -> str:
        return f"{self.kind} {self.token.rsplit(':', 1)[-1]}.{self.path}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """What came of the mutants of some resources.

    Attributes:
        name: SDK and version.
        made: number of mutants.
        caught: those that the check refused.
        missed: those that the types forbid and the check let pass.
        strict: those that the types allow and the check refused all the same.
    """

    name: str
    made: int
    caught: tuple[Mutant, ...]
    missed: tuple[Mutant, ...]
    strict: tuple[Mutant, ...]

    def __str__(self) -> str:
        forbidden = len(self.caught) - len(self.strict) + len(self.missed)
        return (
            f"{self.name}: {forbidden} of {self.made} mistakes are forbidden by the types, "
            f"{forbidden - len(self.missed)} of them caught"
        )


def mutate(schema: Schema, resources: Iterable[tuple[str, dict[str, Any]]]) -> Report:
    """Put every mistake into every resource, one at a time, and see which ones the check tells.

    Args:
        schema: the SDK's types.
        resources: (type token, inputs as a property tree); their inputs are right.

    Raises:
        ValueError: inputs that the check refuses as they are.
    """
    made = 0
    caught: list[Mutant] = []
    missed: list[Mutant] = []
    for token, inputs in resources:
        if wrong := list(checking.problems(schema, token, inputs)):
            raise ValueError(f"{token} is wrong before anything was done to it: {wrong[0]}")
        for mutant in mutants(schema, token, inputs):
            made += 1
            if any(checking.problems(schema, token, mutant.inputs)):
                caught.append(mutant)
            elif mutant.forbidden:
                missed.append(mutant)
    strict = tuple(mutant for mutant in caught if not mutant.forbidden)
    name = f"{schema.package} {schema.version}"
    return Report(name=name, made=made, caught=tuple(caught), missed=tuple(missed), strict=strict)


def mutants(schema: Schema, token: str, inputs: dict[str, Any]) -> Iterator[Mutant]:
    """Yield the inputs of a resource with one mistake each."""
    for kind, path, forbidden, changed in _mistakes(schema, [schema.inputs(token)], inputs, ()):
        if path:
            yield Mutant(token=token, kind=kind, path=format_path(path), inputs=changed, forbidden=forbidden)


_Mistake = tuple[str, Path, bool, Any]


def _mistakes(schema: Schema, specs: list[dict[str, Any]], value: Any, path: Path) -> Iterator[_Mistake]:
    """Yield (kind, path, forbidden, the value with the mistake) for a value that may have any of some types."""
    if isinstance(value, Secret):
        for kind, where, forbidden, changed in _mistakes(schema, specs, value.value, path):
            yield kind, where, forbidden, Secret(changed)
        return
    if value is UNKNOWN or value is None:
        return
    specs = [member for spec in specs for member in (spec["of"] if spec["kind"] == "union" else [spec])]
    own = _kind_of(value)
    for kind, wrong in _OTHER_KINDS.items():
        if kind != own:
            yield "retype", path, not any(_takes(schema, spec, kind) for spec in specs), wrong
    if isinstance(value, dict):
        yield from _in_object(schema, specs, value, path)
    elif isinstance(value, list):
        items = [spec["items"] for spec in specs if spec["kind"] == "list"]
        for index, item in enumerate(value):
            for kind, where, forbidden, changed in _mistakes(schema, items, item, (*path, index)):
                yield kind, where, forbidden and bool(items), [*value[:index], changed, *value[index + 1 :]]


def _in_object(schema: Schema, specs: list[dict[str, Any]], value: dict[str, Any], path: Path) -> Iterator[_Mistake]:
    objects = [schema.objects[spec["type"]] for spec in specs if spec["kind"] == "object"]
    free = any(spec["kind"] in ("map", "any") for spec in specs)
    for key, item in value.items():
        here, rest = (*path, key), {other: value[other] for other in value if other != key}
        declared = [properties[key] for properties in objects if key in properties]
        required = bool(declared) and all(one["required"] for one in declared)
        yield "drop", here, required and not free, rest
        yield "rename", here, not free, {**rest, f"{key}{_SUFFIX}": item}
        inner = [one["type"] for one in declared] + [spec["items"] for spec in specs if spec["kind"] == "map"]
        for kind, where, forbidden, changed in _mistakes(schema, inner, item, here):
            yield kind, where, forbidden and bool(inner), {**value, key: changed}


def _takes(schema: Schema, spec: dict[str, Any], kind: str) -> bool:
    """Say whether a type takes our wrong value of a kind."""
    own = spec["kind"]
    if own == "enum":
        return kind == "string" and spec["open"]
    if own == "list" and kind == "list":
        return _takes(schema, spec["items"], "string")
    if own == "map" and kind == "object":
        return _takes(schema, spec["items"], "string")
    if own == "union":
        return any(_takes(schema, member, kind) for member in spec["of"])
    return own == "any" or (own == "number" and kind == "number") or (own == kind and own in ("string", "boolean"))


def _kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    kinds = {str: "string", int: "number", float: "number", list: "list", dict: "object"}
    return kinds.get(type(value), "asset")
