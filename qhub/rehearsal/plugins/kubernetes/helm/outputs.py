"""The shape of a release in the stack's state: the inputs, and what Helm recorded."""

from __future__ import annotations

from typing import Any

from qhub.rehearsal.plugins.kubernetes.checkpoint import INPUTS
from qhub.rehearsal.plugins.kubernetes.helm.record import Record, objects_of
from qhub.rehearsal.plugins.kubernetes.naming import object_id
from qhub.rehearsal.plugins.wire import UNKNOWN, reveal


def planned(inputs: dict[str, Any], state: dict[str, Any] | None) -> dict[str, Any]:
    """Return the outputs of a preview."""
    status: Any = UNKNOWN
    if state is not None:
        old = reveal(state.get("status")) or {}
        status = {key: old[key] if key in ("name", "namespace") else UNKNOWN for key in old}
    return {**inputs, "status": status, "resourceNames": UNKNOWN}


def outputs(inputs: dict[str, Any], record: Record) -> dict[str, Any]:
    """Return what the state keeps of a release: the inputs, and what Helm recorded."""
    names: dict[str, list[str]] = {}
    for one in objects_of(record.manifest):
        group, _, _ = str(one["apiVersion"]).rpartition("/")
        key = f"{one['kind']}{'.' if group else ''}{group}/{one['apiVersion']}"
        names.setdefault(key, []).append(object_id(one["metadata"].get("namespace"), one["metadata"]["name"]))
    status = {
        "appVersion": str(record.chart.get("appVersion") or ""),
        "chart": str(record.chart.get("name") or ""),
        "name": str(record.document.get("name") or reveal(inputs.get("name"))),
        "namespace": str(record.document.get("namespace") or reveal(inputs.get("namespace"))),
        "revision": record.revision,
        "status": record.status,
        "version": str(record.chart.get("version") or ""),
    }
    shown = {**inputs, "resourceNames": {key: sorted(value) for key, value in sorted(names.items())}, "status": status}
    return {**shown, INPUTS: inputs}
