"""From the engine's events and the stack's state to what was done to each resource, when, and after what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from qhub.automation.rehearse.running import Seen
from qhub.rehearsal.report.recording import Operation

#: Steps of the engine that touch nothing.
IDLE = ("same", "read", "refresh")
#: Operations that go against the dependencies: what depends on a resource goes first.
BACKWARDS = ("delete", "delete-replaced", "discard")


def operations(step: str, events: Iterable[Seen], state: Mapping[str, Any]) -> tuple[Operation, ...]:
    """Return what was done to each resource, in the order of its beginning.

    Components and providers are left out: the engine does nothing for them that takes time.

    Args:
        step: name of the rehearsal's step.
        events: of one run of the engine.
        state: the stack's deployment: before a destroy, after anything else.
    """
    known = {resource["urn"]: resource for resource in state.get("resources") or []}
    began: dict[tuple[str, str], float] = {}
    done: list[Operation] = []
    for event in events:
        key = (event.urn, event.op)
        if event.kind == "resourcePreEvent" and event.op not in IDLE:
            began[key] = event.moment
        elif event.kind in ("resOutputsEvent", "resOpFailedEvent") and key in began:
            resource = known.get(event.urn)
            if _takes_time(event.urn, resource):
                done.append(_operation(step, event, began.pop(key)))
    after = _order(done, known)
    made = [_with(one, after[one.urn]) for one in done]
    return tuple(sorted(made, key=lambda one: (one.start, one.end, one.urn)))


def resource_counts(state: Mapping[str, Any]) -> dict[str, int]:
    """Return how many resources of each type a stack has, without components, providers and the stack itself."""
    resources = state.get("resources") or []
    counts = Counter(one["type"] for one in resources if _takes_time(one["urn"], one))
    return dict(sorted(counts.items()))


def type_of(urn: str) -> str:
    """Return the type token in a URN."""
    return urn.split("::")[2].rpartition("$")[2]


def name_of(urn: str) -> str:
    """Return the logical name in a URN."""
    return urn.split("::", 3)[-1]


def _takes_time(urn: str, resource: Mapping[str, Any] | None) -> bool:
    if type_of(urn).startswith(("pulumi:providers:", "pulumi:pulumi:")):
        return False
    # What failed to be created is not in the state; a component of ours tells itself by its type.
    return resource.get("custom", False) if resource else not type_of(urn).startswith("qhub:")


def _operation(step: str, event: Seen, start: float) -> Operation:
    urn = event.urn
    return Operation(
        step=step, urn=urn, type=type_of(urn), name=name_of(urn), op=event.op, start=start, end=event.moment
    )


def _with(one: Operation, depends_on: Iterable[str]) -> Operation:
    return Operation(
        step=one.step, urn=one.urn, type=one.type, name=one.name, op=one.op, start=one.start, end=one.end,
        depends_on=tuple(sorted(depends_on)),
    )  # fmt: skip


def _order(done: Iterable[Operation], known: Mapping[str, Mapping[str, Any]]) -> dict[str, set[str]]:
    """Return, for each resource, what had to be done before it."""
    every = list(done)
    after: dict[str, set[str]] = {one.urn: set() for one in every}
    backwards = {one.urn: one.op in BACKWARDS for one in every}
    pairs = ((urn, needed) for urn in after for needed in _needs(urn, known) & after.keys())
    for urn, needed in list(pairs):
        if backwards[urn] and backwards[needed]:
            after[needed].add(urn)
        elif not backwards[urn] and not backwards[needed]:
            after[urn].add(needed)
    return after


def _needs(urn: str, known: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Return the resources that one needs.

    In place of a provider, which takes no time, what that one needs; and what the components around it need, since
    their children wait for them to be registered.
    """
    resource = known.get(urn)
    if resource is None:
        return set()
    needs = set(resource.get("dependencies") or [])
    for listed in (resource.get("propertyDependencies") or {}).values():
        needs.update(listed or [])
    if provider := resource.get("provider"):
        needs |= _needs(provider.rpartition("::")[0], known)
    around = known.get(resource.get("parent") or "")
    if around is not None and not around.get("custom"):
        needs |= _needs(around["urn"], known)
    return needs - {urn}
