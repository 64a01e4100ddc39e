"""Settings that several environments share: a file of the same form as a stack's, under the stack's own.

Maps are laid over each other key by key; lists and single values of the stack replace those of the base. A section that
the stack gives another kind (`storage.kind`, `authentication.type`, `cluster.provider`) replaces the base's as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from qhub.config.document import Document, read_document
from qhub.config.judge import Finding
from qhub.config.shape import Path, is_encrypted
from qhub.config.unread import CONFIG, own_name
from qhub.config.versions import KEY as VERSION
from qhub.config.versions import wrong_version

#: Key of a stack file that names the base.
KEY = "base"
#: Keys that say something of one file, and are not laid over each other.
OF_A_FILE = (KEY, VERSION)
#: Keys that choose between kinds of a section.
_CHOICES = ("provider", "kind", "type")


def lay_over(base: Any, own: Any) -> Any:
    """Return `base` with `own` laid over it."""
    if not isinstance(base, Mapping) or not isinstance(own, Mapping) or is_encrypted(own):
        return own
    if any(key in base and key in own and base[key] != own[key] for key in _CHOICES):
        return own
    return {**base, **{key: lay_over(base[key], value) if key in base else value for key, value in own.items()}}


def lay_over_all(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a base with a stack's own laid over them; only the stack's own may name a base."""
    under = {key: value for key, value in shared.items() if key not in OF_A_FILE}
    return {**under, **{key: lay_over(under[key], value) if key in under else value for key, value in own.items()}}


def find_base(values: Mapping[str, Any], *, root: FilePath) -> tuple[Document | None, list[Finding]]:
    """Return the base that a stack's settings name, or None and what is wrong with the name.

    Args:
        values: the stack's own settings by key.
        root: folder of the project.
    """
    name = values.get(KEY)
    if not isinstance(name, str) or not name:
        return None, []  # no base, or a value that is told as of a wrong type
    try:
        return read_document(root / FilePath(name).expanduser()), []
    except (OSError, RuntimeError):  # the second one where there is no user of that name: `~ada/base.yaml`
        message = f'there is no file "{name}" that could be read; relative paths start at the folder of Pulumi.yaml'
        return None, [Finding((KEY,), message, showable=True)]


def settings_in(document: Document, *, project: str) -> dict[str, Any]:
    """Return the settings that a base has, by key without the project's name."""
    config = document.data.get(CONFIG)
    items = config.items() if isinstance(config, Mapping) else ()
    named = ((own_name(key, project=project), value) for key, value in items)
    return {name: value for name, value in named if name is not None}


def misplaced(values: Mapping[str, Any], *, file: str) -> Iterator[Finding]:
    """Yield what may not stand in a base: another base, another form, secrets, which each stack encrypts by itself.

    Args:
        values: the settings of the base.
        file: its name.
    """
    if told := wrong_version(values, file=file):
        yield Finding((KEY,), f"{file}: {told}")
    if KEY in values:
        yield Finding((KEY,), "a base has no base of its own: put everything into one file")
    for path in encrypted(dict(values), ()):
        yield Finding(path, "is encrypted, and every stack has a key of its own: put it into the stack's own file")


def encrypted(value: Any, path: Path) -> Iterator[Path]:
    """Yield the path of everything in a value that is written as `secure: <ciphertext>`."""
    if is_encrypted(value):
        yield path
        return
    entries = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, below in entries:
        yield from encrypted(below, (*path, key))
