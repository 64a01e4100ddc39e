"""The kubeconfig: finding it, choosing its context, comparing clusters."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from pathlib import Path
from typing import Any

from qhub.rehearsal.plugins.errors import PluginError, listing, nearest
from qhub.rehearsal.plugins.kubernetes.settings import Settings
from qhub.rehearsal.plugins.wire import Secret, reveal, secret_strings

_FILE_KEYS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_SECRET_NAME = re.compile("TOKEN|SECRET|PASSWORD|CREDENTIAL|KEY")
_CREDENTIAL_KEYS = ("token", "password", "client-key-data", "client-certificate-data")


@dataclasses.dataclass(frozen=True)
class Target:
    """One context of a kubeconfig, resolved.

    Attributes:
        document: a kubeconfig with that context as the current one, and absolute file names.
        context: its name.
        server: URL of the API server.
        namespace: namespace for objects that name none.
    """

    document: dict[str, Any]
    context: str
    server: str
    namespace: str


def _parse(text: str, origin: str) -> dict[str, Any]:
    try:
        document = json.loads(text)  # much quicker than YAML, and what programs write
    except ValueError:
        import yaml

        try:
            document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe ones
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f" at line {mark.line + 1}" if mark else ""
            raise PluginError(f"the kubeconfig ({origin}) is no valid YAML{where}") from None
    if not isinstance(document, dict) or "clusters" not in document:
        raise PluginError(
            f"the kubeconfig ({origin}) has no 'clusters': expected the content of a kubeconfig, or its path"
        )
    return document


def load(text: str | None) -> dict[str, Any]:
    """Return a kubeconfig document from its content, its path, or (with `None`) from where kubectl finds it.

    Raises:
        PluginError: no such file, or not a kubeconfig. The content is never part of the message.
    """
    if text and ("\n" in text.strip() or text.lstrip().startswith("{")):
        return _parse(text, "given as text")
    named = text or os.environ.get("KUBECONFIG") or "~/.kube/config"
    candidates = [Path(part).expanduser() for part in named.split(os.pathsep) if part]
    found = [
        _absolute(_parse(path.read_text(encoding="utf-8"), str(path)), path.resolve().parent)
        for path in candidates
        if path.is_file()
    ]
    if not found:
        origin = "the provider's `kubeconfig`" if text else "KUBECONFIG or ~/.kube/config"
        raise PluginError(
            f"no kubeconfig at {', '.join(map(str, candidates))} ({origin}): "
            "give the provider a `kubeconfig` (content or path)"
        )
    return found[0] if len(found) == 1 else _merged(found)


def _merged(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Return several kubeconfigs as one, as kubectl does: of two entries with one name the first counts."""
    merged: dict[str, Any] = {"apiVersion": "v1", "kind": "Config"}
    for section in ("clusters", "users", "contexts"):
        entries = {
            entry.get("name"): entry for document in reversed(documents) for entry in document.get(section) or []
        }
        merged[section] = list(entries.values())
    merged["current-context"] = next((one["current-context"] for one in documents if one.get("current-context")), "")
    return merged


def _absolute(document: dict[str, Any], base: Path) -> dict[str, Any]:
    """Return the document with its file names absolute; in a kubeconfig they are relative to its own folder."""
    for section, inner in (("clusters", "cluster"), ("users", "user")):
        for entry in document.get(section) or []:
            body = entry.get(inner) or {}
            for key in _FILE_KEYS:
                if body.get(key):
                    body[key] = str(base / body[key])
    return document


def _named(document: dict[str, Any], section: str, inner: str) -> dict[str, dict[str, Any]]:
    entries = document.get(section) or []
    return {entry.get("name", ""): entry.get(inner) or {} for entry in entries if isinstance(entry, dict)}


def _chosen(document: dict[str, Any], settings: Settings) -> tuple[str, dict[str, Any], str, dict[str, Any]]:
    contexts = _named(document, "contexts", "context")
    name = settings.context or document.get("current-context") or ""
    if not name and not settings.cluster:
        raise PluginError(
            "the kubeconfig has no current-context: set the provider's `context` to one of its contexts: "
            f"{listing(contexts)}"
        )
    if name and name not in contexts:
        raise PluginError(
            f"the kubeconfig has no context '{name}'.{nearest(name, contexts)} Its contexts: {listing(contexts)}"
        )
    context = contexts.get(name, {})
    clusters = _named(document, "clusters", "cluster")
    cluster_name = settings.cluster or context.get("cluster") or ""
    if cluster_name not in clusters:
        raise PluginError(
            f"the kubeconfig has no cluster '{cluster_name}'{f' (context {name!r} names it)' if name else ''}."
            f"{nearest(cluster_name, clusters)} Its clusters: {listing(clusters)}"
        )
    return name, context, cluster_name, clusters[cluster_name]


def resolve(settings: Settings) -> Target:
    """Return the context that the settings choose.

    Raises:
        PluginError: no kubeconfig; no such context, cluster or user; the message lists those that exist.
    """
    document = load(settings.kubeconfig)
    name, context, cluster_name, cluster = _chosen(document, settings)
    users = _named(document, "users", "user")
    user_name = context.get("user") or ""
    if user_name and user_name not in users:
        raise PluginError(
            f"the kubeconfig has no user '{user_name}' (context '{name}' names it). Its users: {listing(users)}"
        )
    server = str(cluster.get("server") or "")
    if not server:
        raise PluginError(f"cluster '{cluster_name}' of the kubeconfig has no server address")
    namespace = settings.namespace or context.get("namespace") or "default"
    label = name or cluster_name
    chosen = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": label,
        "contexts": [{"name": label, "context": {"cluster": "it", "user": "me", "namespace": namespace}}],
        "clusters": [{"name": "it", "cluster": cluster}],
        "users": [{"name": "me", "user": users.get(user_name, {})}],
    }
    return Target(document=chosen, context=label, server=server, namespace=namespace)


def active_cluster(settings: Settings) -> dict[str, Any] | None:
    """Return the cluster entry that the settings choose, or `None` where it cannot be told."""
    try:
        return _chosen(load(settings.kubeconfig), settings)[3]
    except PluginError:
        return None


def credentials(document: dict[str, Any]) -> set[str]:
    """Return the secrets of a kubeconfig."""
    found: set[str] = set()
    for user in _named(document, "users", "user").values():
        found |= {str(user[key]) for key in _CREDENTIAL_KEYS if user.get(key)}
        for variable in (user.get("exec") or {}).get("env") or []:
            if _SECRET_NAME.search(str(variable.get("name"))):  # others (a profile, a region) are words like any
                found.add(str(variable.get("value") or ""))
    return found - {""}


def secrets_of(inputs: dict[str, Any]) -> set[str]:
    """Return the strings of the provider's inputs that must never be shown.

    Of a kubeconfig these are its credentials, secret or not; the rest (names, addresses) is what errors are about.
    """
    found = secret_strings({key: value for key, value in inputs.items() if key != "kubeconfig"})
    text = reveal(inputs.get("kubeconfig"))
    if not isinstance(text, str) or not text:
        return found
    try:
        return found | credentials(load(text))
    except PluginError:
        return {*found, text} if isinstance(inputs["kubeconfig"], Secret) else found
