"""The clouds that can be rehearsed, by Pulumi package. Only the one asked for is imported."""

from __future__ import annotations

import importlib
from typing import Any

from qhub.rehearsal.clouds.resource import CloudDefinition
from qhub.rehearsal.clouds.world import Record, World
from qhub.rehearsal.plugins.errors import PluginError, listing

#: Pulumi package -> module with its `CLOUD`.
MODULES = {
    "aws": "qhub.rehearsal.clouds.aws",
    "azure-native": "qhub.rehearsal.clouds.azure",
    "cloudflare": "qhub.rehearsal.clouds.cloudflare",
    "digitalocean": "qhub.rehearsal.clouds.digitalocean",
    "gcp": "qhub.rehearsal.clouds.gcp",
}


def definition(package: str) -> CloudDefinition:
    """Return the definition of a cloud.

    Raises:
        PluginError: there is no such cloud.
    """
    if package not in MODULES:
        raise PluginError(f"there is no simulated cloud for the package '{package}'. There is: {listing(MODULES)}")
    return importlib.import_module(MODULES[package]).CLOUD


def give(world: World, package: str, section: Any, dns: Any = None) -> None:
    """Put into a world what the settings say is in the account already, so that a stack can be rehearsed on it.

    Args:
        world: the world, before the first run.
        package: Pulumi package of the cloud.
        section: the `cluster` section of the settings.
        dns: the `dns` section; None where no zone is asked for.

    Raises:
        PluginError: there is no such cloud.
    """
    cloud = definition(package)
    for one in (*cloud.given(section), *(cloud.zone(section, dns) if dns is not None else ())):
        world.put(
            Record(
                cloud=package,
                type=one.token,
                id=one.id,
                name=one.id,
                urn="",
                inputs=one.outputs,
                outputs=one.outputs,
                given=True,
            )
        )
