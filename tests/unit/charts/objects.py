"""Kubernetes objects as flat maps, so that two renderings can be compared whatever order and spelling they have."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any


def flat(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return every leaf of an object that says something under its path: `.spec.containers[hub].image`.

    Entries of a list stand under their name, or where they have none under their own text, since their order means
    nothing: arguments, ports, rules of a network policy. Rights are taken apart, resource by resource. Text of a Secret
    stands as text, in whichever of its two fields it is.
    """
    whole = dict(item)
    if whole["kind"] == "Secret":
        plain = {key: base64.b64decode(value).decode() for key, value in (whole.pop("data", None) or {}).items()}
        whole["data"] = plain | whole.pop("stringData", {})
    if "rules" in whole and whole["kind"].endswith("Role"):
        whole["rules"] = _rights(whole["rules"])
    return {path: value for path, value in _leaves(whole, "") if value is not None}


def _rights(rules: list[dict[str, Any]]) -> dict[str, str]:
    """Return `group/resource names` -> verbs."""
    rights: dict[str, set[str]] = {}
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                names = " ".join(rule.get("resourceNames", []))
                rights.setdefault(f"{group}/{resource} {names}".strip(), set()).update(rule["verbs"])
    return {right: " ".join(sorted(verbs)) for right, verbs in rights.items()}


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}")
    elif isinstance(value, list) and value:
        for inner in value:
            if isinstance(inner, Mapping) and "name" in inner:
                yield from _leaves(inner, f"{path}[{inner['name']}]")
            else:
                yield f"{path}[{json.dumps(inner, sort_keys=True)}]", True
    else:
        yield path, value
