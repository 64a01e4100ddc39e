"""Server-side apply and deletion, and what the API server's refusals mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qhub.rehearsal.plugins.errors import PluginError
from qhub.rehearsal.plugins.kubernetes.client import Api, ApiError
from qhub.rehearsal.plugins.kubernetes.discovery import Served
from qhub.rehearsal.plugins.kubernetes.naming import metadata

#: A webhook whose pod has just become ready may still be unknown to the API server for a moment.
_WEBHOOK_TRIES = 10
_WEBHOOK_SECONDS = 1.0


def apply(
    api: Api,
    served: Served,
    manifest: dict[str, Any],
    *,
    namespace: str | None,
    manager: str,
    force: bool,
    dry_run: bool = False,
    sleep: Callable[[float], None],
) -> dict[str, Any]:
    """Apply an object on the server and return it as it is then.

    Args:
        api: the API server.
        served: where objects of its kind lie.
        manifest: the object; unknown or misspelt fields are refused (`fieldValidation=Strict`).
        namespace: its namespace, `None` for a cluster-wide kind.
        manager: the field manager that owns the fields of `manifest`.
        force: take fields over from other managers instead of refusing.
        dry_run: compute the result, change nothing.
        sleep: waits, and raises when the run is cancelled.

    Raises:
        ApiError: refused; a conflict is explained.
    """
    query = {"fieldManager": manager, "force": str(force).lower(), "fieldValidation": "Strict"}
    if dry_run:
        query["dryRun"] = "All"
    path = served.path(namespace, metadata(manifest)["name"])
    for left in range(_WEBHOOK_TRIES, -1, -1):
        try:
            return api.request("PATCH", path, query=query, body=manifest, content_type="application/apply-patch+yaml")
        except ApiError as error:
            if error.status == 500 and "failed calling webhook" in error.message and left and not dry_run:
                sleep(_WEBHOOK_SECONDS)
                continue
            if error.reason == "Conflict":
                raise _conflict(error) from None
            raise
    raise AssertionError("the last round returns or raises")


def _conflict(error: ApiError) -> ApiError:
    """Explain which fields somebody else manages, and the ways out."""
    fields = [f"{cause.get('field', '?')} ({cause.get('message', '')})" for cause in error.details.get("causes") or []]
    error.args = (
        "another field manager owns fields that this program sets: "
        + ("; ".join(fields) or error.message)
        + ". Leave them out of the program, list them in `ignore_changes`, or take them over with the annotation "
        '`pulumi.com/patchForce: "true"`',
    )
    return error


def delete(api: Api, path: str, *, policy: str) -> bool:
    """Ask for the deletion of an object; return whether there was one.

    Args:
        api: the API server.
        path: where the object lies.
        policy: `Foreground`, `Background` or `Orphan`: what happens to the objects it owns.
    """
    try:
        api.request("DELETE", path, body={"propagationPolicy": policy, "kind": "DeleteOptions", "apiVersion": "v1"})
    except ApiError as error:
        if error.status == 404:
            return False
        raise
    return True


def managed_by(live: dict[str, Any], manager: str) -> bool:
    """Say whether this field manager has applied the object before."""
    entries = metadata(live).get("managedFields") or []
    return any(entry.get("manager") == manager and entry.get("operation") == "Apply" for entry in entries)


def explain(error: ApiError, what: str) -> PluginError:
    """Return the error with what it was about; an invalid object lists each wrong field."""
    causes = error.details.get("causes") or []
    if error.reason == "Invalid" and len(causes) > 1:
        lines = "".join(f"\n  {cause.get('field', '')}: {cause.get('message', '')}" for cause in causes)
        return PluginError(f"{what}: the API server refused it:{lines}")
    if error.status == 403 and "is being terminated" in str(error):
        return PluginError(f"{what}: {error}. Wait until the namespace is gone, then run again")
    return PluginError(f"{what}: {error}")
