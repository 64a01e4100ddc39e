"""What the recorded configurations of every cloud share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qhub.config import Settings
from tests.graph.configurations import program_of
from tests.graph.recorder import Monitor, Outputs, Recording, Registered, record


class CloudConfigurations:
    """The configurations of one cloud, and how their program is recorded.

    Args:
        configurations: name -> what stands in the stack file besides the domain.
        outputs: what the cloud would add to the outputs of resources.
        monitor: the engine's side, where the cloud needs more of it.
    """

    def __init__(
        self, configurations: Mapping[str, Mapping[str, Any]], outputs: Outputs, *, monitor: type[Monitor] = Monitor
    ) -> None:
        self._configurations, self._outputs, self._monitor = configurations, outputs, monitor
        self._made: dict[tuple[str, bool], Recording] = {}

    def settings_of(self, name: str, **changes: Any) -> Settings:
        """Return the settings of a configuration; a section in `changes` replaces it, `cluster` is laid over it."""
        written: dict[str, Any] = {"domain": "qhub.localhost", **self._configurations[name]}
        cluster = {**written["cluster"], **changes.pop("cluster", {})}
        return Settings.model_validate({**written, **changes, "cluster": cluster, "stack": "test", "root": Path.cwd()})

    def record_settings(self, settings: Settings, *, preview: bool = False) -> Recording:
        """Run the program for some settings against the cloud's answers and return what it registered."""
        return record(program_of(settings), outputs=self._outputs, preview=preview, monitor=self._monitor)

    def record_configuration(self, name: str, *, preview: bool = False, **changes: Any) -> Recording:
        """Run the program for a configuration and return what it registered; one without changes is made once."""
        if changes:
            return self.record_settings(self.settings_of(name, **changes), preview=preview)
        if (name, preview) not in self._made:
            self._made[name, preview] = self.record_settings(self.settings_of(name), preview=preview)
        return self._made[name, preview]


def changed(before: Recording, after: Recording, *, kinds: bool = False) -> set[str]:
    """Return the names of the resources that are in one only, or differ. Components are in the state alone.

    Args:
        before, after: two recordings.
        kinds: return `kind:name`, where two resources share a name.
    """
    every = {**before.resources, **after.resources}
    return {
        kind_and_name(made) if kinds else made.name
        for urn, made in every.items()
        if made.custom and before.resources.get(urn) != after.resources.get(urn)
    }


def inputs_changed(before: Recording, after: Recording) -> set[str]:
    """Return `kind:name` of what the engine would update or replace: a dependency more is in the state alone."""
    kept = before.resources.keys() & after.resources.keys()
    return {
        kind_and_name(after.resources[urn])
        for urn in kept
        if before.resources[urn].inputs != after.resources[urn].inputs
    }


def kind_and_name(made: Registered) -> str:
    """Return `NodeGroup:pools-user` for a resource of a type that ends so."""
    return f"{made.type.rpartition(':')[2]}:{made.name}"
