"""The chart's values and names, for configuration that runs in the hub. Same functions as in the real chart.

    from z2jh import get_config
    timeout = get_config("custom.team.timeout", 60)

`hub.extraConfig` written for the real chart imports this module by its name. Everything is read from the folder it
lies in, which the hub's pod mounts from ConfigMap and Secret `hub`:

    secret/values.yaml      all values, with `Chart` and `Release`
    secret/<key>            secrets one by one, such as hub.services.<name>.apiToken
    config/<short name>     the name of an object under its short name, such as proxy-api
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent

_NO_DEFAULT = object()


@lru_cache(maxsize=1)
def _values() -> dict[str, Any]:
    """Return all values; read once."""
    return yaml.safe_load((HERE / "secret" / "values.yaml").read_text(encoding="utf-8"))


def get_config(key: str, default: Any = None) -> Any:
    """Return the value under a dotted path of keys; `default` where there is no such key. A null is a value."""
    found: Any = _values()
    for part in key.split("."):
        if not isinstance(found, dict) or part not in found:
            return default
        found = found[part]
    return found


def set_config_if_not_none(section: Any, name: str, key: str) -> None:
    """Set option `name` of a configuration section to the value under `key`, unless that is null or missing."""
    found = get_config(key)
    if found is not None:
        setattr(section, name, found)


def get_secret_value(key: str, default: Any = _NO_DEFAULT) -> Any:
    """Return one secret as text.

    Raises:
        KeyError: there is none, and no `default`.
    """
    path = HERE / "secret" / key
    if path.is_file():
        return path.read_text(encoding="utf-8")
    if default is _NO_DEFAULT:
        raise KeyError(f"Secret hub has no key {key}")
    return default


def get_name(name: str) -> str:
    """Return the name of the object with the short name `name`.

    Raises:
        KeyError: the chart has no such object.
    """
    path = HERE / "config" / name
    if not path.is_file():
        raise KeyError(f"ConfigMap hub has no key {name}")
    return path.read_text(encoding="utf-8")


def get_name_env(name: str, suffix: str = "") -> str:
    """Return the environment variable that Kubernetes makes for a Service, as in HUB_SERVICE_PORT.

    Raises:
        KeyError: the chart has no such object, or the Service was made after the pod.
    """
    return os.environ[f"{get_name(name)}{suffix}".upper().replace("-", "_")]
