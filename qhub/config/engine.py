"""The settings of a stack as the engine gives them to its program."""

from __future__ import annotations

import json
from typing import Any


def engine_values(project: str) -> tuple[dict[str, Any], frozenset[str]]:
    """Return the values of the project's keys, and the keys that hold something encrypted."""
    from pulumi.runtime import config

    texts = engine_texts()
    prefix = f"{project}:"
    names = [key.removeprefix(prefix) for key in texts if key.startswith(prefix)]
    values = {name: parsed(name, texts[prefix + name]) for name in names}
    return values, frozenset(name for name in names if config.is_config_secret(prefix + name))


def engine_texts() -> dict[str, Any]:
    """Return every key of the stack, of every namespace, with its value."""
    from pulumi.runtime import config

    # The public Config class reads one key by name; to refuse unknown ones all of them have to be seen.
    return {**config.get_config_env(), **config.CONFIG.get()}


def parsed(name: str, text: Any) -> Any:
    """Return an object or a list for a section; the engine hands them over as JSON, and text as it is.

    Text that is JSON, as `pulumi config set qhub:dask '{...}'` leaves it in the file, thereby is a section too.
    """
    if name in ("base", "domain") or not isinstance(text, str):
        return text
    if not text:
        return None  # the engine's form of a key with nothing behind it
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text  # told later as text where a section is expected
