"""The settings described for other programs: for editors as JSON Schema, for the engine as `config:` of Pulumi.yaml."""

from __future__ import annotations

from typing import Any, TypedDict

from qhub.config.describe import all_keys
from qhub.config.explain import fixed_text
from qhub.config.settings import SECTIONS, Settings
from qhub.config.shape import choice_key, is_choice, variant_of, variants

#: In a stack file, a secret is its ciphertext.
_ENCRYPTED = {
    "type": "object",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
}


class ProjectKey(TypedDict, total=False):
    """One entry of `config:` in Pulumi.yaml."""

    type: str
    description: str
    default: Any
    value: Any


#: Engine and language switches that belong to the project and not to one stack.
_ENGINE: dict[str, ProjectKey] = {
    # A resource without an explicit provider would go to whatever cluster the shell happens to point at.
    "pulumi:disable-default-providers": {"value": ["*"]},
}


#: Annotation of a key that is no section -> its type in Pulumi.yaml, and the default there.
_PROJECT_TYPES: dict[Any, tuple[str, Any]] = {str: ("string", ""), int: ("integer", 1)}


def settings_json_schema(*, part: bool = False) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a stack file, for completion and hover text in editors.

    In VS Code, one comment at the top of the file switches it on: `# yaml-language-server: $schema=<path>`.

    Args:
        part: of a base, or of a file over one: nothing has to be there, since the other file may have it.
    """
    schema = Settings.model_json_schema()
    definitions = _with_secrets_encrypted(schema.pop("$defs"))
    sections = {f"qhub:{name}": _with_secrets_encrypted(schema["properties"][name]) for name in SECTIONS}
    _say_what_is_fixed(definitions)
    _choose_by_word(definitions)
    whole: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "QHub stack file (Pulumi.<stack>.yaml)",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": sections,
                "required": [f"qhub:{name}" for name in schema["required"]],
                # Keys of providers and of the engine may stand beside ours; ours are closed.
                "patternProperties": {"^(?!qhub:)[^:]+:.+$": {}},
                "additionalProperties": False,
            }
        },
        "required": ["config"],
        "$defs": definitions,
    }
    return _nothing_required(whole) if part else whole


def _say_what_is_fixed(definitions: dict[str, Any]) -> None:
    """Add to hover texts what a change would do, for settings that cannot be changed once the stack is up."""
    for key in all_keys():
        if key.fixed is None:
            continue
        said = f"{key.description} {fixed_text(key.fixed)}"
        for definition in definitions.values():
            written = definition["properties"].get(key.path[-1])
            if written is not None and written.get("description") == key.description:
                written["description"] = said


def _choose_by_word(definitions: dict[str, Any]) -> None:
    """Require the word that chooses a variant, but for the variant that is meant where there is none."""
    for name in SECTIONS:
        kind = Settings.model_fields[name].rebuild_annotation()
        if not is_choice(kind):
            continue
        key, default = choice_key(kind), variant_of(kind, {})
        for section in variants(kind).values():
            definition = definitions[section.__name__]
            if section is not default:
                definition["required"] = list(dict.fromkeys([key, *definition.get("required", [])]))


def _nothing_required(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_nothing_required(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    # `required` is a list as a rule, and a map where it is the name of a key. Without it several variants can match.
    return {
        "anyOf" if key == "oneOf" else key: _nothing_required(value)
        for key, value in schema.items()
        if not (key in ("required", "discriminator") and "description" not in (value or {}))
    }


def pulumi_project_config() -> dict[str, ProjectKey]:
    """Return what `config:` in Pulumi.yaml has to hold: each key with its type, description and default.

    A default here is only ever empty, or the first version: the engine replaces it as a whole by what a stack gives, it
    never merges. The defaults inside the sections are the models'.
    """
    config: dict[str, ProjectKey] = {}
    for name in SECTIONS:
        field = Settings.model_fields[name]
        kind, empty = _PROJECT_TYPES.get(field.annotation, ("object", {}))
        entry: ProjectKey = {"type": kind}
        entry["description"] = field.description or ""
        if not field.is_required():
            entry["default"] = empty
        config[name] = entry
    return config | _ENGINE


def _with_secrets_encrypted(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_with_secrets_encrypted(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "password":
        words = {key: schema[key] for key in ("title", "description") if key in schema}
        return {**words, **_ENCRYPTED}
    return {key: _with_secrets_encrypted(value) for key, value in schema.items()}
