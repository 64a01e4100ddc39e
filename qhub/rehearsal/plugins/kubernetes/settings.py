"""What a `kubernetes.Provider` may be given, and what of it the stand-in can honour."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from qhub.rehearsal.plugins.errors import PluginError, listing, nearest
from qhub.rehearsal.plugins.wire import UNKNOWN, has_unknown, reveal


@dataclasses.dataclass(frozen=True)
class Settings:
    """The provider's configuration, parsed.

    Fields are named as the official provider's inputs; see the docstring of `pulumi_kubernetes.Provider` for their
    meaning. `request_timeout` is `kubeClientSettings.timeout` in seconds.
    """

    kubeconfig: str | None = None
    context: str | None = None
    cluster: str | None = None
    namespace: str | None = None
    cluster_identifier: str | None = None
    delete_unreachable: bool = False
    skip_update_unreachable: bool = False
    enable_patch_force: bool = False
    enable_config_map_mutable: bool = False
    enable_secret_mutable: bool = False
    upsert_existing_objects: bool = False
    qps: float | None = None
    burst: int | None = None
    request_timeout: float | None = None
    registry_config_path: str | None = None
    repository_config_path: str | None = None
    repository_cache: str | None = None


_TEXTS = ("kubeconfig", "context", "cluster", "namespace", "clusterIdentifier")
_SWITCHES = (
    "deleteUnreachable",
    "skipUpdateUnreachable",
    "enablePatchForce",
    "enableConfigMapMutable",
    "enableSecretMutable",
    "upsertExistingObjects",
)
#: Accepted because what they ask for is what happens anyway.
_ALREADY_SO = {
    "enableServerSideApply": (True, "the stand-in applies on the server only"),
    "suppressDeprecationWarnings": (None, ""),
    "suppressHelmHookWarnings": (None, ""),
    "strictMode": (None, ""),
    "alwaysRender": (False, "the stand-in renders no YAML files"),
}
_SECTIONS = {
    "helmReleaseSettings": ("driver", "pluginsPath", "registryConfigPath", "repositoryCache", "repositoryConfigPath"),
    "kubeClientSettings": ("burst", "qps", "timeout"),
}
_REFUSED = {"renderYamlToDirectory": "the stand-in renders no YAML files"}
_FROM_ENGINE = ("version", "pluginDownloadURL", "__internal")

KNOWN = (*_TEXTS, *_SWITCHES, *_ALREADY_SO, *_SECTIONS, *_REFUSED)


def _decoded(value: Any) -> Any:
    """Return a provider input as the value it stands for: the SDK sends all but strings as JSON text."""
    value = reveal(value)
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def failures(inputs: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what is wrong with the provider's inputs, as (property, message) pairs; unknown values pass."""
    found: list[tuple[str, str]] = []
    for name, value in inputs.items():
        if name in _FROM_ENGINE or value is None or value is UNKNOWN or has_unknown(value):
            continue
        if problem := _problem(name, value):
            found.append((name, problem))
    return found


def _problem(name: str, value: Any) -> str | None:
    if name not in KNOWN:
        return f"the provider has no input '{name}'.{nearest(name, KNOWN)} It has: {listing(KNOWN, most=30)}"
    decoded = _decoded(value)
    if name in _REFUSED:
        return f"not supported: {_REFUSED[name]}; use the official plugin" if decoded not in ("", False) else None
    if name in _ALREADY_SO:
        only, why = _ALREADY_SO[name]
        return None if only is None or decoded in (only, "") else f"{decoded!r} is not supported: {why}"
    if name in _SWITCHES:
        return None if isinstance(decoded, bool) or decoded == "" else f"expected true or false, got {decoded!r}"
    if name in _SECTIONS:
        return _section_problem(name, decoded)
    return None if isinstance(reveal(value), str) else f"expected a string, got a {type(reveal(value)).__name__}"


def _section_problem(name: str, section: Any) -> str | None:
    if not isinstance(section, dict):
        return f"expected an object, got a {type(section).__name__}"
    for key, value in section.items():
        if key not in _SECTIONS[name]:
            return f"it has no '{key}'.{nearest(key, _SECTIONS[name])} It has: {listing(_SECTIONS[name])}"
        if key == "driver" and value not in (None, "", "secret"):
            return f"driver {value!r} is not supported: the stand-in keeps releases in Secrets ('secret')"
        if key == "pluginsPath" and value:
            return "pluginsPath is not supported: helm runs without plugins here"
        if name == "kubeClientSettings" and not isinstance(value, int | float | str | None):
            return f"{key}: expected a number, got {value!r}"
    return None


def parse(inputs: dict[str, Any]) -> Settings:
    """Return the settings of known inputs.

    Raises:
        PluginError: an input that is not known, of the wrong type, or not supported.
    """
    if problems := failures(inputs):
        lines = "; ".join(f"{name}: {message}" for name, message in problems)
        raise PluginError(f"Kubernetes provider: {lines}")
    plain = {name: _decoded(value) for name, value in inputs.items() if value is not None}
    texts = {name: str(reveal(inputs[name])) for name in _TEXTS if inputs.get(name) and inputs[name] is not UNKNOWN}
    client = plain.get("kubeClientSettings") or {}
    helm = plain.get("helmReleaseSettings") or {}
    return Settings(
        kubeconfig=texts.get("kubeconfig"),
        context=texts.get("context"),
        cluster=texts.get("cluster"),
        namespace=texts.get("namespace"),
        cluster_identifier=texts.get("clusterIdentifier"),
        qps=float(client["qps"]) if client.get("qps") else None,
        burst=int(client["burst"]) if client.get("burst") else None,
        request_timeout=float(client["timeout"]) if client.get("timeout") else None,
        registry_config_path=helm.get("registryConfigPath") or None,
        repository_config_path=helm.get("repositoryConfigPath") or None,
        repository_cache=helm.get("repositoryCache") or None,
        delete_unreachable=plain.get("deleteUnreachable") is True,
        skip_update_unreachable=plain.get("skipUpdateUnreachable") is True,
        enable_patch_force=plain.get("enablePatchForce") is True,
        enable_config_map_mutable=plain.get("enableConfigMapMutable") is True,
        enable_secret_mutable=plain.get("enableSecretMutable") is True,
        upsert_existing_objects=plain.get("upsertExistingObjects") is True,
    )
