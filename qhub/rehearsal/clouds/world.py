"""The simulated clouds on disk: what is in them now, and what has happened.

One folder holds every cloud of a rehearsal. Several plugin processes use it at once, and any of them may be killed:
a resource is one file, written whole or not at all; an event is one line, appended in one write.

    <world>/resources/<cloud>/<type>/<id>.json
    <world>/events.jsonl
    <world>/clock.json
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from qhub.rehearsal.clouds import trees
from qhub.rehearsal.clouds.files import write_atomically
from qhub.rehearsal.plugins.errors import PluginError
from qhub.rehearsal.plugins.wire import UNKNOWN

#: Folder of the world. A cloud's stand-in does nothing without it.
WORLD_VARIABLE = "QHUB_REHEARSAL_WORLD"
#: Seconds that a process waits for another one's read-and-write of a few small files.
_LOCK_SECONDS = 60.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Record:
    """One resource of a simulated cloud, all values plain.

    Attributes:
        cloud, type, id: what it is.
        name: logical name in the program that made it.
        urn: its URN.
        inputs: as asked for.
        outputs: what the cloud says about it, inputs included.
        notes: what the stand-in keeps with it.
        seed: what its ids are made of.
        given: True for what was there before the rehearsal (a network, a registry): it is put here by whoever begins
            the rehearsal, and no program has made it.
        ready: False while it is being made; it stays so where the plugin was killed meanwhile.
    """

    cloud: str
    type: str
    id: str
    name: str
    urn: str
    inputs: dict[str, Any]
    outputs: dict[str, Any] = dataclasses.field(default_factory=dict)
    notes: dict[str, Any] = dataclasses.field(default_factory=dict)
    seed: str = ""
    ready: bool = True
    given: bool = False

    def get(self, path: str, default: Any = None) -> Any:
        """Return the output at a path, or the input where the resource is not ready; `id` is its id."""
        if path == "id":
            return self.id
        value = trees.at(self.outputs or self.inputs, path)
        return default if value is None else value

    def each(self, path: str) -> list[Any]:
        """Return what a path with `*` stands for in its outputs."""
        tree = self.outputs or self.inputs
        return [value for _, value in trees.each(tree, path) if value is not None and value is not UNKNOWN]

    def __str__(self) -> str:
        return f'{self.type} "{self.name}" ({self.id})'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Event:
    """One operation on a simulated cloud.

    Attributes:
        began, ended: simulated seconds since the world began.
        cloud, type, name, urn: the resource.
        operation: create, update, delete, read.
        result: "done", "failed" or "cancelled".
        message: why, where it failed; holds no secret.
    """

    began: float
    ended: float
    cloud: str
    type: str
    name: str
    urn: str
    operation: str
    result: str
    message: str = ""


class World:
    """The simulated clouds in a folder, which is made where it is missing.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        (self.folder / "resources").mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = FileLock(self.folder / "world.lock", timeout=_LOCK_SECONDS, thread_local=True)

    @contextmanager
    def locked(self) -> Generator[None]:
        """Keep every other thread and process from changing the world: for what is read and then written."""
        # Looked at oftener than by default (50 ms): at the speed of a rehearsal that would be seconds.
        with self._lock.acquire(poll_interval=0.005):
            yield

    def put(self, record: Record) -> None:
        """Add or replace a resource."""
        file = self._file(record.cloud, record.type, record.id)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(dataclasses.asdict(record), indent=1, sort_keys=True))

    def get(self, cloud: str, token: str, id: str) -> Record | None:
        """Return a resource, None where there is none."""
        return _read(self._file(cloud, token, id))

    def remove(self, cloud: str, token: str, id: str) -> None:
        """Remove a resource; one that is gone is no error."""
        self._file(cloud, token, id).unlink(missing_ok=True)

    def records(self, cloud: str | None = None, token: str | None = None) -> list[Record]:
        """Return the resources of all clouds, of one, or of one type, sorted by cloud, type, name and id."""
        pattern = f"{_quoted(cloud) if cloud else '*'}/{_quoted(token) if token else '*'}/*.json"
        found = [record for file in (self.folder / "resources").glob(pattern) if (record := _read(file)) is not None]
        return sorted(found, key=lambda record: (record.cloud, record.type, record.name, record.id))

    def left(self) -> list[Record]:
        """Return what programs have made and not deleted. After a `destroy` it is empty."""
        return [record for record in self.records() if not record.given]

    def log(self, event: Event) -> None:
        """Append an event."""
        line = json.dumps(dataclasses.asdict(event), sort_keys=True) + "\n"
        descriptor = os.open(self.folder / "events.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def events(self) -> list[Event]:
        """Return what has happened, in the order in which it ended. A line cut short by a kill is left out."""
        try:
            lines = (self.folder / "events.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        except FileNotFoundError:
            return []
        return [Event(**json.loads(line)) for line in lines if line.endswith("}\n")]

    def _file(self, cloud: str, token: str, id: str) -> Path:
        return self.folder / "resources" / _quoted(cloud) / _quoted(token) / f"{_quoted(id)}.json"


def world_of_environment() -> World:
    """Return the world of `QHUB_REHEARSAL_WORLD`.

    Raises:
        PluginError: it is not set: nobody asked for a rehearsal.
    """
    folder = os.environ.get(WORLD_VARIABLE)
    if not folder:
        raise PluginError(
            f"this is a stand-in for a cloud, for rehearsals only, and {WORLD_VARIABLE} is not set: "
            "use `qhub rehearse`, or the official plugin for a real cloud"
        )
    return World(Path(folder).expanduser())


def _quoted(text: str) -> str:
    """Return a file name for any id; long or odd ones are told apart by a digest."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", text)
    if plain == text and len(text) <= 100:
        return text
    return f"{plain[:80]}.{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _read(file: Path) -> Record | None:
    try:
        return Record(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:  # never there, or removed while the folder was listed
        return None
