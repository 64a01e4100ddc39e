"""Where the API server keeps objects of a kind: asked group by group, when first needed."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

from qhub.rehearsal.plugins.errors import PluginError, listing, nearest
from qhub.rehearsal.plugins.kubernetes.client import Api
from qhub.rehearsal.plugins.kubernetes.kinds import Kind


@dataclasses.dataclass(frozen=True)
class Served:
    """A kind as the cluster serves it."""

    kind: Kind
    plural: str
    namespaced: bool

    def path(self, namespace: str | None, name: str | None = None) -> str:
        """Return the path of one object, or (without `name`) of the collection."""
        root = f"/apis/{self.kind.api_version}" if self.kind.group else f"/api/{self.kind.version}"
        scope = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{root}{scope}/{self.plural}" + (f"/{name}" if name else "")


class NotServed(PluginError):
    """The API server serves no such kind; for a custom resource, its definition is missing."""


class Discovery:
    """Answers which kinds the cluster serves, from one request per API version."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._known: dict[str, list[dict[str, Any]]] = {}

    def _resources(self, api_version: str, *, fresh: bool) -> list[dict[str, Any]]:
        with self._lock:
            if fresh or api_version not in self._known:
                root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
                found = self._api.find(root) or {}
                self._known[api_version] = [
                    one
                    for one in found.get("resources") or []
                    if "/" not in one["name"]  # not `pods/log`
                ]
            return self._known[api_version]

    def find(self, kind: Kind) -> Served | None:
        """Return how the cluster serves the kind, or `None`. A miss is asked again: a definition may be new."""
        for fresh in (False, True):
            for one in self._resources(kind.api_version, fresh=fresh):
                if one["kind"] == kind.name:
                    return Served(kind, one["name"], bool(one["namespaced"]))
        return None

    def get(self, kind: Kind) -> Served:
        """Return how the cluster serves the kind.

        Raises:
            NotServed: it does not; the message says what it serves of that group.
        """
        if served := self.find(kind):
            return served
        group = self._api.find(f"/apis/{kind.group}") or {}
        versions = [one["version"] for one in group.get("versions") or []]
        here = [one["kind"] for one in self._resources(kind.api_version, fresh=False)]
        if here:
            raise NotServed(
                f"the cluster serves {kind.api_version}, but no kind {kind.name} in it."
                f"{nearest(kind.name, here)} It has: {listing(here)}"
            )
        known = f"of group {kind.group} it serves {listing(versions)}" if versions else f"it has no group {kind.group}"
        raise NotServed(
            f"the cluster serves no {kind}: {known}. Where a chart or a CustomResourceDefinition of this program "
            "brings it, let this resource depend on that one"
        )
