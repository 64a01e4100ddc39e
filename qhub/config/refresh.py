"""Whether `pulumi up` looks at the cloud before it changes a node pool, where the cloud needs that.

DigitalOcean's provider sends the number of nodes that the state has with every change of a pool, a tag included
(digitalocean/terraform-provider-digitalocean, `resource_kubernetes_node_pool.go`), and DOKS follows it against its own
autoscaler: a pool that has grown since the last run loses nodes, with the notebooks on them. No program can leave the
number out. What is as the cloud has it a moment before the change takes nothing away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qhub.config.advice import SettingsWarning

if TYPE_CHECKING:
    from qhub.config.settings import Settings

#: What the project file has to say; the engine knows this word alone.
ALWAYS = "always"


def refreshes(project: Mapping[str, Any]) -> bool:
    """Return whether the project file says that each run begins with a look at what there is."""
    options = project.get("options")
    return isinstance(options, Mapping) and options.get("refresh") == ALWAYS


def unrefreshed(settings: Settings, project: Mapping[str, Any], *, file: str) -> SettingsWarning | None:
    """Return the warning that a run may take nodes away that are in use; None where it cannot.

    Args:
        settings: the settings.
        project: what stands in the project file.
        file: its name.
    """
    if settings.cluster.provider != "digitalocean" or refreshes(project):
        return None
    return SettingsWarning(
        "cluster.node_pools",
        f"a changed pool would get the number of nodes that it had at the last `pulumi up`, and lose those that are in "
        f"use; write `options: {{refresh: {ALWAYS}}}` into {file}, at its top level",
    )
