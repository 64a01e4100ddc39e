"""A stack's file as a rehearsal runs it: nothing of the user's own is reached, and nothing is missing.

Pure functions over the parsed file; `workspace` writes the result.
"""

from __future__ import annotations

import copy
import secrets
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

#: What of a stack's file belongs to the place where its state is: the rehearsal has a place of its own.
BACKEND_KEYS = ("secretsprovider", "encryptedkey", "encryptionsalt", "environment", "backend")

#: Context of the embedded cluster, which takes the place of a cluster of the user's own.
CLUSTER = "rehearsal"
CONTEXT = f"qhub-{CLUSTER}"


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """A stack's file for the rehearsal.

    Attributes:
        document: the whole file.
        secrets: made-up values, by the path that `pulumi config set --path` takes.
        simulated: what was put in place of the user's own, one line each.
    """

    document: Mapping[str, Any]
    secrets: Mapping[str, str]
    simulated: tuple[str, ...]


def overlay(
    written: Mapping[str, Any],
    *,
    project: str,
    charts: Path,
    mirror: Path | str | None,
    kubeconfig: Path | None,
    logo: Path | None = None,
    extra_charts: Mapping[str, Path] = MappingProxyType({}),
    made_up: Sequence[str] = (),
) -> Overlay:
    """Return the stack's file with what a rehearsal replaces.

    Args:
        written: the file as the user wrote it.
        project: name of the project, which is the namespace of its keys.
        charts: folder of the contract charts, used where the settings name no mirror.
        mirror: the mirror of the settings, in full.
        kubeconfig: of the embedded cluster, for a stack on a cluster that is there already; None for any other.
        logo: file of the hub's logo, in full; None where the settings name none.
        extra_charts: folder or archive for the chart of each of the user's own releases that gets another.
        made_up: keys of `written` that the user's own file lacks.
    """
    document = {key: copy.deepcopy(value) for key, value in written.items() if key not in BACKEND_KEYS}
    config: dict[str, Any] = dict(document.get("config") or {})
    simulated: list[str] = []
    invented = {}
    for path in list(_encrypted(config)):
        parts = [str(part) for part in path]
        _remove(config, path)
        if parts[0].startswith(f"{project}:"):  # a provider's own key is of no use here: nothing real is reached
            invented[_engine_path(path)] = secrets.token_hex(16)
    if made_up:
        simulated.append(f"What the file lacks is made up: {', '.join(made_up)}")
    if names := ", ".join(key for path in sorted(invented) if (key := path.removeprefix(f"{project}:")) not in made_up):
        simulated.append(f"Secrets that only the stack's own key can read are made up: {names}")
    section = dict(config.get(f"{project}:charts") or {})
    section["mirror"] = str(charts if mirror is None else mirror)
    config[f"{project}:charts"] = section
    if kubeconfig is not None:
        cluster = dict(config.get(f"{project}:cluster") or {})
        config[f"{project}:cluster"] = {**cluster, "kubeconfig": str(kubeconfig), "context": CONTEXT}
    if logo is not None:
        hub = config[f"{project}:jupyterhub"]
        config[f"{project}:jupyterhub"] = {**hub, "theme": {**hub["theme"], "logo": str(logo)}}
    if extra_charts:
        releases = config[f"{project}:extra_releases"]
        config[f"{project}:extra_releases"] = {
            name: _with_chart(release, extra_charts[name]) if name in extra_charts else release
            for name, release in releases.items()
        }
    if "environment" in written:
        simulated.append("The file's `environment` (Pulumi ESC) is not read: what it gives is missing here")
    document["config"] = config
    return Overlay(document=document, secrets=invented, simulated=tuple(simulated))


def unprotected(document: Mapping[str, Any], *, project: str, storage: bool) -> dict[str, Any]:
    """Return a stack's file in which nothing is protected, as a person makes it before they destroy a stack.

    `storage` tells whether the stack's kind of storage has the key at all.
    """
    changed = copy.deepcopy(dict(document))
    for section in ("storage", "cluster"):
        value = changed["config"].get(f"{project}:{section}") or {}
        has_key = storage if section == "storage" else value.get("provider", "existing") != "existing"
        if has_key:
            changed["config"][f"{project}:{section}"] = {**value, "protect": False}
    return changed


def _with_chart(release: Mapping[str, Any], chart: Path) -> dict[str, Any]:
    """Return a release of the user's own with another chart: what said where to find its own one goes."""
    kept = {key: value for key, value in release.items() if key != "repository"}
    if "repository" in release or str(release["chart"]).startswith("oci://"):
        kept.pop("version", None)  # of a chart that is somewhere else
    return {**kept, "chart": str(chart)}


Path_ = tuple[str | int, ...]


def _encrypted(node: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Yield the paths of encrypted values, `{secure: ...}`."""
    if isinstance(node, Mapping):
        if set(node) == {"secure"}:
            yield path
            return
        for key, value in node.items():
            yield from _encrypted(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _encrypted(value, (*path, index))


def encrypted_paths(config: Any) -> list[str]:
    """Return the paths of encrypted values, as `pulumi config set --path` takes them."""
    return [_engine_path(path) for path in _encrypted(config)]


def _remove(config: Any, path: Path_) -> None:
    """Take a value away; in a list, where that would shift the others, leave an empty text for the made-up one."""
    for step in path[:-1]:
        config = config[step]
    if isinstance(config, MutableMapping):
        del config[path[-1]]
    else:
        config[path[-1]] = ""


def _engine_path(path: Path_) -> str:
    """Return a path as `pulumi config set --path` takes it."""
    first, *rest = path
    words = [f"[{step}]" if isinstance(step, int) else f'["{step}"]' if "." in step else f".{step}" for step in rest]
    return f"{first}{''.join(words)}"
