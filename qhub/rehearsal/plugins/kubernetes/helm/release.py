"""Check, diff and the life of a Helm release."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

from qhub.rehearsal.plugins._proto import Message
from qhub.rehearsal.plugins.errors import Interrupted, PartialFailure, PluginError
from qhub.rehearsal.plugins.kubernetes import kinds
from qhub.rehearsal.plugins.kubernetes.checkpoint import INPUTS
from qhub.rehearsal.plugins.kubernetes.helm import chart, recover
from qhub.rehearsal.plugins.kubernetes.helm.command import HelmError, ReleaseLock
from qhub.rehearsal.plugins.kubernetes.helm.options import Options, is_known, meant, validate
from qhub.rehearsal.plugins.kubernetes.helm.outputs import outputs, planned
from qhub.rehearsal.plugins.kubernetes.helm.record import history, latest
from qhub.rehearsal.plugins.kubernetes.helm.work import Work
from qhub.rehearsal.plugins.kubernetes.naming import object_id, parse_id, unique_name
from qhub.rehearsal.plugins.kubernetes.subject import Cluster
from qhub.rehearsal.plugins.treediff import differences, parse_path, response, without
from qhub.rehearsal.plugins.wire import mark_like, reveal

#: Inputs that say where the chart comes from: only a change of one of them makes Check look for it again.
_CHART_INPUTS = ("chart", "version", "repositoryOpts", "devel", "verify", "keyring")
_FIXED = tuple(parse_path(path) for path in ("name", "namespace"))

# -- check and diff ----------------------------------------------------------------------------------------------------


def check(cluster: Cluster | None, request: Message, news: dict[str, Any], olds: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs named and placed, with the version that the chart has, after making sure that it is there.

    As with the official plugin, an upgrade is due when that version changes, whether or not the program names one; a
    chart on disk whose content changes under the same version is not installed again.

    Args:
        cluster: `None` while the provider's kubeconfig is unknown.
        request: the Check request.
        news: the program's inputs.
        olds: those of the last run, empty for a new release.

    Raises:
        PluginError: an input is wrong, or there is no such chart or version.
    """
    validate(news)
    inputs = meant(news)
    if inputs.get("name") is None:
        inputs["name"] = reveal(olds.get("name")) or unique_name(kinds.logical_name(request.urn), request)
    if inputs.get("namespace") is None:
        inputs["namespace"] = cluster.api.target.namespace if cluster else "default"
    about_chart = [{key: reveal(tree[key]) for key in _CHART_INPUTS if key in tree} for tree in (inputs, olds)]
    if cluster is not None and is_known(about_chart[0]) and _must_look(*about_chart):
        source = chart.locate(Options.of(inputs), cluster.helm)
        if source.version:
            inputs["version"] = source.version
    return inputs


def _must_look(now: dict[str, Any], before: dict[str, Any]) -> bool:
    """Tell whether the chart has to be looked for: it may have changed. A repository's exact version never does."""
    return now != before or chart.is_on_disk(now)


def diff(request: Message, olds: dict[str, Any], old_inputs: dict[str, Any], news: dict[str, Any]) -> Message:
    """Return what changed, value by value; a new name or namespace replaces the release."""
    before = meant(old_inputs or reveal(olds.get(INPUTS)) or {})
    found = without(differences(before, meant(news)), request.ignoreChanges)
    same_place = all(reveal(before.get(key)) == reveal(news.get(key)) for key in ("name", "namespace"))
    return response(found, replaced_by=_FIXED, delete_first=same_place)


# -- life --------------------------------------------------------------------------------------------------------------


def create(
    cluster: Cluster, urn: str, inputs: dict[str, Any], *, timeout: float, preview: bool
) -> tuple[str, dict[str, Any]]:
    """Install the release and return its id and outputs; in a preview only see whether the chart accepts the values.

    Raises:
        PartialFailure: installed, but failed; it is kept and the next run upgrades it.
        PluginError: nothing was installed (or, with `atomic`, nothing is left of it).
    """
    work = Work(cluster, urn, inputs, timeout)
    if preview:
        work.rehearse()
        return "", planned(inputs, None)
    options = work.options
    with _alone(cluster, urn, options, timeout) as held:
        before = recover.settle(cluster, options, urn, known=False)
        record = work.run(before, held=held)
    return object_id(options.namespace, options.name), outputs(inputs, record)


def update(
    cluster: Cluster, urn: str, inputs: dict[str, Any], state: dict[str, Any], *, timeout: float, preview: bool
) -> dict[str, Any]:
    """Upgrade the release and return its outputs.

    Raises:
        PartialFailure: upgraded, but failed; the new inputs are kept and the next run upgrades again.
        PluginError: nothing was changed, or (with `atomic`) it was rolled back: the old state stands.
    """
    work = Work(cluster, urn, inputs, timeout)
    if preview:
        work.rehearse()
        return planned(inputs, state)
    options = work.options
    with _alone(cluster, urn, options, timeout) as held:
        before = recover.settle(cluster, options, urn, known=True)
        if before is None:
            cluster.engine.info(f"{work.place} is gone: installing it again", urn)
        record = work.run(before, held=held)
    return outputs(inputs, record)


def delete(cluster: Cluster, urn: str, resource_id: str, state: dict[str, Any], *, timeout: float) -> None:
    """Uninstall the release; one that is gone already is no error."""
    namespace, name = parse_id(resource_id)
    kept = reveal(state.get(INPUTS)) or {}
    options = Options({**kept, "name": name, "namespace": namespace or cluster.api.target.namespace})
    with _alone(cluster, urn, options, timeout):
        if not history(cluster.api, options.namespace, options.name):
            return
        try:
            recover.uninstall(
                cluster.helm, options, seconds=options.seconds(timeout), wait=not options.is_set("skipAwait")
            )
        except Interrupted:
            raise PluginError(f"release {resource_id}: cancelled while it was being uninstalled") from None
        except HelmError as error:
            raise PluginError(f"release {resource_id} could not be uninstalled: {error}") from None


def read(
    cluster: Cluster, urn: str, resource_id: str, state: dict[str, Any], inputs: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return outputs and inputs of the release by Helm's record of it, or `None` where there is none.

    Raises:
        PartialFailure: it is there, but its last revision is not deployed: the next run must upgrade it.
    """
    namespace, name = parse_id(resource_id)
    namespace = namespace or cluster.api.target.namespace
    record = latest(cluster.api, namespace, name)
    if record is None or record.status in ("uninstalled", "uninstalling"):
        return None
    known = meant(inputs or reveal(state.get(INPUTS)) or {})
    if not known:
        known = {"chart": record.chart.get("name"), "name": name, "namespace": namespace, "values": record.values}
        known["version"] = record.chart.get("version")
    elif not known.get("valueYamlFiles") and reveal(known.get("values") or {}) != record.values:
        cluster.engine.info(f"the values of release {resource_id} were changed by somebody else", urn)
        known = {**known, "values": mark_like(record.values, known.get("values"))}
    if known.get("version") and record.chart.get("version") not in (None, reveal(known["version"])):
        known = {**known, "version": record.chart["version"]}
    shown = outputs(known, record)
    if record.status != "deployed":
        told = f"release {resource_id} is {record.status}: {record.description}"
        raise PartialFailure(told, resource_id=resource_id, properties=shown, inputs=known)
    return shown, known


# -- parts -------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _alone(cluster: Cluster, urn: str, options: Options, timeout: float) -> Generator[tuple[int, ...]]:
    """Have this release for oneself; yields the descriptors that helm must hold too."""
    lock = ReleaseLock(cluster.api, options.namespace, options.name)
    try:
        lock.take(wait=recover.patience(cluster, urn, options, seconds=options.seconds(timeout)))
        yield (lock.descriptor,)
    except Interrupted:
        raise PluginError(f"release {options.namespace}/{options.name}: cancelled before anything was done") from None
    finally:
        lock.release()
