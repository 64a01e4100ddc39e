"""Read the input types of a provider's Python package: `python -m qhub.rehearsal.clouds.extract MODULE TOKEN...`.

It runs as a process of its own, because a plugin never imports a cloud's SDK (up to 2 s) nor all of `pulumi`. It prints
one JSON document: `{"resources": {token: {"inputs": type, "outputs": [name]}}, "objects": {type: properties}}`, where

| a type is            | for                                                                                    |
|----------------------|----------------------------------------------------------------------------------------|
| `{"kind": "string"}` | and `boolean`, `integer`, `number`, `any`, `asset`                                     |
| `{"kind": "enum"}`   | with `values`, and `open` where the SDK also takes any other string                    |
| `{"kind": "list"}`   | and `map`, with `items`                                                                |
| `{"kind": "object"}` | with `type`, a key of `objects`; types may contain themselves                          |
| `{"kind": "union"}`  | with `of`                                                                              |

and `properties` are `{name on the wire: {"type": ..., "required": true or false}}`.
"""

from __future__ import annotations

import collections.abc
import enum
import importlib
import inspect
import json
import re
import sys
import types
import typing
from typing import Any

_PRIMITIVES = {str: "string", bool: "boolean", int: "integer", float: "number"}
_CONTAINERS = {
    collections.abc.Sequence: "list",
    list: "list",
    collections.abc.Mapping: "map",
    dict: "map",
}
Spec = dict[str, Any]


class Extractor:
    """Reads one SDK.

    Args:
        sdk: its module, `pulumi_aws`.
    """

    def __init__(self, sdk: str) -> None:
        self._pulumi = importlib.import_module("pulumi")
        self._types = importlib.import_module("pulumi._types")
        self._package = importlib.import_module(sdk)
        self._classes = _registered_classes(self._package)
        self.objects: dict[str, Spec] = {}

    def resource(self, token: str) -> Spec | None:
        """Return the inputs and outputs of a resource type, None where the SDK does not have it."""
        if token.startswith("pulumi:providers:"):
            cls = self._package.Provider
        elif token in self._classes:
            module, name = self._classes[token]
            cls = getattr(importlib.import_module(module), name)
        else:
            return None
        home = importlib.import_module(cls.__module__)
        # `Args`; `InitArgs` where an input type of that name exists already, which the module then has too.
        arguments = getattr(home, f"{cls.__name__}InitArgs", None) or getattr(home, f"{cls.__name__}Args")
        return {"inputs": self._object(arguments), "outputs": sorted(self._types.resource_types(cls))}

    def _object(self, cls: type) -> Spec:
        name = f"{cls.__module__}.{cls.__qualname__}"
        if name not in self.objects:
            self.objects[name] = {}  # for types that contain themselves
            self.objects[name] = self._properties(cls)
        return {"kind": "object", "type": name}

    def _properties(self, cls: type) -> dict[str, Spec]:
        wire_names = self._types.input_type_py_to_pulumi_names(cls)
        scope = {**vars(sys.modules[cls.__module__]), "Output": self._pulumi.Output, "T": Any}
        constructor: Any = cls.__init__
        hints = typing.get_type_hints(constructor, scope)
        found = {}
        for parameter in list(inspect.signature(constructor).parameters.values())[1:]:
            kind = self._type(hints[parameter.name])
            required = parameter.default is inspect.Parameter.empty
            found[wire_names.get(parameter.name, parameter.name)] = {"type": kind, "required": required}
        return found

    def _type(self, hint: Any) -> Spec:
        origin = typing.get_origin(hint)
        if origin in (typing.Union, types.UnionType):
            return self._union([one for one in typing.get_args(hint) if self._is_plain(one)])
        if origin in _CONTAINERS:
            return {"kind": _CONTAINERS[origin], "items": self._type(typing.get_args(hint)[-1])}
        return self._class(hint) if isinstance(hint, type) else {"kind": "any"}

    def _class(self, hint: type) -> Spec:
        if hint in _PRIMITIVES:
            return {"kind": _PRIMITIVES[hint]}
        if issubclass(hint, enum.Enum):
            return {"kind": "enum", "values": [member.value for member in hint], "open": False}
        if issubclass(hint, self._pulumi.Asset | self._pulumi.Archive):
            return {"kind": "asset"}
        return self._object(hint) if self._types.is_input_type(hint) else {"kind": "any"}

    def _is_plain(self, hint: Any) -> bool:
        """Say whether a member of a union is neither null, nor `Awaitable` or `Output`, nor a TypedDict's twin."""
        if hint is type(None) or typing.is_typeddict(hint):
            return False
        return typing.get_origin(hint) not in (collections.abc.Awaitable, self._pulumi.Output)

    def _union(self, hints: list[Any]) -> Spec:
        members: list[Spec] = []
        for hint in hints:
            if (member := self._type(hint)) not in members:
                members.append(member)
        kinds = {member["kind"] for member in members}
        if kinds == {"string", "enum"}:
            values = [value for member in members if member["kind"] == "enum" for value in member["values"]]
            return {"kind": "enum", "values": values, "open": True}
        return members[0] if len(members) == 1 else {"kind": "union", "of": members}


def _registered_classes(package: types.ModuleType) -> dict[str, tuple[str, str]]:
    """Return token -> (module, class) from the table by which the SDK registers its resources."""
    source = inspect.getsource(package)
    table = re.search(r'resource_modules\s*=\s*"""(.*?)"""', source, re.DOTALL)
    if table is None:
        raise SystemExit(f"{package.__name__} has no table of its resources: this version of the SDK is not understood")
    modules = json.loads(table[1])
    return {token: (one["fqn"], name) for one in modules for token, name in one["classes"].items()}


def main(arguments: list[str]) -> None:
    """Print the types of the tokens; one that the SDK does not have is left out."""
    sdk, *tokens = arguments
    extractor = Extractor(sdk)
    resources = {token: found for token in tokens if (found := extractor.resource(token)) is not None}
    json.dump({"resources": resources, "objects": extractor.objects}, sys.stdout, sort_keys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
