"""Secrets in plain text, and encrypted values where no secret belongs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from qhub.config.base import encrypted
from qhub.config.judge import Finding, secret_command
from qhub.config.model import ENCRYPTED
from qhub.config.shape import Path, Spot, bare_type, is_encrypted, leaves

#: Sections that have values of charts, of which QHub knows nothing.
OF_CHARTS = ("charts", "extra_releases")
_NOT_CHECKED = "is encrypted but is no secret, so nothing can check it; write it in plain text"
_IN_VALUES = "a secret does not belong in the values of a chart, which lie in clear in the state of the stack"
_BY_NAME = "put it into a Secret of Kubernetes, and into the values the name of that (often under `existingSecret`)"
#: Told where the place is not known.
SOMEWHERE_IN_VALUES = f"something in it is encrypted: {_IN_VALUES}; {_BY_NAME}"


def plain_secrets(name: str, value: Any, *, stack: str) -> Iterator[Finding]:
    """Yield the secrets in plain text of a section as the engine gives it where nothing of it is encrypted."""
    for here, leaf in _known_leaves(name, value):
        if here.secret and isinstance(leaf, str) and leaf:
            yield _must_be_encrypted(here.path, stack)


def misplaced_secrets(name: str, value: Any, *, stack: str) -> Iterator[Finding]:
    """Yield secrets in plain text, and encrypted values that are no secrets, of a section as it is written."""
    for here, leaf in _known_leaves(name, value):
        if here.secret and leaf is not None and not is_encrypted(leaf):
            yield _must_be_encrypted(here.path, stack)
    yield from encrypted_for_nothing(name, value, stack=stack)


def encrypted_for_nothing(name: str, value: Any, *, stack: str) -> Iterator[Finding]:
    """Yield the encrypted values of a section, as it is written, that are no secrets of its own."""
    for here, leaf in _known_leaves(name, value):
        if _is_of_a_chart(here):
            yield from (Finding(path, _told_of_values(path, stack)) for path in encrypted(leaf, here.path))
        elif is_encrypted(leaf) and not here.secret:
            yield Finding(here.path, _NOT_CHECKED)


def has_no_secret(name: str, value: Any) -> bool:
    """Return whether a section, as the engine gives it, has no secret, so that nothing of it may be encrypted."""
    return not any(here.secret for here, _ in _known_leaves(name, value))


def without_secrets(value: Any) -> Any:
    """Return what is written with `ENCRYPTED` in place of each encrypted value."""
    if is_encrypted(value):
        return ENCRYPTED
    if isinstance(value, Mapping):
        return {key: without_secrets(below) for key, below in value.items()}
    return [without_secrets(below) for below in value] if isinstance(value, list) else value


def _known_leaves(name: str, value: Any) -> Iterator[tuple[Spot, Any]]:
    return ((here, leaf) for here, leaf in leaves({name: value}) if here.kind is not None)


def _is_of_a_chart(here: Spot) -> bool:
    """Whether it is `overrides` or `values`, or stands in them."""
    return bare_type(here.kind) in (Any, dict[str, Any])


def _must_be_encrypted(path: Path, stack: str) -> Finding:
    command = secret_command(path, stack=stack)
    message = f"a secret stands here in plain text: change it where it was issued, then run `{command}`"
    return Finding(path, message)


def _told_of_values(path: Path, stack: str) -> str:
    section, name, _, *inside = path
    if section != "extra_releases":
        return f"{_IN_VALUES}: {_BY_NAME}"
    if not inside or not all(isinstance(part, str) and "." not in part for part in inside):
        return f"{_IN_VALUES}: write it under `secret_values` of this release, or {_BY_NAME}"
    command = secret_command((section, name, "secret_values", ".".join(map(str, inside))), stack=stack)
    return f"{_IN_VALUES}: remove it here, and run `{command}`"
