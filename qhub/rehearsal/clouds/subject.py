"""A resource in the hands of a cloud's rules: its inputs, what it was before, and the cloud around it."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from qhub.rehearsal.clouds.trees import at, each
from qhub.rehearsal.clouds.world import Record, World
from qhub.rehearsal.plugins.errors import PluginError
from qhub.rehearsal.plugins.wire import UNKNOWN, has_unknown


class Refused(PluginError):
    """The simulated cloud will not do it.

    Args:
        path: property at fault; "" for the resource as a whole.
        text: what is wrong, what was expected.
    """

    def __init__(self, path: str, text: str) -> None:
        super().__init__(f"{path}: {text}" if path else text)
        self.path = path
        self.text = text


@dataclasses.dataclass(kw_only=True)
class Subject:
    """One resource during one operation. All values are plain: a rule never sees a wrapped secret.

    Attributes:
        cloud: package, `aws`.
        token: type token.
        name: logical name.
        urn: URN.
        inputs: inputs with defaults. In a preview a leaf may be `UNKNOWN`; `get` hides that.
        world: everything in the simulated clouds.
        configuration: inputs of the provider, nested ones decoded.
        old_inputs: inputs before this update; None while creating.
        id: id; "" before there is one.
        state: outputs after the last operation; empty while creating.
        notes: what hooks keep with the resource (plain data, not seen by Pulumi).
        seed: drawn when the resource is created; what `hex`, `digits` and `uuid` are made of.
        status: shows a line in the progress of this resource.
        save: writes inputs and notes down now; for a hook that must leave a trace before it begins something.
        cancelled: set when the run is cancelled; for hooks that wait.
    """

    cloud: str
    token: str
    name: str
    urn: str
    inputs: dict[str, Any]
    world: World
    configuration: dict[str, Any] = dataclasses.field(default_factory=dict)
    old_inputs: dict[str, Any] | None = None
    id: str = ""
    state: dict[str, Any] = dataclasses.field(default_factory=dict)
    notes: dict[str, Any] = dataclasses.field(default_factory=dict)
    seed: str = ""
    status: Callable[[str], None] = lambda text: None
    save: Callable[[], object] = lambda: None
    cancelled: threading.Event = dataclasses.field(default_factory=threading.Event)

    # -- inputs --------------------------------------------------------------------------------------------------------

    def get(self, path: str, default: Any = None) -> Any:
        """Return the input at a path; `default` where it is absent, null or not known yet.

        A list or object that is known in part is returned with `UNKNOWN` leaves; use `each` for its known leaves.
        """
        value = at(self.inputs, path)
        return default if value is None or value is UNKNOWN else value

    def given(self, path: str) -> bool:
        """Say whether the program gives this input, known yet or not."""
        return at(self.inputs, path) is not None

    def known(self, path: str) -> bool:
        """Say whether nothing at or below a path is unknown. An absent input is known to be absent."""
        return not has_unknown(at(self.inputs, path))

    def each(self, path: str) -> Iterator[tuple[str, Any]]:
        """Yield (path, value) of every known value that a path with `[*]` or `*` stands for: `taints[*].key`."""
        for place, value in each(self.inputs, path):
            if value is not None and value is not UNKNOWN:
                yield place, value

    def changed(self, path: str) -> bool:
        """Say whether an update changes what is at a path."""
        return self.old_inputs is not None and at(self.old_inputs, path) != at(self.inputs, path)

    # -- the cloud around it -------------------------------------------------------------------------------------------

    def find(self, token: str, id: str | None) -> Record | None:
        """Return a resource of this cloud by type and id; None where there is none, or no id."""
        return self.world.get(self.cloud, token, id) if isinstance(id, str) and id else None

    def all(self, token: str, **where: Any) -> list[Record]:
        """Return the resources of a type whose outputs have these values, without this one: `all(SUBNET, vpcId=x)`."""
        return [
            record
            for record in self.world.records(self.cloud, token)
            if record.id != self.id and all(record.get(key) == value for key, value in where.items())
        ]

    def one(self, token: str, **where: Any) -> Record | None:
        """Return the first of `all(token, **where)`, or None."""
        found = self.all(token, **where)
        return found[0] if found else None

    def require(self, token: str, path: str) -> Record:
        """Return the resource whose id is the input at a path.

        Raises:
            Refused: it is not in this cloud.
        """
        wanted = self.get(path)
        found = self.find(token, wanted)
        if found is None:
            raise Refused(path, f"there is no {token.rsplit(':', 1)[-1]} {wanted!r} in the simulated cloud")
        return found

    def refuse(self, path: str, text: str) -> Refused:
        """Return the error to raise from a hook or from `outputs`: `raise subject.refuse("size", "...")`."""
        return Refused(path, text)

    # -- ids -----------------------------------------------------------------------------------------------------------

    def hex(self, length: int, purpose: str = "id") -> str:
        """Return hex digits that stay the same for the life of the resource; another purpose gives others."""
        digits = ""
        while len(digits) < length:
            digits += hashlib.sha256(f"{self.seed}/{purpose}/{len(digits)}".encode()).hexdigest()
        return digits[:length]

    def digits(self, length: int, purpose: str = "number") -> str:
        """Return decimal digits, as stable as `hex`; the first one is no zero."""
        number = int(self.hex(2 * length + 8, purpose), 16) % (9 * 10 ** (length - 1))
        return str(10 ** (length - 1) + number)

    def uuid(self, purpose: str = "id") -> str:
        """Return a UUID, as stable as `hex`."""
        return str(uuid.UUID(hex=self.hex(32, purpose), version=4))
