"""The life of one object: previewed, made, changed, deleted."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from qhub.rehearsal.plugins.errors import Interrupted, NotReadyError, PartialFailure, PluginError
from qhub.rehearsal.plugins.kubernetes import apply, checkpoint
from qhub.rehearsal.plugins.kubernetes.client import ApiError
from qhub.rehearsal.plugins.kubernetes.discovery import Served
from qhub.rehearsal.plugins.kubernetes.naming import metadata, object_id, parse_id
from qhub.rehearsal.plugins.kubernetes.subject import (
    PATCH_FORCE,
    PROPAGATION,
    SKIP_AWAIT,
    Cluster,
    Subject,
    kind_in_state,
)
from qhub.rehearsal.plugins.kubernetes.waiting import readiness_of
from qhub.rehearsal.plugins.kubernetes.waiting.diagnosis import diagnose
from qhub.rehearsal.plugins.treediff import parse_path, with_value_of
from qhub.rehearsal.plugins.wire import has_unknown, reveal

#: Kinds that own others: deleted last of all, so that "deleted" means that nothing runs any more.
_OWNERS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Namespace")
#: Sets `upsertExistingObjects` of the provider, which the SDK reads from it.
ADOPT = "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"
#: A CustomResourceDefinition that a release has just brought is served a moment later.
_DISCOVERY_TRIES, _DISCOVERY_SECONDS = 20, 0.5


def _served(subject: Subject, *, patient: bool) -> Served:
    """Return where objects of the kind lie; a definition that was just made is waited for a little."""
    waiter = subject.cluster.waiter(subject.urn)
    for left in range(_DISCOVERY_TRIES if patient and subject.kind.custom else 0, -1, -1):
        if found := subject.cluster.discovery.find(subject.kind):
            return found
        if left:
            waiter.say(f"waiting for the cluster to serve {subject.kind}")
            waiter.sleep(_DISCOVERY_SECONDS)
    return subject.cluster.discovery.get(subject.kind)


def _force(subject: Subject) -> bool:
    return subject.cluster.settings.enable_patch_force or subject.is_set(PATCH_FORCE)


def send(
    subject: Subject, served: Served, manager: str, *, dry_run: bool = False, force: bool | None = None
) -> dict[str, Any]:
    """Apply the object's inputs (or only compute the result: `dry_run`) and return the object as it is then."""
    return apply.apply(
        subject.cluster.api,
        served,
        subject.manifest,
        namespace=subject.namespace(served),
        manager=manager,
        force=_force(subject) if force is None else force,
        dry_run=dry_run,
        sleep=subject.cluster.waiter(subject.urn).sleep,
    )


def preview(subject: Subject, state: dict[str, Any] | None) -> dict[str, Any]:
    """Return the outputs that an update would bring, by a server-side dry run where one can be made.

    None can be made while an input is unknown, or the namespace or the definition of the kind does not exist yet
    because this very update brings it.

    Raises:
        PluginError: the API server refuses the object.
    """
    if has_unknown(subject.inputs):
        return checkpoint.previewed(None, subject.inputs, state, subject.kind)
    served = subject.cluster.discovery.find(subject.kind)
    if served is None:
        return checkpoint.previewed(None, subject.inputs, state, subject.kind)
    try:
        if state is None and not subject.kind.patch and _stands_in_the_way(subject, served):
            return checkpoint.previewed(None, subject.inputs, None, subject.kind)
        answer = send(subject, served, subject.manager(state), dry_run=True)
    except ApiError as error:
        # No such namespace yet; dry runs not allowed to this user; a webhook that cannot answer one.
        if error.status in (403, 404) or "does not support dry run" in error.message:
            return checkpoint.previewed(None, subject.inputs, state, subject.kind)
        raise apply.explain(error, subject.describe()) from None
    return checkpoint.previewed(answer, subject.inputs, state, subject.kind)


def _stands_in_the_way(subject: Subject, served: Served) -> bool:
    """Say whether a new object's name is still held by the one that it replaces, so that no dry run can be made.

    Raises:
        PluginError: the name is held by an object that is not this stack's.
    """
    existing = subject.cluster.api.find(served.path(subject.namespace(served), subject.name))
    if existing is None or subject.cluster.settings.upsert_existing_objects:
        return False
    if metadata(existing).get("deletionTimestamp") or apply.managed_by(existing, subject.manager()):
        return True
    raise _somebody_elses(subject, existing)


def create(subject: Subject, *, timeout: float) -> tuple[str, dict[str, Any]]:
    """Make the object, wait until it is ready, and return its id and outputs.

    An object of that name that this stack's own killed run has made is taken over.

    Raises:
        PartialFailure: it exists but is not ready; its state is kept.
        PluginError: it could not be made.
    """
    served = _served(subject, patient=True)
    namespace, manager = subject.namespace(served), subject.manager()
    what = subject.describe(namespace)
    path = served.path(namespace, subject.name)
    existing = subject.cluster.api.find(path)
    if subject.kind.patch:
        _must_be_there(subject, existing)
    elif existing is not None:
        _take_over(subject, existing, path, manager=manager, timeout=timeout)
    try:
        live = send(subject, served, manager)
    except ApiError as error:
        raise apply.explain(error, what) from None
    return _await(subject, served, live, manager=manager, timeout=timeout)


def _take_over(subject: Subject, existing: dict[str, Any], path: str, *, manager: str, timeout: float) -> None:
    """Decide what to do about an object that is already there.

    Raises:
        PluginError: it is somebody else's.
    """
    cluster, what = subject.cluster, subject.describe(metadata(existing).get("namespace"))
    if metadata(existing).get("deletionTimestamp"):
        cluster.engine.status(f"{what} of before is still being deleted", subject.urn)
        try:
            uid = metadata(existing).get("uid", "")
            cluster.waiter(subject.urn).until_gone(path, uid, seconds=subject.seconds(timeout))
        except NotReadyError as error:
            raise PluginError(f"{what} of before is in the way: {error}") from None
    elif apply.managed_by(existing, manager):
        cluster.engine.info(f"{what} was made by an interrupted run of this stack: going on with it", subject.urn)
    elif not cluster.settings.upsert_existing_objects:
        raise _somebody_elses(subject, existing)


def _must_be_there(subject: Subject, existing: dict[str, Any] | None) -> None:
    if existing is None or metadata(existing).get("deletionTimestamp"):
        raise PluginError(
            f"{subject.describe()} is to be patched, but it does not exist: make it first, or name another"
        )


def _somebody_elses(subject: Subject, existing: dict[str, Any]) -> PluginError:
    """Return what to say of an object that this stack did not make: the ways that the official plugin names, too."""
    found_id = object_id(metadata(existing).get("namespace"), subject.name)
    return PluginError(
        f"{subject.kind.name} {found_id} already exists and this stack did not make it. If it is to be this stack's: "
        f"{ADOPT}=true lets one run take over what is there, `pulumi import` with --parent and --provider takes in "
        "this one. Else give the new one another name"
    )


def update(subject: Subject, state: dict[str, Any], *, timeout: float, ignored: Iterable[str] = ()) -> dict[str, Any]:
    """Apply the new inputs, wait until the object is ready, and return its outputs.

    Args:
        subject: the object with its new inputs.
        state: its present state.
        timeout: the program's custom timeout in seconds, 0 for none.
        ignored: paths of `ignoreChanges`: they are applied with the values that they have in the cluster.

    Raises:
        PartialFailure: applied, but not ready.
        PluginError: refused.
    """
    served = _served(subject, patient=True)
    manager = subject.manager(state)
    subject = _keeping(subject, served, ignored)
    try:
        live = send(subject, served, manager)
    except ApiError as error:
        raise apply.explain(error, subject.describe(subject.namespace(served))) from None
    initial = reveal(state.get(checkpoint.API_VERSION))
    return _await(subject, served, live, manager=manager, timeout=timeout, initial=initial)[1]


def _keeping(subject: Subject, served: Served, ignored: Iterable[str]) -> Subject:
    """Return the subject with the ignored fields as somebody else (an autoscaler, say) has set them.

    Applied with its own value, such a field would be a conflict.
    """
    paths = [parse_path(text) for text in ignored]
    live = subject.cluster.api.find(served.path(subject.namespace(served), subject.name)) if paths else None
    if live is None:
        return subject
    inputs = subject.inputs
    for path in paths:
        inputs = with_value_of(inputs, live, path)
    return dataclasses.replace(subject, inputs=inputs)


def _await(
    subject: Subject,
    served: Served,
    live: dict[str, Any],
    *,
    manager: str,
    timeout: float,
    initial: str | None = None,
) -> tuple[str, dict[str, Any]]:
    namespace, name = subject.namespace(served), subject.name
    resource_id = object_id(namespace, name)

    def outputs(found: dict[str, Any]) -> dict[str, Any]:
        return checkpoint.outputs(found, subject.inputs, subject.kind, manager=manager, initial_api_version=initial)

    if subject.is_set(SKIP_AWAIT):
        return resource_id, outputs(live)
    waiter, rule = subject.cluster.waiter(subject.urn), readiness_of(subject.kind)
    try:
        ready = waiter.until_ready(served, namespace, name, rule, first=live, seconds=subject.seconds(timeout))
    except NotReadyError as error:
        account = diagnose(subject.cluster.api, error.state)
        told = f"{subject.describe(namespace)} was applied but is not ready: {error}" + (
            f"\n{account}" if account else ""
        )
        raise PartialFailure(told, resource_id=resource_id, properties=outputs(error.state)) from None
    except PluginError as error:
        why = "the run was cancelled while it was waited for" if isinstance(error, Interrupted) else str(error)
        told = f"{subject.describe(namespace)} was applied, but it is not known whether it is ready: {why}"
        raise PartialFailure(told, resource_id=resource_id, properties=outputs(live)) from None
    return resource_id, outputs(ready)


def delete(cluster: Cluster, urn: str, resource_id: str, state: dict[str, Any], *, timeout: float) -> None:
    """Delete the object and wait until it is gone; one that is gone already is no error.

    Raises:
        PluginError: still there after the timeout; the message names the finalizers that hold it.
    """
    kept, live = checkpoint.split(state)
    kind = kind_in_state(urn, reveal(live))
    subject = Subject(cluster, urn, kind, kept or reveal(live))
    served = cluster.discovery.find(kind)
    if served is None:
        cluster.engine.info(f"the cluster no longer serves {kind}: the object went with its definition", urn)
        return
    namespace, name = parse_id(resource_id)
    path = served.path(namespace or cluster.api.target.namespace, name)
    if kind.patch:
        _let_go(subject, served, path, manager=subject.manager(state))
        return
    policy = (subject.note(PROPAGATION) or ("Foreground" if kind.name in _OWNERS else "Background")).capitalize()
    if not apply.delete(cluster.api, path, policy=policy):
        return
    if subject.is_set(SKIP_AWAIT):
        return
    uid = str(reveal(metadata(live).get("uid")) or "")
    try:
        cluster.waiter(urn).until_gone(path, uid, seconds=subject.seconds(timeout))
    except NotReadyError as error:
        raise PluginError(f"{kind.name} {resource_id} is {error}") from None
    except Interrupted:
        raise PluginError(f"{kind.name} {resource_id}: cancelled while it was being deleted") from None


def _let_go(subject: Subject, served: Served, path: str, *, manager: str) -> None:
    """Take a patch away again: applied with no field at all, the fields that only this manager owned go."""
    if subject.cluster.api.find(path) is None:
        return
    bare = {key: subject.inputs[key] for key in ("apiVersion", "kind")}
    named = {key: value for key, value in metadata(subject.inputs).items() if key in ("name", "namespace")}
    subject = dataclasses.replace(subject, inputs={**bare, "metadata": named})
    try:
        send(subject, served, manager)
    except ApiError as error:
        raise apply.explain(error, subject.describe()) from None
