"""Reading an object back: for a refresh, an import, a `get`."""

from __future__ import annotations

import contextlib
from typing import Any

from qhub.rehearsal.plugins.errors import PartialFailure
from qhub.rehearsal.plugins.kubernetes import checkpoint, drift, objects
from qhub.rehearsal.plugins.kubernetes.client import ApiError
from qhub.rehearsal.plugins.kubernetes.naming import field_manager, metadata, parse_id
from qhub.rehearsal.plugins.kubernetes.subject import SKIP_AWAIT, Cluster, Subject, kind_in_state
from qhub.rehearsal.plugins.kubernetes.waiting import READY, Look, readiness_of
from qhub.rehearsal.plugins.wire import mark_like, reveal


def read(
    cluster: Cluster, urn: str, resource_id: str, state: dict[str, Any], inputs: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return outputs and inputs of the object as it is now, or `None` where it is gone.

    With no inputs (an import, a `get`) they are made of the object itself.

    Raises:
        PartialFailure: it is there but not ready; kept in the state, so that the next update waits for it again.
    """
    kept, old_live = checkpoint.split(state)
    kind = kind_in_state(urn, reveal(old_live))
    served = cluster.discovery.find(kind)
    if served is None:
        return None
    namespace, name = parse_id(resource_id)
    live = cluster.api.find(served.path(namespace or cluster.api.target.namespace, name))
    if live is None:
        return None
    known = inputs or kept
    if not known or not metadata(known):
        found = checkpoint.protect(drift.imported_inputs(live), kind)
        manager = field_manager(urn)
        return checkpoint.outputs(live, found, kind, manager=manager, imported=True), found
    subject = Subject(cluster, urn, kind, known)
    manager = subject.manager(state)
    applied = None
    with contextlib.suppress(ApiError):  # the spelling is compared where the dry run is refused
        applied = objects.send(subject, served, manager, dry_run=True, force=True)
    found = drift.drifted_inputs(subject.manifest, live, applied)
    if found != subject.manifest:
        cluster.engine.info(f"{subject.describe(namespace)} differs from what this stack applied", urn)
    marked = checkpoint.protect(mark_like(checkpoint.to_program(found), known), kind)
    initial = reveal(state.get(checkpoint.API_VERSION))
    outputs = checkpoint.outputs(
        live,
        marked,
        kind,
        manager=manager,
        initial_api_version=initial,
        imported=bool(state.get(checkpoint.IMPORTED)),
    )
    look = Look(cluster.api, subject.namespace(served), name)
    verdict = READY if subject.is_set(SKIP_AWAIT) else readiness_of(kind)(live, look)
    if not verdict.ready:
        told = f"{subject.describe(namespace)} is not ready: {verdict.message}"
        raise PartialFailure(told, resource_id=resource_id, properties=outputs, inputs=marked)
    return outputs, marked
