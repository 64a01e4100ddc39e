"""Read a kubeconfig as kubectl does, and cut it down to the one context that is wanted. No Pulumi in here."""

from __future__ import annotations

import base64
import difflib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qhub.errors import InputError

#: Fields that name a file, by section -> the field that holds the file's bytes in base64 instead.
FILE_FIELDS = {
    "clusters": {"certificate-authority": "certificate-authority-data"},
    "users": {"client-certificate": "client-certificate-data", "client-key": "client-key-data"},
}

#: kubeconfig calls the list `clusters` and what an entry holds `cluster`.
SECTIONS = {"clusters": "cluster", "users": "user", "contexts": "context"}


class KubeconfigError(InputError):
    """A kubeconfig file, or a context in it, is not there or not usable. The message is for the person at the desk."""


def find_kubeconfigs(stated: Path | None, *, environment: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """Return the kubeconfig files to read, in order.

    Args:
        stated: the file that the settings name, in full; None to look where kubectl looks.
        environment: environment variables; the process's own by default.

    Raises:
        KubeconfigError: there is none.
    """
    if stated is not None:
        if not stated.is_file():
            raise KubeconfigError(
                f"cluster.kubeconfig: there is no file {stated}.{_similar_file(stated)} "
                "For the embedded cluster, start it first: qhub cluster start."
            )
        return (stated,)
    values = os.environ if environment is None else environment
    listed = [Path(part).expanduser() for part in values.get("KUBECONFIG", "").split(os.pathsep) if part]
    candidates = listed or [Path(values.get("HOME", "~")).expanduser() / ".kube" / "config"]
    # kubectl too passes over files of $KUBECONFIG that are not there.
    found = tuple(path for path in candidates if path.is_file())
    if not found:
        where = "$KUBECONFIG names" if listed else "$KUBECONFIG is not set, and the default is"
        raise KubeconfigError(
            f"no kubeconfig: {where} {', '.join(map(str, candidates))}, which does not exist. "
            "Set cluster.kubeconfig to the file of your cluster."
        )
    return found


def load_kubeconfig(paths: Sequence[Path]) -> dict[str, Any]:
    """Read files and merge them: of two entries with one name the first counts, as in kubectl.

    Files that entries point at (certificates, keys) are read and put in, so that the result holds anywhere.

    Raises:
        KubeconfigError: a file is no kubeconfig, or one that it points at cannot be read.
    """
    merged: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "current-context": ""}
    entries: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    for path in paths:
        loaded = _read(path)
        merged["current-context"] = merged["current-context"] or loaded.get("current-context") or ""
        for section, inner in SECTIONS.items():
            for entry in loaded.get(section) or ():
                body = _with_files(entry.get(inner) or {}, section, path)
                entries[section].setdefault(entry["name"], body)
    return merged | entries


def minify(kubeconfig: Mapping[str, Any], context: str | None) -> str:
    """Return a kubeconfig with one context, its cluster and its user, always as the same text.

    Args:
        kubeconfig: as `load_kubeconfig` returns it.
        context: name of the context; None for the current one.

    Returns:
        JSON with sorted keys, which is YAML too. A changed order of keys would look like another cluster.

    Raises:
        KubeconfigError: no such context, or it names a cluster or user that is missing.
    """
    contexts = kubeconfig["contexts"]
    name = context or kubeconfig["current-context"]
    if not name:
        raise KubeconfigError(
            f"cluster.context is not set, and the kubeconfig has no current context. {_choices(contexts, None)}"
        )
    if name not in contexts:
        raise KubeconfigError(f'cluster.context: there is no context "{name}". {_choices(contexts, name)}')
    wanted = contexts[name]
    kept = [
        {"name": wanted.get(inner), inner: kubeconfig[section].get(wanted.get(inner))}
        for section, inner in (("clusters", "cluster"), ("users", "user"))
    ]
    for entry, kind in zip(kept, ("cluster", "user"), strict=True):
        if entry[kind] is None:
            raise KubeconfigError(
                f'the context "{name}" names the {kind} "{entry["name"]}", which the kubeconfig does not have'
            )
    return _written(name, wanted, kept)


def one_context(name: str, *, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> str:
    """Return a kubeconfig with one cluster, user and context of that name, always as the same text.

    Args:
        name: name of all three.
        cluster: how the API server is reached.
        user: how one signs in there.
    """
    context = {"cluster": name, "user": name}
    return _written(name, context, [{"name": name, "cluster": cluster}, {"name": name, "user": user}])


def _written(name: str, context: Any, kept: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "contexts": [{"name": name, "context": context}],
            "clusters": [kept[0]],
            "users": [kept[1]],
        },
        sort_keys=True,
    )


def _read(path: Path) -> dict[str, Any]:
    """Return a kubeconfig file as a dict. Nothing of its contents gets into an error: it holds keys.

    Raises:
        KubeconfigError: not readable, not YAML, or not a kubeconfig.
    """
    import yaml

    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise KubeconfigError(f"cannot read the kubeconfig {path}: {type(error).__name__}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise KubeconfigError(f"the kubeconfig {path} is not YAML: {error.problem} in line {line}") from None
    if not isinstance(loaded, dict) or not isinstance(loaded.get("contexts") or [], list):
        raise KubeconfigError(f"{path} is not a kubeconfig: it has no list of contexts")
    return loaded


def _with_files(body: Mapping[str, Any], section: str, path: Path) -> dict[str, Any]:
    """Return a cluster or user with the files it points at put in. They are relative to the kubeconfig's own folder.

    Raises:
        KubeconfigError: such a file cannot be read.
    """
    filled = dict(body)
    for field, data_field in FILE_FIELDS.get(section, {}).items():
        named = filled.pop(field, None)
        if not named or filled.get(data_field):
            continue
        file = path.parent / Path(named).expanduser()
        try:
            filled[data_field] = base64.b64encode(file.read_bytes()).decode()
        except OSError as error:
            raise KubeconfigError(
                f"{path} points at {file} ({field}), which cannot be read: {error.strerror}"
            ) from None
    if filled.get("tokenFile"):
        filled["tokenFile"] = str((path.parent / Path(filled["tokenFile"]).expanduser()).absolute())
    return filled


def _choices(contexts: Mapping[str, Any], wanted: str | None) -> str:
    """Return a sentence on the contexts there are, and the nearest to what was asked for."""
    if not contexts:
        return "It has no context at all."
    near = difflib.get_close_matches(wanted, contexts, n=1) if wanted else []
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"It has: {', '.join(sorted(contexts))}.{hint}"


def _similar_file(path: Path) -> str:
    """Return a hint on a file of nearly the same name in the same folder."""
    if not path.parent.is_dir():
        return f" The folder {path.parent} does not exist either."
    near = difflib.get_close_matches(path.name, [other.name for other in path.parent.iterdir()], n=1)
    return f" Did you mean {path.with_name(near[0])}?" if near else ""
