"""Disks and shares as a cloud makes them: `storage`, which takes its time and knows of zones."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from qhub.rehearsal.cluster.controllers import storage
from qhub.rehearsal.cluster.controllers.actions import Action, Json, World, object_path
from qhub.rehearsal.cluster.controllers.durations import FILE_SYSTEM
from qhub.rehearsal.cluster.controllers.pace import Pace
from qhub.rehearsal.cluster.controllers.pools import CONFIG_MAPS
from qhub.rehearsal.cluster.controllers.storage_names import CLAIMS
from qhub.rehearsal.cluster.controllers.volume_zones import Zones
from qhub.rehearsal.cluster.nodes import NODES

COLLECTIONS = (*storage.COLLECTIONS, NODES, CONFIG_MAPS)

#: On a claim: when its volume is there, in seconds since 1970.
VOLUME_AT = "rehearsal.qhub.dev/volume-at"


def reconcile(world: World, *, pace: Pace) -> list[Action]:
    """Return what is to be done, from claims, volumes, classes, nodes and pools."""
    return storage.reconcile(world, wait=partial(_wait, pace), zone=Zones.of(world).choose)


def _wait(pace: Pace, claim: Json, driver: str) -> Iterable[Action]:
    seconds = FILE_SYSTEM.get(driver, pace.durations.disk)
    return pace.wait(object_path(CLAIMS, claim), claim, VOLUME_AT, seconds)
