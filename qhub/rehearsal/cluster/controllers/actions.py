"""What a controller wants done, as data: so that a test can look at it without a server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

#: All objects that a controller looks at, by collection path: lists of what the API server has.
World = Mapping[str, Iterable[Json]]


@dataclass(frozen=True)
class Create:
    """Create `body` in the collection at `path`."""

    path: str
    body: Json


@dataclass(frozen=True)
class Patch:
    """Change the object (or its status) at `path` by a JSON merge patch."""

    path: str
    body: Json


@dataclass(frozen=True)
class Delete:
    """Delete the object at `path`, if it is still the one with this `uid`."""

    path: str
    uid: str


@dataclass(frozen=True)
class Warn:
    """Tell people, by a Warning event, that `about`, an object of `kind`, cannot be served; once for each message."""

    kind: str
    about: Json
    reason: str
    message: str


Action = Create | Patch | Delete | Warn


def object_path(collection: str, item: Json, *, sub: str = "") -> str:
    """Return the path of an object, from the path of its cluster-wide collection.

    `sub` names a subresource, such as "status".
    """
    about = item["metadata"]
    prefix, kind = collection.rsplit("/", 1)
    within = f"/namespaces/{about['namespace']}" if "namespace" in about else ""
    return f"{prefix}{within}/{kind}/{about['name']}" + (f"/{sub}" if sub else "")
