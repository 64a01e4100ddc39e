"""Check and Diff of objects: what a program may say, and what of it has changed. Neither asks the cluster."""

from __future__ import annotations

from typing import Any

from qhub.rehearsal.plugins._proto import Message
from qhub.rehearsal.plugins.errors import PluginError, listing, nearest
from qhub.rehearsal.plugins.kubernetes import checkpoint, kinds
from qhub.rehearsal.plugins.kubernetes.kinds import Kind
from qhub.rehearsal.plugins.kubernetes.naming import AUTONAMED, metadata, notes_of, unique_name
from qhub.rehearsal.plugins.kubernetes.settings import Settings
from qhub.rehearsal.plugins.treediff import Change, Difference, differences, response, without
from qhub.rehearsal.plugins.wire import UNKNOWN, Secret, reveal

#: The official plugin's annotations that this one honours.
_ANNOTATIONS = (
    AUTONAMED,
    "pulumi.com/skipAwait",
    "pulumi.com/timeoutSeconds",
    "pulumi.com/patchForce",
    "pulumi.com/patchFieldManager",
    "pulumi.com/deletionPropagationPolicy",
)
_POLICIES = ("foreground", "background", "orphan")
_PREFIX = "pulumi.com/"


def check(
    kind: Kind, news: dict[str, Any], olds: dict[str, Any], *, request: Message, settings: Settings
) -> dict[str, Any]:
    """Return the inputs as they will be used: named, placed, with the data of a Secret marked secret.

    Args:
        kind: the kind that the resource's type names.
        news: the program's inputs.
        olds: the inputs of the last run, empty for a new resource: a generated name is kept.
        request: the Check request; generated names follow its settings.
        settings: the provider's.

    Raises:
        PluginError: what the program says cannot be meant for this kind, or is not supported.
    """
    inputs = news if kind.custom else _without_nulls(news)
    _agree(inputs, "kind", kind.name)
    _agree(inputs, "apiVersion", kind.api_version)
    inputs = {**inputs, "apiVersion": kind.api_version, "kind": kind.name}
    if metadata(inputs).get("generateName"):
        raise PluginError(
            "metadata.generateName is not possible with server-side apply: leave it out, a name is generated"
        )
    _check_annotations(inputs)
    if kind.patch and metadata(inputs).get("name") is None and inputs.get("metadata") is not UNKNOWN:
        raise PluginError(f"metadata.name is missing: it says which {kind.name} is to be patched")
    inputs = _named(inputs, olds, kinds.logical_name(request.urn), request)
    return checkpoint.protect(_placed(inputs, kind, settings), kind)


def _without_nulls(tree: Any) -> Any:
    """Return the tree without null fields: in a manifest they mean the same as nothing."""
    if isinstance(tree, Secret):
        return Secret(_without_nulls(tree.value))
    if isinstance(tree, dict):
        return {key: _without_nulls(value) for key, value in tree.items() if value is not None}
    return [_without_nulls(item) for item in tree] if isinstance(tree, list) else tree


def _agree(inputs: dict[str, Any], key: str, expected: str) -> None:
    found = reveal(inputs.get(key))
    if found not in (None, UNKNOWN, expected):
        raise PluginError(f"{key} is '{found}', but this resource is a '{expected}'")


def _check_annotations(inputs: dict[str, Any]) -> None:
    notes = notes_of(reveal(inputs))
    for key, value in notes.items():
        if key.startswith(_PREFIX) and key not in _ANNOTATIONS:
            raise PluginError(
                f"the stand-in plugin does not know the annotation '{key}'.{nearest(key, _ANNOTATIONS)} "
                f"It knows: {listing(_ANNOTATIONS)}"
            )
        if value is not UNKNOWN and not isinstance(value, str):
            raise PluginError(f"annotation '{key}' must be a string, got {value!r}: put it in quotes")
    seconds = notes.get("pulumi.com/timeoutSeconds", "0")
    if isinstance(seconds, str) and not seconds.isdecimal():
        raise PluginError(f"annotation 'pulumi.com/timeoutSeconds' must be a whole number of seconds, got '{seconds}'")
    policy = notes.get("pulumi.com/deletionPropagationPolicy", "foreground")
    if isinstance(policy, str) and policy.lower() not in _POLICIES:
        raise PluginError(
            f"annotation 'pulumi.com/deletionPropagationPolicy' is '{policy}': expected one of {listing(_POLICIES)}"
        )


def _named(inputs: dict[str, Any], olds: dict[str, Any], logical: str, request: Message) -> dict[str, Any]:
    """Return the inputs with a name: theirs, the generated one of before, or a new one."""
    meta = metadata(inputs)
    if inputs.get("metadata") is UNKNOWN:
        return inputs
    if isinstance(inputs.get("metadata"), Secret):
        raise PluginError("metadata is secret as a whole: mark single values as secret instead")
    if meta.get("name") is not None:
        return inputs
    old_name = metadata(olds).get("name") if reveal(notes_of(olds).get(AUTONAMED)) == "true" else None
    name = old_name or unique_name(logical, request)
    notes = {**notes_of(inputs), AUTONAMED: "true"}
    return {**inputs, "metadata": {**meta, "name": name, "annotations": notes}}


def _placed(inputs: dict[str, Any], kind: Kind, settings: Settings) -> dict[str, Any]:
    """Return the inputs with the provider's namespace, where they have none and the kind may have one."""
    given = inputs.get("metadata") is UNKNOWN or metadata(inputs).get("namespace") is not None
    if kind.namespaced is False or not settings.namespace or given:
        return inputs
    return {**inputs, "metadata": {**metadata(inputs), "namespace": settings.namespace}}


def diff(
    kind: Kind,
    request: Message,
    *,
    olds: dict[str, Any],
    old_inputs: dict[str, Any],
    news: dict[str, Any],
    settings: Settings,
) -> Message:
    """Return what changed between the inputs of the last run and the new ones.

    A refresh writes what it found into the inputs of the state, so drift shows here as a change back.

    Args:
        kind: the kind.
        request: the Diff request.
        olds: the outputs in the state.
        old_inputs: the inputs in the state.
        news: the new inputs.
        settings: the provider's.
    """
    old = reveal(old_inputs or checkpoint.split(olds)[0])
    found = _meaningful(differences(_placed_default(old, kind), _placed_default(news, kind)), kind, old, news)
    if reveal(olds.get(checkpoint.IMPORTED)):
        # Nothing of an imported object is managed by this stack: what the program leaves out stays as it is.
        found = [one for one in found if one.change is not Change.DELETE]
    found = without(found, request.ignoreChanges)
    fixed = kinds.fixed_paths(
        kind,
        (old, reveal(news)),
        mutable_maps=settings.enable_config_map_mutable,
        mutable_secrets=settings.enable_secret_mutable,
    )
    name, place = (reveal(metadata(news).get(key)) for key in ("name", "namespace"))
    same_place = name == metadata(old).get("name") and place == metadata(old).get("namespace")
    given = reveal(notes_of(news).get(AUTONAMED)) != "true"
    return response(found, replaced_by=fixed, delete_first=given and same_place)


def _placed_default(inputs: dict[str, Any], kind: Kind) -> dict[str, Any]:
    """Return the inputs with the namespace `default` left out: it is what none means."""
    place = reveal(metadata(inputs).get("namespace"))
    if place == "default" or (kind.namespaced is False and place is not None):
        meta = {key: value for key, value in metadata(inputs).items() if key != "namespace"}
        return {**inputs, "metadata": meta}
    return inputs


def _meaningful(found: list[Difference], kind: Kind, old: dict[str, Any], news: dict[str, Any]) -> list[Difference]:
    """Return the differences that are more than another spelling."""
    grows = (kind.group, kind.name) == ("", "PersistentVolumeClaim")
    if grows and any(one.path[:1] == ("spec",) for one in found):
        _refuse_shrinking(reveal(old), reveal(news))
    return found


_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def _size(claim: dict[str, Any]) -> float | None:
    text = ((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}
    value = text.get("storage") if isinstance(text, dict) else None
    if not isinstance(value, str):
        return None
    digits = value.rstrip("kMGTi")
    try:
        return float(digits) * _UNITS[value[len(digits) :]]
    except (KeyError, ValueError):
        return None


def _refuse_shrinking(old: dict[str, Any], new: dict[str, Any]) -> None:
    before, after = _size(old), _size(new)
    if before and after and after < before:
        raise PluginError(
            f"PersistentVolumeClaim {metadata(new).get('name')}: a claim cannot shrink; set "
            "spec.resources.requests.storage back, or make a new claim and copy the data"
        )
