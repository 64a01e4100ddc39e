"""What a controller wants done, as data: so that a test can look at it without a server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qhub.rehearsal.cluster.controllers.scaling_log import Scaling

Json = dict[str, Any]

#: All objects that a controller looks at, by collection path: lists of what the API server has.
World = Mapping[str, Iterable[Json]]


@dataclass(frozen=True)
class Create:
    """Create `body` in the collection at `path`.

    `folder`: a volume's folder to be made before, root's and readable by all, as a new disk's is; it may be there.
    """

    path: str
    body: Json
    folder: Path | None = None


@dataclass(frozen=True)
class Patch:
    """Change the object (or its status) at `path` by a JSON merge patch."""

    path: str
    body: Json


@dataclass(frozen=True)
class Delete:
    """Delete the object at `path`, if it is still the one with this `uid` (empty: whichever it is).

    `grace`: seconds that a pod gets to end; None: as long as it asks for. `folder`: a volume's folder, to be removed
    before with all that is in it.
    """

    path: str
    uid: str
    grace: int | None = None
    folder: Path | None = None


@dataclass(frozen=True)
class Warn:
    """Tell people, by an event, about an object of `kind`, that it cannot be served; once for each message.

    `normal`: the event is good news, of type Normal.
    """

    kind: str
    about: Json
    reason: str
    message: str
    normal: bool = False


@dataclass(frozen=True)
class Recorded:
    """Do `action`, and when it is done write down in `file`, once for each node and change, what it was for."""

    action: Create | Patch | Delete
    file: Path
    scaling: Scaling


@dataclass(frozen=True)
class Again:
    """Look at everything again after this many seconds at the latest."""

    seconds: float


Action = Create | Patch | Delete | Warn | Recorded | Again


def object_path(collection: str, item: Json, *, sub: str = "") -> str:
    """Return the path of an object, from the path of its cluster-wide collection.

    `sub` names a subresource, such as "status".
    """
    about = item["metadata"]
    prefix, kind = collection.rsplit("/", 1)
    within = f"/namespaces/{about['namespace']}" if "namespace" in about else ""
    return f"{prefix}{within}/{kind}/{about['name']}" + (f"/{sub}" if sub else "")
