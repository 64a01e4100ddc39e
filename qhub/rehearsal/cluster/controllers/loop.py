"""Watching and acting: keeps a controller's objects up to date and carries out what it wants done.

A controller is called with all of its objects whenever one changed, and again later when an action failed, so that it
needs no memory of its own and no step may be missed.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from qhub.rehearsal.cluster.api import UNREACHABLE, Api, ApiError
from qhub.rehearsal.cluster.controllers.actions import (
    Action,
    Again,
    Create,
    Delete,
    Json,
    Patch,
    Recorded,
    Warn,
    World,
)
from qhub.rehearsal.cluster.controllers.scaling_log import Scaling, append_scaling, read_scalings

logger = logging.getLogger(__name__)

#: Seconds between attempts while the API server is away.
RETRY = 0.5
#: Seconds after which a failed action is tried again, doubled each time, and at most between two looks at everything.
FAILED_AGAIN = 0.5
RESYNC = 30.0


@dataclass(frozen=True)
class Controller:
    """A name, the collections to watch, and the function from their objects to actions.

    `settle`: seconds to wait after a change, so that what comes together is seen together.
    """

    name: str
    collections: Sequence[str]
    reconcile: Callable[[World], Iterable[Action]]
    settle: float = 0.0


@dataclass
class Store:
    """The objects of some collections as this process knows them, by collection and uid."""

    collections: dict[str, dict[str, Json]]
    synced: set[str] = field(default_factory=set)
    changed: threading.Condition = field(default_factory=threading.Condition)
    dirty: bool = False

    def replace(self, collection: str, items: Iterable[Json]) -> None:
        """Take a fresh list for all there is."""
        with self.changed:
            self.collections[collection] = {item["metadata"]["uid"]: item for item in items}
            self.synced.add(collection)
            self._touch()

    def put(self, collection: str, item: Json) -> None:
        """Take a new or changed object, unless what is known is newer: a watch runs behind our own writes."""
        with self.changed:
            known = self.collections[collection].get(item["metadata"]["uid"])
            if known is None or _version(known) < _version(item):
                self.collections[collection][item["metadata"]["uid"]] = item
                self._touch()

    def drop(self, collection: str, item: Json) -> None:
        """Forget an object that is gone."""
        with self.changed:
            self.collections[collection].pop(item["metadata"]["uid"], None)
            self._touch()

    def wait(self, seconds: float) -> dict[str, list[Json]]:
        """Wait for a change, for `seconds` at most, and return all objects."""
        with self.changed:
            self.changed.wait_for(lambda: self.dirty, timeout=seconds)
            self.dirty = False
            return {collection: list(items.values()) for collection, items in self.collections.items()}

    def wait_synced(self) -> None:
        """Wait until every collection was listed once."""
        with self.changed:
            self.changed.wait_for(lambda: self.synced == set(self.collections))

    def _touch(self) -> None:
        self.dirty = True
        self.changed.notify_all()


class Loop:
    """Runs one controller."""

    def __init__(self, controller: Controller, api: Api) -> None:
        """Remember controller and server; `start` begins."""
        self._controller = controller
        self._api = api
        self._store = Store({collection: {} for collection in controller.collections})
        self._warned: set[tuple[str, str]] = set()
        self._recorded: dict[Path, set[tuple[str, int]]] = {}

    def start(self) -> None:
        """Begin to watch and to act, on threads that end with the process; return once everything was read."""
        for collection in self._controller.collections:
            _run(self._watch, collection)
        self._store.wait_synced()
        _run(self._act)

    def _watch(self, collection: str) -> None:
        """List, then follow; list again when the server is away, forgets (410) or fails."""
        while True:
            try:
                listed = self._api.get(collection)
                self._store.replace(collection, listed["items"])
                version = listed["metadata"]["resourceVersion"]
                while True:
                    version = self._follow(collection, version)
            except ApiError as error:
                if error.status != HTTPStatus.GONE:
                    logger.warning("%s: watching %s: %s", self._controller.name, collection, error)
                    time.sleep(RETRY)
            except UNREACHABLE as error:
                logger.info("%s: the API server is away: %s", self._controller.name, error)
                time.sleep(RETRY)

    def _follow(self, collection: str, version: str) -> str:
        """Take in the events of one watch; return the version to go on from."""
        for event in self._api.watch(collection, version):
            item = event["object"]
            version = item["metadata"]["resourceVersion"]
            if event["type"] == "DELETED":
                self._store.drop(collection, item)
            elif event["type"] != "BOOKMARK":
                self._store.put(collection, item)
        return version

    def _act(self) -> None:
        wait, pause = 0.0, FAILED_AGAIN
        while True:
            world = self._store.wait(wait)
            if self._controller.settle:
                time.sleep(self._controller.settle)
                world = self._store.wait(0.0)
            # People are told last: what they are told about must not wait for it.
            actions = sorted(self._controller.reconcile(world), key=lambda action: isinstance(action, Warn))
            done = [self._try(action) for action in actions]
            wait, pause = (RESYNC, FAILED_AGAIN) if all(done) else (pause, min(2 * pause, RESYNC))
            wait = min([wait, *(action.seconds for action in actions if isinstance(action, Again))])

    def _try(self, action: Action) -> bool:
        """Carry an action out; tell whether it need not be tried again by itself."""
        try:
            self._do(action)
        except ApiError as error:
            if error.status in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
                return True  # somebody was faster; the change that made it so comes, or has come, by the watch
            logger.warning("%s: %s: %s", self._controller.name, action, error)
            return False
        except UNREACHABLE as error:
            logger.info("%s: the API server is away: %s", self._controller.name, error)
            return False
        return True

    def _do(self, action: Action) -> None:
        match action:
            case Create(path, body, folder):
                if folder:
                    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
                self._note(self._api.create(path, body), path)
            case Patch(path, body):
                self._note(self._api.merge(path, body), path)
            case Delete(path, uid, grace, folder):
                if folder and folder.exists():
                    shutil.rmtree(folder)
                conditions: Json = {"preconditions": {"uid": uid}} if uid else {}
                self._api.delete(path, options=conditions | ({} if grace is None else {"gracePeriodSeconds": grace}))
            case Warn() as warning:
                self._warn(warning)
            case Recorded(inner, file, scaling):
                self._do(inner)
                self._record(file, scaling)

    def _note(self, written: Json, path: str) -> None:
        """Take what the server answered into the store: the next look must not be at what was before our write."""
        for collection in self._controller.collections:
            if collection.rsplit("/", 1)[1] in path.split("/"):
                self._store.put(collection, written)

    def _warn(self, warning: Warn) -> None:
        meta = warning.about["metadata"]
        if (meta["uid"], warning.message) in self._warned:
            return
        event = event_object(warning, component=self._controller.name)
        self._api.create(f"/api/v1/namespaces/{meta['namespace']}/events", event)
        self._warned.add((meta["uid"], warning.message))

    def _record(self, file: Path, scaling: Scaling) -> None:
        if file not in self._recorded:  # what was written before a restart counts as well
            self._recorded[file] = {(known.node, known.change) for known in read_scalings(file)}
        key = (scaling.node, scaling.change)
        if key not in self._recorded[file]:
            append_scaling(file, scaling)
            self._recorded[file].add(key)


def _run(target: Callable[..., None], *args: str) -> None:
    """Run `target` on a thread; a mistake in it ends the whole process, so that it is seen and started again."""

    def guarded() -> None:
        try:
            target(*args)
        except BaseException:
            logger.exception("a controller failed")
            os._exit(1)

    threading.Thread(target=guarded, daemon=True).start()


def event_object(warning: Warn, *, component: str) -> Json:
    """Return the Event, as `kubectl describe` shows it."""
    meta = warning.about["metadata"]
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": f"{meta['name']}.", "namespace": meta["namespace"]},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": warning.kind,
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta["uid"],
        },
        "type": "Normal" if warning.normal else "Warning",
        "reason": warning.reason,
        "message": warning.message,
        "source": {"component": component},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }


def _version(item: Json) -> int:
    return int(item["metadata"]["resourceVersion"])
