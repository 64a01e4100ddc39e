"""What of a rehearsal is not the real thing. Said in every report."""

from __future__ import annotations

from qhub.automation.rehearse.extra_charts import STAND_IN, extra_charts, on_contract_charts
from qhub.automation.rehearse.workspace import Workspace


def what_is_simulated(space: Workspace) -> tuple[str, ...]:
    """Return what stood in for the real thing, one line each."""
    settings, lines = space.settings, []
    cluster = settings.cluster
    if space.cluster is None:
        lines.append(
            f"The cloud ({cluster.provider}): stand-in plugins that check every input against the provider's own "
            "package; durations are typical ones, prices are list prices"
        )
    else:
        lines.append(
            "Your cluster: an embedded Kubernetes of our own takes its place; its nodes follow cluster.node_pools, "
            "and their number does not change"
        )
    if space.cluster is None:
        lines.append(
            "Nodes: no container runs; pods become Ready after the time that their volumes, images and probes take; "
            "sizes of images and durations are typical ones"
        )
    else:
        lines.append("Nodes: no container runs; pods become Ready by themselves once the scheduler has placed them")
    lines.append("Users: pods as KubeSpawner and Dask Gateway would make them from the values of the two releases")
    lines += [
        f"Plugin {plugin.package}: {'the official one' if plugin.official else 'a stand-in'}, {plugin.version}"
        for plugin in space.plugins
    ]
    lines.append(
        "Charts: QHub's small contract charts, with names, keys and objects of the real ones"
        if on_contract_charts(settings)
        else f"Charts: from {settings.charts.mirror}"
    )
    if empty := [name for name, chart in extra_charts(settings).items() if chart == STAND_IN]:
        lines.append(f"Charts of your own releases: an empty one for {', '.join(empty)}")
    if space.clock.speed != 1:
        lines.append(f"Time: {space.clock.speed:g} simulated seconds per real one, for what is computed here as well")
    real = [f"pulumi {space.tools['pulumi'].version}", f"Kubernetes {space.tools['kube-apiserver'].version}", "helm"]
    lines.append(f"Not simulated: the program, {', '.join(real)}, API server, scheduler and controllers")
    return (*lines, *space.overlay.simulated)
