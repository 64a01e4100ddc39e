"""A stack on a simulated cloud that a test drives with the real `pulumi` command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qhub.rehearsal.clouds.world import World
from qhub.rehearsal.simulated import SimulatedKubernetes, all_kubernetes
from tests.engine.pulumi_stack import PulumiStack


@dataclass
class CloudStack(PulumiStack):
    """One project folder with one stack and a world of its own.

    Args:
        world: the simulated clouds.
    """

    world: World

    def resources(self, **resources: Any) -> None:
        """Set the resources of the program `anything`, in their order: logical name -> [token, inputs]."""
        self.config(resources=[[name, *resource] for name, resource in resources.items()])

    def clean_up(self) -> None:
        """Stop the clusters that are left, however the test ended."""
        for _, folder in all_kubernetes(self.world.folder):
            SimulatedKubernetes(folder).delete()
