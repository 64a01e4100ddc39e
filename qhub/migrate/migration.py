"""From an old configuration to a stack file of ours and the account of each key."""

from __future__ import annotations

from collections.abc import Mapping

from qhub.config.document import Document
from qhub.config.nearest import nearest
from qhub.migrate import people
from qhub.migrate.clusters import cluster
from qhub.migrate.fitting import ask, fit_nodes, own_sizes
from qhub.migrate.groups import name_groups
from qhub.migrate.moving import BY_SECTION, PROVIDERS, SECTIONS, Moving, sections_in
from qhub.migrate.rules import walk
from qhub.migrate.table import TABLE
from qhub.migrate.usual import usual_values


class NoConfigurationError(ValueError):
    """The file is no configuration of Nebari or QHub. The message says why."""


def is_theirs(document: Document) -> bool:
    """Return whether a file is a configuration of Nebari or of the QHub before it: no other key is in all of them."""
    return "project_name" in document.data


def migrate(document: Document, *, stack: str = "prod") -> Moving:
    """Return the new settings and what is to be said about the old ones.

    Args:
        document: the old configuration.
        stack: name of the new stack.

    Raises:
        NoConfigurationError: it is none, or runs where nobody knows.
    """
    for flaw in document.flaws:
        where = "" if flaw.line is None else f":{flaw.line}:{flaw.column}"
        raise NoConfigurationError(f"{document.file}{where}: {flaw.message}")
    if not is_theirs(document):
        raise NoConfigurationError(f"{document.file}: has no project_name, as nebari-config.yaml has it")
    there = sections_in(document.data)
    if document.data.get("provider") is None and len(there) > 1:
        raise NoConfigurationError(
            f"{document.file}: names no provider and has {' and '.join(there)}: say which, for example "
            f"`provider: {BY_SECTION[there[0]]}`"
        )
    moving = Moving(document, stack=stack)
    if not moving.provider:
        close = nearest(moving.theirs, PROVIDERS)
        hint = f'; did you mean "{close}"?' if close else ""
        raise NoConfigurationError(f'{document.file}: provider "{moving.theirs}" is not known{hint}')
    _walk_all(moving)
    return moving


def _walk_all(moving: Moving) -> None:
    data = moving.document.data
    # Both install Traefik.
    moving.put(("ingress", "controller"), "traefik")
    moving.put(("cluster", "provider"), moving.provider)
    walk(moving, TABLE, data["project_name"], path=("project_name",))
    cluster(moving)
    security = data.get("security")
    security = security if isinstance(security, Mapping) else {}
    if "authentication" not in security:
        people.authentication(moving, ("security",), {"type": "password"}, ())
    name_groups(moving)
    # Who may sign in depends on how.
    first = {key: security[key] for key in ("authentication",) if key in security}
    walk(moving, TABLE, {**first, **security}, path=("security",))
    for key, value in data.items():
        if key in (SECTIONS[moving.theirs], "security", "project_name"):
            continue
        if key in SECTIONS.values():
            moving.note("needless", (key,), f"the provider is {moving.theirs}")
            continue
        walk(moving, TABLE, value, path=(key,))
    usual_values(moving)
    people.who_may_sign_in(moving)
    people.declared_groups(moving)
    own_sizes(moving)
    fit_nodes(moving)
    ask(moving)
