"""Names: of objects that were given none, of field managers, in resource ids."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from qhub.rehearsal.plugins._proto import Message, provider_pb2
from qhub.rehearsal.plugins.errors import PluginError

AUTONAMED = "pulumi.com/autonamed"


def unique_name(logical: str, request: Message) -> str:
    """Return `<logical name>-<8 hex digits>`, or what the engine's autonaming setting proposes.

    Args:
        logical: the resource's name in the program.
        request: the Check request: it carries the autonaming setting and the seed of an update plan.

    Raises:
        PluginError: autonaming is switched off.
    """
    modes = provider_pb2.CheckRequest.AutonamingOptions
    if request.HasField("autonaming"):
        if request.autonaming.mode == modes.DISABLE:
            raise PluginError(f"'{logical}' needs a name: autonaming is switched off in this stack's settings")
        if request.autonaming.proposed_name:
            return request.autonaming.proposed_name
    seed = request.randomSeed
    digits = hashlib.sha256(seed + logical.encode()).hexdigest()[:8] if seed else secrets.token_hex(4)
    return f"{logical}-{digits}"


def field_manager(urn: str) -> str:
    """Return the field manager of a resource: the same in every run, another for every resource.

    The official plugin draws it at random and keeps it in the state. Made from the URN it also tells, when an object
    exists that the state does not know, whether a run of this stack made it and was killed before it could record it.
    """
    return f"pulumi-kubernetes-{hashlib.sha256(urn.encode()).hexdigest()[:8]}"


def object_id(namespace: str | None, name: str) -> str:
    """Return the resource id of an object."""
    return f"{namespace}/{name}" if namespace else name


def parse_id(resource_id: str) -> tuple[str | None, str]:
    """Return namespace and name of a resource id, `namespace/name` or `name`.

    Raises:
        PluginError: not an id.
    """
    namespace, _, name = resource_id.rpartition("/")
    if not name or "/" in namespace:
        raise PluginError(f"'{resource_id}' is no id of a Kubernetes object: expected `namespace/name` or `name`")
    return namespace or None, name


def metadata(tree: dict[str, Any]) -> dict[str, Any]:
    """Return the `metadata` of an object, empty where it has none."""
    found = tree.get("metadata")
    return found if isinstance(found, dict) else {}


def notes_of(tree: dict[str, Any]) -> dict[str, Any]:
    """Return the annotations of an object, empty where it has none."""
    found = metadata(tree).get("annotations")
    return found if isinstance(found, dict) else {}
