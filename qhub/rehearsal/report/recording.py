"""What a rehearsal has seen, as plain data: all that the terminal, the JSON document and the page are made from.

Times are seconds on the simulated clock since the rehearsal began, unless a name says `wall`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: What a pod is to the platform.
ROLES = ("platform", "user", "scheduler", "worker")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the rehearsal.

    Attributes:
        name: frozen word for programs, such as `up`.
        title: the same for people.
        start: when it began.
        seconds: how long it took.
        wall_seconds: how long it took on the real clock.
        passed: whether what it was to show was seen.
        told: one line of what was seen.
    """

    name: str
    title: str
    start: float
    seconds: float
    wall_seconds: float
    passed: bool
    told: str


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What the engine did to one resource.

    Attributes:
        step: name of the step that it belongs to.
        urn: the resource.
        type: its type token.
        name: its logical name.
        op: the engine's word: `create`, `update`, `delete`, ...
        start: when the engine handed it to the provider.
        end: when the provider was done.
        depends_on: URNs of what had to be done before it in the same step.
        waited_for: what took its time, in words; "" where there is no more to tell than how long it took.
    """

    step: str
    urn: str
    type: str
    name: str
    op: str
    start: float
    end: float
    depends_on: tuple[str, ...] = ()
    waited_for: str = ""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node of the simulated cluster at one moment.

    Attributes:
        name: its name.
        pool: name of its node pool; "" for a node of no pool.
        instance_type: the cloud's name for the size of machine; "" where there is no cloud.
        cpu: cores that pods can use.
        memory: bytes that pods can use.
        gpus: GPUs that pods can use.
        pods: how many pods it takes.
        usd_per_hour: on-demand price; None where none is known.
    """

    name: str
    pool: str
    instance_type: str
    cpu: float
    memory: int
    gpus: int
    pods: int
    usd_per_hour: float | None


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod at one moment.

    Attributes:
        namespace, name: its name.
        role: one of `ROLES`.
        profile: the Jupyter or Dask profile that it was made for; "" for a pod of the platform.
        node: where it landed; "" for nowhere.
        running: whether it is Running and Ready.
        cpu: cores that it reserves.
        memory: bytes that it reserves.
        gpus: GPUs that it reserves.
        waited: seconds from its creation until it ran; None for a pod of the platform, or one that never ran.
        reason: why it is on no node, in the scheduler's words; "" where it is on one.
    """

    namespace: str
    name: str
    role: str
    profile: str
    node: str
    running: bool
    cpu: float
    memory: int
    gpus: int
    waited: float | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The cluster at one moment: `idle`, nobody is signed in; `peak`, everybody is; `after`, they have left."""

    moment: str
    nodes: tuple[Node, ...]
    pods: tuple[Pod, ...]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why the rehearsal did not pass.

    Attributes:
        step: name of the step.
        what: what failed, in one line: a resource, a pod, a profile.
        message: the engine's, the cluster's or the scheduler's own words.
        key: key of the stack file to change; "" where none is known.
        hint: what to do there.
    """

    step: str
    what: str
    message: str
    key: str = ""
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """One rehearsal of one stack.

    Attributes:
        stack: name of the stack.
        file: file of its settings, as it was given.
        provider: word of `cluster.provider`.
        region: where the cluster is; "" for an existing cluster.
        started: when, as ISO 8601 with the zone.
        speed: simulated seconds per real second.
        passed: whether all steps passed.
        steps: in their order.
        operations: of the engine, in the order of their start.
        resources: how many resources the stack has, by type.
        pictures: the cluster at its moments.
        failures: why it did not pass.
        notes: what is worth knowing of a rehearsal that passed.
        simulated: what stood in for the real thing, one line each.
    """

    stack: str
    file: str
    provider: str
    region: str
    started: str
    speed: float
    passed: bool
    steps: tuple[Step, ...]
    operations: tuple[Operation, ...] = ()
    resources: Mapping[str, int] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()
    simulated: tuple[str, ...] = ()

    def picture(self, moment: str) -> Picture | None:
        """Return the cluster at a moment, or None where the rehearsal did not get there."""
        return next((picture for picture in self.pictures if picture.moment == moment), None)

    @property
    def seconds(self) -> float:
        """How long it took, on the simulated clock."""
        return sum(step.seconds for step in self.steps)

    @property
    def wall_seconds(self) -> float:
        """How long it took, on the real clock."""
        return sum(step.wall_seconds for step in self.steps)
