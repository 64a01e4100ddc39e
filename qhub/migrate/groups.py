"""Names of groups: each group of theirs stays one group, by its own name where ours may be so."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from qhub.config.names import GroupName
from qhub.migrate.moving import Moving, Path

#: Most characters of a Unix group name (qhub.config.names).
LONGEST = 31
_ALLOWED = f'names are a-z, 0-9, "_" and "-", a letter first, at most {LONGEST}'


def name_groups(moving: Moving) -> None:
    """Give every group of the old file its name: first those that may stay as they are, then the declared ones."""
    named = list(_named(moving.document.data))
    for _, name in named:
        if _is_good(_theirs(name)):
            moving.groups[_theirs(name)] = _theirs(name)
    for path, name in named:
        group_name(moving, path, name)


def group_name(moving: Moving, path: Path, name: object) -> str:
    """Return our name of a group of theirs: the same wherever it stands, and another group's never.

    Args:
        moving: the migration, whose notes say where the name differs.
        path: where it stands in the old file.
        name: theirs.
    """
    theirs = _theirs(name)
    if theirs not in moving.groups:
        moving.groups[theirs] = _ours(moving, path, theirs)
    return moving.groups[theirs]


def _theirs(name: object) -> str:
    """Return the name without the `/` that Keycloak writes before it."""
    return str(name).strip("/ ")


def _ours(moving: Moving, path: Path, theirs: str) -> str:
    if _is_good(theirs):
        return theirs
    plain = _plain(theirs)
    taken = {ours: other for other, ours in moving.groups.items()}
    numbered = (f"{plain[: LONGEST - 4].rstrip('-')}-{number}" for number in range(2, 1000))
    ours = next(name for name in (plain, *numbered) if name not in taken)
    if ours != plain:
        moving.note(
            "asked",
            path,
            f"group {theirs} would be {plain} here, as {taken[plain]} is: it is {ours}; rename it, or make one of both",
        )
    else:
        moving.note("changed", path, f"group {theirs} is {ours} here, and its folder shared/{ours}: {_ALLOWED}")
    return ours


def _plain(theirs: str) -> str:
    """Return the name without capitals and accents, with `-` for what no name may have."""
    letters = unicodedata.normalize("NFKD", theirs.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    plain = re.sub(r"[^a-z0-9_-]+", "-", plain).strip("-")
    # A digit may not be first, and of letters that are none of a-z nothing is left.
    plain = f"group-{plain}".rstrip("-") if not plain or plain[0].isdigit() else plain
    return plain[:LONGEST].rstrip("-")


def _is_good(name: str) -> bool:
    try:
        _reader().validate_python(name)
    except ValidationError:
        return False
    return True


@cache
def _reader() -> TypeAdapter[str]:
    return TypeAdapter(GroupName)


def _named(data: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Yield every name of a group in the old file with its place, the declared ones first."""
    security, profiles = _map(data, "security"), _map(data, "profiles")
    yield from ((("security", "groups", name), name) for name in _map(security, "groups"))
    for name, user in _map(security, "users").items():
        yield from _below(user, ("security", "users", name), ("primary_group", "secondary_groups"))
    for choices in ("jupyterlab", "dask_worker"):
        written = profiles.get(choices)
        listed = enumerate(written) if isinstance(written, list) else ()
        for place, profile in written.items() if isinstance(written, Mapping) else listed:
            yield from _below(profile, ("profiles", choices, place), ("groups",))


def _below(value: Any, path: Path, keys: tuple[str, ...]) -> Iterator[tuple[Path, Any]]:
    for key in keys if isinstance(value, Mapping) else ():
        written = value.get(key)
        if isinstance(written, list):
            yield from (((*path, key, place), name) for place, name in enumerate(written) if name)
        elif written:
            yield (*path, key), written


def _map(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}
