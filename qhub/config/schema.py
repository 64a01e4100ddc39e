"""The settings described for other programs: for editors as JSON Schema, for the engine as `config:` of Pulumi.yaml."""

from __future__ import annotations

from typing import Any, TypedDict

from qhub.config.settings import SECTIONS, Settings

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


def settings_json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a stack file, for completion and hover text in editors.

    In VS Code, one comment at the top of the file switches it on: `# yaml-language-server: $schema=<path>`.
    """
    schema = Settings.model_json_schema()
    definitions = _with_secrets_encrypted(schema.pop("$defs"))
    sections = {f"qhub:{name}": _with_secrets_encrypted(schema["properties"][name]) for name in SECTIONS}
    return {
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


def pulumi_project_config() -> dict[str, ProjectKey]:
    """Return what `config:` in Pulumi.yaml has to hold: each key with its type, description and default.

    A default here is only ever empty: the engine replaces it as a whole by what a stack gives, it never merges. The
    defaults inside the sections are the models'.
    """
    config: dict[str, ProjectKey] = {}
    for name in SECTIONS:
        field = Settings.model_fields[name]
        is_text = field.annotation is str
        entry: ProjectKey = {"type": "string" if is_text else "object"}
        entry["description"] = field.description or ""
        if not field.is_required():
            entry["default"] = "" if is_text else {}
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
