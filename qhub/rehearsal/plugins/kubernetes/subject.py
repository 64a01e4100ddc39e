"""What every operation on a cluster needs, and one object of a program."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from typing import Any

from qhub.rehearsal.plugins.kubernetes import checkpoint, kinds
from qhub.rehearsal.plugins.kubernetes.client import Api
from qhub.rehearsal.plugins.kubernetes.discovery import Discovery, Served
from qhub.rehearsal.plugins.kubernetes.helm.command import Helm
from qhub.rehearsal.plugins.kubernetes.kinds import Kind
from qhub.rehearsal.plugins.kubernetes.naming import field_manager, metadata, notes_of, object_id
from qhub.rehearsal.plugins.kubernetes.settings import Settings
from qhub.rehearsal.plugins.kubernetes.waiting import Waiter
from qhub.rehearsal.plugins.server import Engine
from qhub.rehearsal.plugins.wire import reveal

SKIP_AWAIT = "pulumi.com/skipAwait"
TIMEOUT_SECONDS = "pulumi.com/timeoutSeconds"
PATCH_FORCE = "pulumi.com/patchForce"
FIELD_MANAGER = "pulumi.com/patchFieldManager"
PROPAGATION = "pulumi.com/deletionPropagationPolicy"


@dataclasses.dataclass
class Cluster:
    """What every operation on a cluster needs."""

    api: Api
    discovery: Discovery
    settings: Settings
    engine: Engine
    cancelled: threading.Event
    helm: Helm

    def waiter(self, urn: str) -> Waiter:
        """Return a waiter that speaks for this resource."""
        return Waiter(api=self.api, engine=self.engine, cancelled=self.cancelled, urn=urn)


@dataclasses.dataclass
class Subject:
    """One object of the program: its kind, inputs and place.

    Attributes:
        urn: the resource.
        kind: its kind.
        inputs: its inputs, secrets marked.
    """

    cluster: Cluster
    urn: str
    kind: Kind
    inputs: dict[str, Any]

    @property
    def manifest(self) -> dict[str, Any]:
        """The inputs as the API server gets them."""
        return checkpoint.manifest(self.inputs)

    @property
    def name(self) -> str:
        """Name of the object."""
        return str(reveal(metadata(self.inputs).get("name")))

    def namespace(self, served: Served) -> str | None:
        """Return its namespace: given, or the provider's; `None` for a cluster-wide kind."""
        if not served.namespaced:
            return None
        return reveal(metadata(self.inputs).get("namespace")) or self.cluster.api.target.namespace

    def describe(self, namespace: str | None = None) -> str:
        """Return `Deployment hub/proxy`, as messages call it."""
        place = namespace or reveal(metadata(self.inputs).get("namespace"))
        return f"{self.kind.name} {object_id(place if isinstance(place, str) else None, self.name)}"

    def note(self, key: str) -> str | None:
        """Return one of the object's annotations."""
        found = reveal(notes_of(reveal(self.inputs)).get(key))
        return str(found) if found is not None else None

    def is_set(self, key: str) -> bool:
        """Say whether an annotation is there and true."""
        return (self.note(key) or "").lower() == "true"

    def seconds(self, given: float) -> float:
        """Return how long to wait: the program's custom timeout, the annotation, or the kind's own."""
        with contextlib.suppress(TypeError, ValueError):
            return given or float(self.note(TIMEOUT_SECONDS) or "")
        return self.kind.timeout

    def manager(self, state: dict[str, Any] | None = None) -> str:
        """Return the field manager: as the object says, as the state knows, or as made from the URN."""
        kept = reveal((state or {}).get(checkpoint.FIELD_MANAGER))
        return self.note(FIELD_MANAGER) or kept or field_manager(self.urn)


def kind_in_state(urn: str, live: dict[str, Any]) -> Kind:
    """Return the kind of an object of the state: a custom one may have been made with an older version of its API."""
    kind = kinds.of_token(kinds.type_token(urn))
    version = str(live.get("apiVersion") or "").rpartition("/")[2]
    return dataclasses.replace(kind, version=version) if version and kind.custom else kind
