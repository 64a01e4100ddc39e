"""The version of the settings' form, and the upgrades from one to the next.

`qhub:version` says which form a file has; without it, the first. A change of the form (a key renamed or gone, a value
written another way) raises `CURRENT` and adds what changed to `UPGRADES`. `qhub migrate FILE` then writes the file
anew; until somebody does, a file of another version is told as such and nothing else of it is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, MutableSequence, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

#: The form that this QHub reads.
CURRENT = 1
#: How to have a newer QHub. `--upgrade qhub` would look in a package index, not where this one came from; and without
#: force pip keeps the one that is there where the other, of a later commit, has the same version number.
NEWER_QHUB = (
    "name a newer one in the line of requirements.txt that has qhub, and `pip install --force-reinstall -r "
    "requirements.txt`; in a checkout, `git pull`"
)
#: Key of the stack file.
KEY = "version"


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, kw_only=True)
class Renamed:
    """A key has another name in the same section, or its value is written another way.

    Attributes:
        key: the old key; `*` is any name or position.
        to: its new name; None where only the value changes.
        convert: makes the new value of the old one.
    """

    key: str
    to: str | None = None
    convert: Callable[[Any], Any] = _same


@dataclass(frozen=True, kw_only=True)
class Removed:
    """A key is gone.

    Attributes:
        key: the key; `*` is any name or position.
        instead: what to write, or why nothing is needed.
    """

    key: str
    instead: str


Change = Renamed | Removed
#: Version -> what changed with it. Every version after the first is there.
Upgrades = Mapping[int, Sequence[Change]]

#: No key has changed its name since the first version that made a cluster.
UPGRADES: Upgrades = {}


def version_of(settings: Mapping[str, Any]) -> int | None:
    """Return the version of some settings; None where what stands there is no number."""
    written = settings.get(KEY, 1)
    try:
        return int(written) if not isinstance(written, bool) else None
    except (OverflowError, TypeError, ValueError):
        return None


def wrong_version(settings: Mapping[str, Any], *, file: str = "FILE") -> str | None:
    """Return what is to be said about settings of another version; None where they are of this one.

    Args:
        settings: by key without the project's name.
        file: its name, for the command.
    """
    version = version_of(settings)
    if version is None or version < 1 or version == CURRENT:
        return None  # what is no version is told as such
    if version > CURRENT:
        return (
            f"the settings are of version {version}, and the QHub that is installed knows up to {CURRENT}: {NEWER_QHUB}"
        )
    return (
        f"the settings are of version {version}, and this QHub reads {CURRENT}: `qhub migrate {file}` writes them anew"
    )


def upgraded(
    settings: Mapping[str, Any], *, upgrades: Upgrades = UPGRADES, current: int = CURRENT
) -> tuple[dict[str, Any], list[str]]:
    """Return settings in the current form, and what changed. What was given stays as it is.

    Args:
        settings: by key without the project's name.
        upgrades, current: for tests.

    Raises:
        ValueError: the settings are newer than `current`, or their version is no number.
    """
    result = deepcopy(dict(settings))
    return result, list(upgrade(result, upgrades=upgrades, current=current))


def upgrade(
    settings: MutableMapping[str, Any], *, upgrades: Upgrades = UPGRADES, current: int = CURRENT
) -> Iterator[str]:
    """Bring settings to the current form where they stand; yield what changed. Comments of a YAML document stay.

    Raises:
        ValueError: as for `upgraded`.
    """
    version = version_of(settings)
    if version is None or not 1 <= version <= current:
        raise ValueError(f"version {settings.get(KEY)} is none of 1 to {current}")
    for step in range(version + 1, current + 1):
        for change in upgrades[step]:
            yield from _apply(settings, change, change.key.split("."), ())
    if version != current:
        settings[KEY] = current


def _apply(here: Any, change: Change, steps: list[str], path: tuple[str, ...]) -> Iterator[str]:
    step, rest = steps[0], steps[1:]
    if isinstance(here, MutableMapping):
        names = list(here) if step == "*" else [step] if step in here else []
    else:
        names = list(range(len(here))) if step == "*" and isinstance(here, MutableSequence) else []
    for name in names:
        if rest:
            yield from _apply(here[name], change, rest, (*path, str(name)))
        else:
            yield _told(change, (*path, str(name)))
            _change(here, name, change)


def _change(here: Any, name: Any, change: Change) -> None:
    if isinstance(change, Removed):
        del here[name]
        return
    value = change.convert(here[name])
    if change.to is None:
        here[name] = value
        return
    # Made anew in the same order: a plain map and one of ruamel's, whose comments hang on the key.
    rest = [(key, here[key]) for key in list(here)[list(here).index(name) + 1 :]]
    comments = getattr(getattr(here, "ca", None), "items", {})
    if name in comments:
        comments[change.to] = comments.pop(name)
    kept = {key: comments[key] for key, _ in rest if key in comments}
    for key in (name, *(key for key, _ in rest)):
        del here[key]
    here[change.to] = value
    for key, below in rest:
        here[key] = below
    comments.update(kept)


def _told(change: Change, path: tuple[str, ...]) -> str:
    key = ".".join(path)
    if isinstance(change, Removed):
        return f"{key} is gone: {change.instead}"
    return f"{key} is written another way" if change.to is None else f"{key} is {change.to} now"
