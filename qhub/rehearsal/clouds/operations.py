"""Making, changing, deleting and reading one resource of a simulated cloud. Everything here is plain values."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

from qhub.rehearsal.clouds.clock import Clock
from qhub.rehearsal.clouds.faults import Fault, Faults, message_of
from qhub.rehearsal.clouds.resource import Check, ResourceType
from qhub.rehearsal.clouds.schema import Schema
from qhub.rehearsal.clouds.subject import Refused, Subject
from qhub.rehearsal.clouds.world import Event, Record, World
from qhub.rehearsal.plugins.errors import Interrupted, PartialFailure, PluginError, listing, nearest


@dataclasses.dataclass(frozen=True, kw_only=True)
class Operations:
    """The operations on one simulated cloud.

    Attributes:
        world, clock, faults, schema: what they work with.
        mask: takes secrets out of a text before it is written down.
    """

    world: World
    clock: Clock
    faults: Faults
    schema: Schema
    mask: Callable[[str], str] = str

    def create(self, kind: ResourceType, subject: Subject) -> Record:
        """Make a resource.

        Raises:
            PluginError: the cloud refuses; nothing was made.
            PartialFailure: it exists, but is not as asked.
        """
        with self._logged("create", subject) as began:
            fault = self._immediate_fault(subject, "create")
            # Two that are made side by side must see each other: the second of two overlapping subnets is refused.
            with self.world.locked():
                self._hold(kind, (*kind.conditions, *_unique(kind)), subject)
                subject.seed = secrets.token_hex(16)
                subject.id = kind.id(subject)
                if self.world.get(subject.cloud, subject.token, subject.id) is not None:
                    raise _told(kind, subject, "", f"there is one with the id {subject.id} already")
                self._keep(subject, ready=False)
            return self._finish(kind, subject, began, fault)

    def update(self, kind: ResourceType, subject: Subject) -> Record:
        """Change a resource in place, or finish one whose making was interrupted or failed.

        Raises:
            PluginError: the cloud refuses, or the resource is gone.
            PartialFailure: it has changed, but is not as asked.
        """
        found = self._existing(kind, subject)
        subject.seed, subject.notes = found.seed, dict(found.notes)
        if not found.ready:
            with self._logged("create", subject) as began:
                fault = self._immediate_fault(subject, "create")
                self._hold(kind, kind.conditions, subject)
                return self._finish(kind, subject, began, fault)
        with self._logged("update", subject) as began:
            fault = self._immediate_fault(subject, "update")
            with self.world.locked():
                self._hold(kind, (*kind.conditions, *_unique(kind)), subject)
                self._keep(subject, ready=True, outputs=found.outputs)
            with _partial(kind, subject):
                self._wait(kind, "update", subject, began, fault)
                if kind.after_update:
                    kind.after_update(subject)
                return self._keep(subject, ready=True, outputs=self._outputs(kind, subject))

    def delete(self, kind: ResourceType, subject: Subject) -> None:
        """Delete a resource; one that is gone is no error.

        Raises:
            PluginError: the cloud refuses: it is protected, or still in use.
        """
        found = self.world.get(subject.cloud, subject.token, subject.id)
        if found is None:
            return
        subject.inputs, subject.state = found.inputs, found.outputs
        subject.seed, subject.notes = found.seed, dict(found.notes)
        with self._logged("delete", subject) as began:
            fault = self._immediate_fault(subject, "delete")
            self._hold(kind, kind.before_delete, subject)
            self._wait(kind, "delete", subject, began, fault)
            if kind.after_delete:
                kind.after_delete(subject)
            self.world.remove(subject.cloud, subject.token, subject.id)

    def read(self, kind: ResourceType, subject: Subject) -> Record | None:
        """Return a resource as it is now, None where it is gone.

        One whose plugin was killed while it was being made is finished first, as a cloud would have done meanwhile.

        Raises:
            PluginError: a fault was asked for.
        """
        found = self.world.get(subject.cloud, subject.token, subject.id)
        if found is None:
            return None
        if fault := self.faults.of(subject, "read"):
            raise _told(kind, subject, "", message_of(fault, "read"))
        if found.ready:
            return found
        subject.inputs, subject.seed, subject.notes = found.inputs, found.seed, dict(found.notes)
        with self._logged("create", subject) as began:
            return self._finish(kind, subject, began, None)

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _finish(self, kind: ResourceType, subject: Subject, began: float, fault: Fault | None) -> Record:
        subject.save = lambda: self._keep(subject, ready=False)
        with _partial(kind, subject):
            if kind.during_create:
                kind.during_create(subject)
                subject.save()
            self._wait(kind, "create", subject, began, fault)
            if kind.after_create:
                kind.after_create(subject)
            return self._keep(subject, ready=True, outputs=self._outputs(kind, subject))

    def _wait(self, kind: ResourceType, operation: str, subject: Subject, began: float, fault: Fault | None) -> None:
        seconds = kind.seconds(operation, subject)
        subject.status(f"{operation}: {_duration(seconds)} in the simulated cloud")
        if fault is not None:
            self.clock.sleep_until(began + fault.after)
            raise _told(kind, subject, "", message_of(fault, operation))
        self.clock.sleep_until(began + seconds)

    def _immediate_fault(self, subject: Subject, operation: str) -> Fault | None:
        """Return a fault that comes later; raise one that comes at once."""
        fault = self.faults.of(subject, operation)
        if fault is not None and not fault.after:
            name = subject.token.rsplit(":", 1)[-1]
            raise PluginError(f'{name} "{subject.name}": {message_of(fault, operation)}')
        return fault

    def _hold(self, kind: ResourceType, rules: tuple[Check, ...], subject: Subject) -> None:
        if found := problems_of(rules, subject):
            raise PluginError("\n".join(str(_told(kind, subject, path, text)) for path, text in found))

    def _outputs(self, kind: ResourceType, subject: Subject) -> dict[str, Any]:
        added = kind.outputs(subject)
        known = self.schema.outputs(kind.token)
        for name in added:
            if name not in known:
                raise PluginError(
                    f"the stand-in's {kind.kind} has an output '{name}' that the SDK does not have."
                    f"{nearest(name, known)} It has: {listing(known)}"
                )
        return {**subject.inputs, **added}

    def _existing(self, kind: ResourceType, subject: Subject) -> Record:
        found = self.world.get(subject.cloud, subject.token, subject.id)
        if found is None:
            text = f"{subject.id} is gone from the simulated cloud: run `pulumi refresh`"
            raise _told(kind, subject, "", text)
        return found

    def _keep(self, subject: Subject, *, ready: bool, outputs: dict[str, Any] | None = None) -> Record:
        record = Record(
            cloud=subject.cloud,
            type=subject.token,
            id=subject.id,
            name=subject.name,
            urn=subject.urn,
            inputs=subject.inputs,
            outputs=outputs or {},
            notes=subject.notes,
            seed=subject.seed,
            ready=ready,
        )
        self.world.put(record)
        return record

    @contextmanager
    def _logged(self, operation: str, subject: Subject) -> Generator[float]:
        """Yield the moment it begins; write down how it ended."""
        began, result, message = self.clock.now(), "failed", ""
        try:
            yield began
            result = "done"
        except PluginError as error:
            cancelled = isinstance(error.__cause__ or error, Interrupted)
            result, message = "cancelled" if cancelled else "failed", self.mask(str(error))
            raise
        finally:
            event = Event(
                began=began,
                ended=self.clock.now(),
                cloud=subject.cloud,
                type=subject.token,
                name=subject.name,
                urn=subject.urn,
                operation=operation,
                result=result,
                message=message,
            )
            self.world.log(event)


def problems_of(rules: tuple[Check, ...], subject: Subject) -> list[tuple[str, str]]:
    """Return what the rules find, each (path, text). A rule may also raise `Refused`, which ends that rule."""
    found: list[tuple[str, str]] = []
    for rule in rules:
        try:
            found.extend(rule(subject))
        except Refused as error:
            found.append((error.path, error.text))
    return found


@contextmanager
def _partial(kind: ResourceType, subject: Subject) -> Generator[None]:
    """Turn a failure into one that says that the resource exists."""
    try:
        yield
    except PluginError as error:
        told = error if not isinstance(error, Refused) else _told(kind, subject, error.path, error.text)
        properties = {**subject.inputs, **subject.state}
        raise PartialFailure(str(told), resource_id=subject.id, properties=properties) from error


def _unique(kind: ResourceType) -> tuple[Check, ...]:
    if not kind.unique:
        return ()

    def check(subject: Subject) -> Iterator[tuple[str, str]]:
        where = {path: subject.get(path) for path in kind.unique}
        if other := subject.one(kind.token, **where):
            words = " and ".join(f"{path} {value!r}" for path, value in where.items())
            yield kind.unique[0], f'{kind.kind} "{other.name}" ({other.id}) has {words} already'

    return (check,)


def _told(kind: ResourceType, subject: Subject, path: str, text: str) -> PluginError:
    place = f"{path}: " if path else ""
    return PluginError(f'{kind.kind} "{subject.name}": {place}{text}')


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
