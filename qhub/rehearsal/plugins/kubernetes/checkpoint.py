"""The shape of an object in the stack's state: the live object, and in `__inputs` what the program asked for."""

from __future__ import annotations

from typing import Any

from qhub.rehearsal.plugins.kubernetes.kinds import Kind
from qhub.rehearsal.plugins.kubernetes.naming import metadata
from qhub.rehearsal.plugins.wire import UNKNOWN, Secret, mark_containing, mark_like, reveal, secret_strings

INPUTS = "__inputs"
API_VERSION = "__initialApiVersion"
FIELD_MANAGER = "__fieldManager"
#: Ours alone: the inputs were read from the cluster; this stack manages no field of the object yet.
IMPORTED = "__imported"
_OURS = (INPUTS, API_VERSION, FIELD_MANAGER, IMPORTED)

#: What the server decides; in a preview it is unknown, not missing, so that nothing is computed from its absence.
_SERVER_METADATA = ("uid", "resourceVersion", "generation", "creationTimestamp")


def _rename(tree: Any, names: dict[str, str]) -> Any:
    if isinstance(tree, Secret):
        return Secret(_rename(tree.value, names))
    if isinstance(tree, dict):
        return {names.get(key, _dashed(key, names)): _rename(value, names) for key, value in tree.items()}
    return [_rename(item, names) for item in tree] if isinstance(tree, list) else tree


def _dashed(key: str, names: dict[str, str]) -> str:
    if names is _TO_PROGRAM:
        return key.replace("-", "_") if key.startswith("x-kubernetes-") else key
    return key.replace("_", "-") if key.startswith("x_kubernetes_") else key


#: Names that a schema in a CustomResourceDefinition uses and that no language can have as a field name.
_TO_CLUSTER = {"_ref": "$ref", "_schema": "$schema"}
_TO_PROGRAM = {"$ref": "_ref", "$schema": "_schema"}


def manifest(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs as the API server is to get them: no secret wrappers, its own spelling."""
    return _rename(reveal(inputs), _TO_CLUSTER)


def to_program(tree: dict[str, Any]) -> dict[str, Any]:
    """Return an object of the API server in the spelling that programs and the state use."""
    return _rename(tree, _TO_PROGRAM)


def protect(tree: dict[str, Any], kind: Kind) -> dict[str, Any]:
    """Return the object with the data of a core `Secret` marked secret, whether the program did so or not."""
    if (kind.group, kind.name) != ("", "Secret"):
        return tree
    return {key: _hidden(value) if key in ("data", "stringData") else value for key, value in tree.items()}


def _hidden(value: Any) -> Any:
    return value if isinstance(value, Secret) or value is UNKNOWN or value is None else Secret(value)


def outputs(
    live: dict[str, Any],
    inputs: dict[str, Any],
    kind: Kind,
    *,
    manager: str,
    initial_api_version: str | None = None,
    imported: bool = False,
) -> dict[str, Any]:
    """Return what the state keeps of an object.

    Args:
        live: the object as the API server returned it.
        inputs: the inputs, with their secrets marked: the same places are secret in the result.
        kind: its kind.
        manager: the field manager that applied it.
        initial_api_version: the API version it was first made with; `None`: the one of `inputs`.
        imported: it was read from the cluster and never applied.
    """
    shown = {key: value for key, value in live.items() if key != "metadata"}
    shown["metadata"] = {key: value for key, value in metadata(live).items() if key != "managedFields"}
    shown = mark_like(to_program(shown), inputs)
    if "annotations" in shown["metadata"]:
        # kubectl's last-applied annotation repeats the whole object.
        shown["metadata"]["annotations"] = mark_containing(shown["metadata"]["annotations"], secret_strings(inputs))
    shown = protect(shown, kind)
    shown[INPUTS] = inputs
    shown[API_VERSION] = initial_api_version or reveal(inputs.get("apiVersion")) or kind.api_version
    shown[FIELD_MANAGER] = manager
    if imported:
        shown[IMPORTED] = True
    return shown


def split(state: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the inputs kept in a state, and the live object without the plugin's own fields."""
    kept = reveal(state.get(INPUTS)) or {}
    return kept, {key: value for key, value in state.items() if key not in _OURS}


def previewed(
    answer: dict[str, Any] | None, inputs: dict[str, Any], old: dict[str, Any] | None, kind: Kind
) -> dict[str, Any]:
    """Return the outputs of a preview: what is known, and `UNKNOWN` for what the server will decide.

    Args:
        answer: result of a server-side dry run, `None` where none could be made.
        inputs: the inputs.
        old: the present state in an update, else `None`.
        kind: the kind.
    """
    shown = mark_like(to_program(answer), inputs) if answer is not None else dict(inputs)
    if shown.get("metadata") is UNKNOWN:
        return protect(shown, kind)
    known = metadata(old or {})
    shown["metadata"] = {key: value for key, value in metadata(shown).items() if key != "managedFields"}
    for key in _SERVER_METADATA:
        keep = key in ("uid", "creationTimestamp") and key in known
        shown["metadata"][key] = known[key] if keep else UNKNOWN
    if old is None:
        shown.pop("status", None)
    elif "status" in old:
        shown["status"] = old["status"]
    if (kind.group, kind.name) == ("", "Service"):
        _preview_service(shown, inputs, old)
    return protect(shown, kind)


def _preview_service(shown: dict[str, Any], inputs: dict[str, Any], old: dict[str, Any] | None) -> None:
    """Keep a dry run's cluster address out of a preview: the real one is another."""
    wanted = reveal(inputs.get("spec")) or {}
    spec = reveal(shown.get("spec"))
    if not isinstance(wanted, dict) or not isinstance(spec, dict) or wanted.get("type") == "ExternalName":
        return
    had = reveal((old or {}).get("spec")) or {}
    shown["spec"] = dict(shown["spec"]) if isinstance(shown["spec"], dict) else dict(spec)
    for key in ("clusterIP", "clusterIPs"):
        if key not in wanted and wanted.get("clusterIP") != "None":
            shown["spec"][key] = had.get(key, UNKNOWN)
