"""What a cloud is to a stand-in plugin: its resource types, each declared in one place. See the package's docstring."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from qhub.rehearsal.clouds.subject import Subject

#: Looks at a resource and yields what is wrong with it: (property path, text). "" as path: the resource as a whole.
Check = Callable[[Subject], Iterable[tuple[str, str]]]
Hook = Callable[[Subject], None]
#: Simulated seconds, or what they are for this resource.
Duration = float | Callable[[Subject], float]


def _no_outputs(subject: Subject) -> dict[str, Any]:
    return {}


def _random_id(subject: Subject) -> str:
    return subject.uuid()


@dataclasses.dataclass(frozen=True, kw_only=True)
class AutoName:
    """The name that a provider makes up where the program gives none: logical name, separator, random hex digits.

    Attributes:
        property: input that holds the name.
        separator: `-` for providers on the Terraform bridge, nothing for azure-native.
        digits: hex digits: 7 on the bridge, 8 for azure-native.
    """

    property: str = "name"
    separator: str = "-"
    digits: int = 7


#: Where a type has no name of its own, or one that must be given.
NO_NAME: AutoName | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ResourceType:
    """One resource type of a simulated cloud. Its inputs are not declared: the provider's Python package knows them.

    Paths are written as on the wire: `vpcConfig.subnetIds`, `taints[*].key`.

    Attributes:
        token: type token, `aws:eks/cluster:Cluster`.
        create_seconds, update_seconds, delete_seconds: how long the cloud takes, in simulated seconds; a function
            where it depends on the inputs.
        replaced_by: paths whose change cannot be made in place.
        replaces: the same where it depends on the values: yields paths; `subject.old_inputs` has the inputs before.
        compared_to_state: inputs that are compared to what the cloud says they are, not to the inputs of the last run:
            a version that the cloud resolves or moves. Where it differs, every update has a difference.
        delete_first: a replacement deletes before it creates, whatever the names. Without it, only where the name is
            given (not made up) and stays the same, as the Terraform bridge does.
        autoname: name that the provider makes up; `NO_NAME` for a type without one.
        unique: paths that no two resources of the type share in this cloud, taken together: `("name", "region")`.
        defaults: inputs that the provider adds where they are missing. They show up in the resource's outputs.
        id: the id. It is called once, before anything else; by default a UUID.
        outputs: outputs beside the inputs (an output of the same name wins). Called after every operation, so what it
            returns must stay the same while nothing changes: take ids from `subject.hex(...)`, never from `random`.
        computed: paths inside of an object input that only the cloud knows (`vpcConfig.vpcId`): unknown in a preview.
        changing: outputs that an update changes: unknown in its preview.
        secrets: outputs that are secret.
        checks: what must hold for the inputs alone. Run in previews too; what is not known yet reads as absent.
            `subject.old_inputs` has the inputs before, None for a resource that is new or is being replaced.
        conditions: what must hold in the cloud when the resource is made or changed; every input is known then.
        before_delete: what the cloud refuses to delete: yields reasons.
        during_create: runs while the resource is being made: its time is part of `create_seconds`.
        after_create, after_update, after_delete: run when the cloud is done, before `outputs`. What they leave in
            `subject.notes` stays with the resource.
    """

    token: str
    create_seconds: Duration = 3.0
    update_seconds: Duration = 3.0
    delete_seconds: Duration = 3.0
    replaced_by: tuple[str, ...] = ()
    replaces: Callable[[Subject], Iterable[str]] | None = None
    compared_to_state: tuple[str, ...] = ()
    delete_first: bool = False
    autoname: AutoName | None = NO_NAME
    unique: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    id: Callable[[Subject], str] = _random_id
    outputs: Callable[[Subject], dict[str, Any]] = _no_outputs
    computed: tuple[str, ...] = ()
    changing: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    conditions: tuple[Check, ...] = ()
    before_delete: tuple[Check, ...] = ()
    during_create: Hook | None = None
    after_create: Hook | None = None
    after_update: Hook | None = None
    after_delete: Hook | None = None

    def __post_init__(self) -> None:
        if self.token.count(":") != 2:
            raise ValueError(f"not a type token: {self.token}")

    @property
    def kind(self) -> str:
        """The last word of the token: `Cluster`."""
        return self.token.rsplit(":", 1)[-1]

    def seconds(self, operation: str, subject: Subject) -> float:
        """Return how long an operation takes: `create`, `update` or `delete`."""
        duration = {"create": self.create_seconds, "update": self.update_seconds, "delete": self.delete_seconds}
        chosen: Any = duration[operation]
        return float(chosen(subject) if callable(chosen) else chosen)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Call:
    """A function of the provider that a program calls (an invoke).

    Attributes:
        arguments: plain.
        configuration: the provider's.
        subject: the cloud, for look-ups; it has no inputs of its own.
    """

    arguments: dict[str, Any]
    configuration: dict[str, Any]
    subject: Subject


@dataclasses.dataclass(frozen=True, kw_only=True)
class Given:
    """Something that is in the account before a stack is deployed, and stays when it is destroyed.

    Attributes:
        token: its type.
        id: its id.
        outputs: what the cloud says about it; what rules look at.
    """

    token: str
    id: str
    outputs: dict[str, Any]


def _nothing_added(subject: Subject) -> Mapping[str, Any]:
    return {}


def _nothing_given(section: Any) -> Iterable[Given]:
    return ()


def _no_zone(section: Any, dns: Any) -> Iterable[Given]:
    return ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class CloudDefinition:
    """A simulated cloud.

    Attributes:
        package: Pulumi package, as in tokens: `aws`, `azure-native`.
        sdk: module of its Python package: `pulumi_aws`.
        resources: its types. A type that is not among them is an error that says so.
        functions: token -> answer, for invokes.
        configuration: what must hold for the provider's own configuration (`subject.inputs`); for example its region.
        added: inputs that the provider makes of its own configuration, for a resource whose outputs have them: tags on
            everything. So a change of that configuration alone is an update of the resource.
        given: what the `cluster` section of the settings says is there already: a network, subnets, a registry.
        zone: the zone that the `dns` section names (its second argument), where this cloud manages it.
    """

    package: str
    sdk: str
    resources: tuple[ResourceType, ...]
    functions: Mapping[str, Callable[[Call], dict[str, Any]]] = dataclasses.field(default_factory=dict)
    configuration: tuple[Check, ...] = ()
    added: Callable[[Subject], Mapping[str, Any]] = _nothing_added
    given: Callable[[Any], Iterable[Given]] = _nothing_given
    zone: Callable[[Any, Any], Iterable[Given]] = _no_zone

    def __post_init__(self) -> None:
        tokens = [one.token for one in self.resources]
        if twice := {token for token in tokens if tokens.count(token) > 1}:
            raise ValueError(f"defined twice: {', '.join(sorted(twice))}")

    @property
    def by_token(self) -> dict[str, ResourceType]:
        """Types by token."""
        return {one.token: one for one in self.resources}
