"""A stack's file as one document: its base laid under it, and what it lacks before its first `up` made up."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from qhub.config import Settings, SettingsError, load_settings_file
from qhub.config.base import KEY, find_base, lay_over_all, settings_in
from qhub.config.document import read_document
from qhub.config.engine import parsed

#: What only the user has, and a rehearsal can do without: the OAuth app of the stack, and who may sign in.
MADE_UP: Mapping[str, Any] = {"client_id": "rehearsal", "client_secret": {"secure": "made-up"}}
#: Ways of signing in that have such an app.
OAUTH_TYPES = ("github", "gitlab", "google", "azuread", "auth0", "oidc", "cilogon")
#: Keys of which each says that somebody may sign in.
NOBODY = (
    "organizations",
    "allowed_users",
    "allowed_groups",
    "admin_users",
    "admin_groups",
    "hosted_domains",
    "allow_all",
)
SECTION = "authentication"


@dataclass(frozen=True, kw_only=True)
class StackFile:
    """What is rehearsed.

    Attributes:
        settings: checked.
        written: the file as it is rehearsed, without a base.
        made_up: keys that the file lacks.
    """

    settings: Settings
    written: Mapping[str, Any]
    made_up: tuple[str, ...] = ()


def read_stack_file(file: Path, *, stack: str, root: Path, project: str) -> StackFile:
    """Read a stack's file for a rehearsal.

    Raises:
        SettingsError: the settings cannot be used; what is missing of the OAuth app alone is no such mistake.
    """
    written = _with_base(read_document(file).data, root=root, project=project) if file.is_file() else {}
    try:
        return StackFile(settings=load_settings_file(file, stack=stack, root=root), written=written)
    except SettingsError as error:
        if not all(mistake.key.split(".")[0] == SECTION for mistake in error.mistakes):
            raise
        completed, made_up = _completed(written, project=project)
        settings = _check(completed, stack=stack, root=root)
        if settings is None or not made_up:
            raise
        return StackFile(settings=settings, written=completed, made_up=made_up)


def _with_base(document: Mapping[str, Any], *, root: Path, project: str) -> dict[str, Any]:
    own, written = f"{project}:", document.get("config")
    # What is wrong here or with the base is told where the settings are read.
    config = {
        key: parsed(key.removeprefix(own), value) if key.startswith(own) else value
        for key, value in (written.items() if isinstance(written, Mapping) else ())
    }
    base, _ = find_base({KEY: config.pop(f"{project}:{KEY}", None)}, root=root)
    if base is not None:
        shared = settings_in(base, project=project)
        config = lay_over_all({f"{project}:{key}": value for key, value in shared.items() if key != KEY}, config)
    return {**document, "config": config}


def _completed(written: Mapping[str, Any], *, project: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the document with what it lacks, and the keys that were put in."""
    config = dict(written["config"])
    section = config.get(f"{project}:{SECTION}")
    if not isinstance(section, Mapping) or section.get("type") not in OAUTH_TYPES:
        return dict(written), ()
    added = {key: value for key, value in MADE_UP.items() if key not in section}
    if not any(section.get(key) for key in NOBODY):
        added["admin_users"] = ["rehearsal"]
    config[f"{project}:{SECTION}"] = {**section, **added}
    return {**written, "config": config}, tuple(f"{SECTION}.{key}" for key in added)


def _check(document: Mapping[str, Any], *, stack: str, root: Path) -> Settings | None:
    with tempfile.TemporaryDirectory(prefix="qhub-rehearsal-") as folder:
        file = Path(folder) / f"Pulumi.{stack}.yaml"
        with file.open("w", encoding="utf-8") as stream:
            YAML(typ="safe", pure=True).dump(dict(document), stream)
        try:
            return load_settings_file(file, stack=stack, root=root)
        except SettingsError:
            return None  # more is wrong than what is missing: the mistakes of the user's own file are told
