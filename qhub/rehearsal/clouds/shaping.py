"""What a provider makes of property trees: made-up names, what a preview foresees, what is secret."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from qhub.rehearsal.clouds import trees
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.plugins.errors import PartialFailure, PluginError
from qhub.rehearsal.plugins.wire import (
    UNKNOWN,
    Secret,
    has_unknown,
    mark_containing,
    mark_like,
    reveal,
    secret_strings,
)

Tree = dict[str, Any]


def token_of(urn: str) -> str:
    """Return the type token of a URN."""
    return urn.split("::")[2].rsplit("$", 1)[-1]


def logical_name(urn: str) -> str:
    """Return the logical name of a URN; it may itself hold `::`."""
    return urn.split("::", 3)[3]


def decoded(spec: Tree, value: Any) -> Any:
    """Return an input of a provider resource: all but strings travel as JSON texts.

    A text that is no JSON stays as it is, so that the check of its type tells.
    """
    if isinstance(value, Secret):
        return Secret(decoded(spec, value.value))
    if spec.get("kind", "string") in ("string", "enum") or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def named(autoname: AutoName, logical: str, news: Tree, olds: Tree, seed: bytes) -> Tree:
    """Return the inputs with a name: the given one, else the one made up before, else a new one.

    Args:
        autoname: how names are made up.
        logical: logical name.
        news, olds: inputs now and before; without `olds`, the resource is new or is being replaced.
        seed: randomness from the engine, so that a preview and its update agree; empty for none.
    """
    key = autoname.property
    if news.get(key) is not None:
        return news
    before = reveal(olds.get(key))
    if isinstance(before, str) and _is_made_up(autoname, logical, before):
        return {**news, key: before}
    digits = (seed or secrets.token_bytes(16)).hex()[: autoname.digits]
    return {**news, key: f"{logical}{autoname.separator}{digits}"}


def keeps_a_given_name(kind: ResourceType, logical: str, olds: Tree, news: Tree) -> bool:
    """Say whether a replacement would have the name of what it replaces, so that the old one must go first."""
    if kind.autoname is None:
        return bool(kind.unique) and all(_same(olds, news, path) for path in kind.unique)
    name = reveal(news.get(kind.autoname.property))
    if isinstance(name, str) and _is_made_up(kind.autoname, logical, name):
        return False
    return _same(olds, news, kind.autoname.property)


def _is_made_up(autoname: AutoName, logical: str, name: str) -> bool:
    pattern = re.escape(logical + autoname.separator) + f"[0-9a-f]{{{autoname.digits}}}"
    return re.fullmatch(pattern, name) is not None


def _same(olds: Tree, news: Tree, path: str) -> bool:
    new = trees.at(reveal(news), path)
    return new is not None and new is not UNKNOWN and trees.at(reveal(olds), path) == new


def foreseen(kind: ResourceType, inputs: Tree, state: Tree) -> Tree:
    """Return the outputs that a preview knows.

    An output that is left out is unknown to the program, so only what is nested in an input must be named.

    Args:
        kind: the type.
        inputs: new inputs.
        state: outputs before; empty for a new resource.
    """
    outputs = {**state, **inputs}
    for path in kind.computed:
        outputs = trees.put(outputs, path, UNKNOWN) if not state else _carried(outputs, state, path)
    for key in kind.changing:
        if state and key not in inputs:
            outputs[key] = UNKNOWN
    return marked(kind, outputs, {**state, **inputs})


def _carried(outputs: Tree, state: Tree, path: str) -> Tree:
    for place, value in trees.each(reveal(state), path):
        outputs = trees.put(outputs, place, value)
    return trees.put(outputs, path, UNKNOWN)


def complete(kind: ResourceType, inputs: Tree) -> Tree:
    """Return inputs in plain form.

    Raises:
        PluginError: one is not known although it is no preview.
    """
    unknown = [key for key, value in inputs.items() if has_unknown(value)]
    if unknown:
        raise PluginError(f"{kind.kind}: {unknown[0]} is not known, so the resource cannot be made")
    return reveal(inputs)


def marked(kind: ResourceType, outputs: Tree, like: Tree) -> Tree:
    """Return outputs with everything secret marked: what is so in `like`, copies of it, and the type's own."""
    found = mark_containing(mark_like(outputs, like), secret_strings(like))
    for key in kind.secrets:
        if found.get(key) is not None and not isinstance(found[key], Secret):
            found[key] = Secret(found[key])
    return found


@contextmanager
def partials_marked(kind: ResourceType, inputs: Tree) -> Generator[None]:
    """Mark what is secret in the state that a failed operation hands back."""
    try:
        yield
    except PartialFailure as error:
        raise PartialFailure(
            str(error), resource_id=error.resource_id, properties=marked(kind, error.properties, inputs)
        ) from error
