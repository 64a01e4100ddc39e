"""Which keys of a section are written nowhere."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any, TypeGuard, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def unwritten(section: type[BaseModel], written: list[Mapping[str, Any]], path: str = "cluster") -> list[str]:
    """Return the keys of a section that stand in none of some configurations, its sections' included."""
    lacking: list[str] = []
    for key, field in section.model_fields.items():
        values = [one[key] for one in written if key in one]
        kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if _is_section(kind)]
        if not values:
            lacking.append(f"{path}.{key}")
        elif kinds:
            lacking += unwritten(
                kinds[0], [one for value in values for one in _sections(field, value)], f"{path}.{key}"
            )
    return lacking


def _sections(field: FieldInfo, value: Any) -> list[Mapping[str, Any]]:
    """Return what is written for the section of a field, for each in a map by name, or for each in a list."""
    match get_origin(field.annotation):
        case builtins.dict:
            return list(value.values())
        case builtins.tuple:
            return value
        case _:
            return [value]


def _is_section(kind: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
