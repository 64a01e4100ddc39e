"""Faults on request: operations that fail although nothing is wrong with them, and quotas.

`QHUB_REHEARSAL_FAULTS` is a JSON list, or the path of a file that holds one:

    [
      {"type": "aws:eks/nodegroup:NodeGroup", "name": "*gpu*", "operation": "create", "times": 1, "after": 240,
       "message": "no capacity for g5.xlarge in eu-central-1a"},
      {"quota": 0, "type": "aws:eks/nodegroup:NodeGroup", "where": {"instanceTypes[*]": "g5.*"},
       "message": "vCPU quota for G instances in eu-central-1 is 0"}
    ]

| key         | means                                                                                 | without it  |
|-------------|---------------------------------------------------------------------------------------|-------------|
| `type`      | pattern (`*`) of the type token                                                       | any         |
| `name`      | pattern of the logical name                                                           | any         |
| `where`     | input path -> pattern of its text                                                     | any         |
| `operation` | `create`, `update`, `delete` or `read`                                                | any         |
| `message`   | what the cloud says                                                                   | a plain one |
| `times`     | how often it happens, in the life of the simulated world                              | always      |
| `after`     | simulated seconds into the operation; the cloud then has a broken resource left       | at once     |
| `quota`     | most resources that match; creating one more fails (no `operation`, `times`, `after`) | no quota    |
"""

from __future__ import annotations

import dataclasses
import fnmatch
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qhub.rehearsal.clouds import trees
from qhub.rehearsal.clouds.files import write_atomically
from qhub.rehearsal.clouds.subject import Subject
from qhub.rehearsal.clouds.world import Record, World
from qhub.rehearsal.plugins.errors import PluginError, listing, nearest

#: The faults, as JSON or as the path of a JSON file.
FAULTS_VARIABLE = "QHUB_REHEARSAL_FAULTS"
OPERATIONS = ("create", "update", "delete", "read")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fault:
    """One entry; see the module's table."""

    type: str = "*"
    name: str = "*"
    where: Mapping[str, str] = dataclasses.field(default_factory=dict)
    operation: str = "*"
    message: str = ""
    times: int | None = None
    after: float = 0.0
    quota: int | None = None

    def matches(self, *, token: str, name: str, inputs: dict[str, Any]) -> bool:
        """Say whether a resource is meant."""
        return (
            fnmatch.fnmatchcase(token, self.type)
            and fnmatch.fnmatchcase(name, self.name)
            and all(
                any(fnmatch.fnmatchcase(str(value), pattern) for _, value in trees.each(inputs, path))
                for path, pattern in self.where.items()
            )
        )

    @property
    def key(self) -> str:
        """What its count of happenings is kept under."""
        return hashlib.sha256(json.dumps(dataclasses.asdict(self), sort_keys=True).encode()).hexdigest()[:16]


class Faults:
    """The faults of a rehearsal.

    Args:
        faults: the entries.
        world: where it is kept how often each has happened, for all plugins and runs.
    """

    def __init__(self, faults: list[Fault], world: World) -> None:
        self._faults = faults
        self._world = world
        self._file = world.folder / "faults.json"

    def of(self, subject: Subject, operation: str) -> Fault | None:
        """Return the fault that this operation meets, counted as happened; None for none."""
        for fault in self._faults:
            meant = fault.matches(token=subject.token, name=subject.name, inputs=subject.inputs)
            if not meant or (fault.quota is not None and operation != "create"):
                continue
            if fault.quota is not None:
                if len(self._counted(fault, subject)) >= fault.quota:
                    return fault
            elif fault.operation in ("*", operation) and self._happens(fault):
                return fault
        return None

    def _counted(self, fault: Fault, subject: Subject) -> list[Record]:
        records = self._world.records(subject.cloud)
        return [one for one in records if fault.matches(token=one.type, name=one.name, inputs=one.inputs)]

    def _happens(self, fault: Fault) -> bool:
        if fault.times is None:
            return True
        with self._world.locked():
            counts = json.loads(self._file.read_text(encoding="utf-8")) if self._file.exists() else {}
            done = counts.get(fault.key, 0)
            if done >= fault.times:
                return False
            write_atomically(self._file, json.dumps({**counts, fault.key: done + 1}))
        return True


def message_of(fault: Fault, operation: str) -> str:
    """Return what the cloud says."""
    if fault.message:
        return fault.message
    if fault.quota is not None:
        return f"the quota of {fault.type} is {fault.quota} and is used up"
    return f"the rehearsal was asked to let this {operation} fail"


def faults_of_environment(world: World, environment: Mapping[str, str] = os.environ) -> Faults:
    """Return the faults of `QHUB_REHEARSAL_FAULTS`; none without it.

    Raises:
        PluginError: it cannot be read, or has a key or value that means nothing.
    """
    text = environment.get(FAULTS_VARIABLE, "").strip()
    if not text:
        return Faults([], world)
    try:
        entries = json.loads(text if text.startswith("[") else Path(text).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PluginError(f"{FAULTS_VARIABLE} must be a JSON list or the path of one: {error}") from None
    if not isinstance(entries, list):
        raise PluginError(f"{FAULTS_VARIABLE} must be a list of faults")
    return Faults([_fault(index, entry) for index, entry in enumerate(entries)], world)


def _fault(index: int, entry: Any) -> Fault:
    place = f"{FAULTS_VARIABLE}[{index}]"
    if not isinstance(entry, dict):
        raise PluginError(f"{place} must be an object")
    known = [field.name for field in dataclasses.fields(Fault)]
    for key, value in entry.items():
        if key not in known:
            raise PluginError(f"{place} has no key '{key}'.{nearest(key, known)} It has: {listing(known)}")
        if not _is_valid(key, value):
            raise PluginError(
                f"{place}.{key}: {value!r} is not allowed; see the table in qhub/rehearsal/clouds/faults.py"
            )
    if "quota" in entry and {"operation", "times", "after"} & set(entry):
        raise PluginError(f"{place}: a quota has neither operation nor times nor after")
    return Fault(**entry)


def _is_valid(key: str, value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    if key in ("times", "quota"):
        return number and isinstance(value, int)
    if key == "after":
        return number
    if key == "where":
        return isinstance(value, dict) and all(isinstance(pattern, str) for pattern in value.values())
    return value in OPERATIONS if key == "operation" else isinstance(value, str)
