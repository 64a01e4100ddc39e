"""Seats that are kept free (`jupyterhub.placeholders`): values of chart jupyterhub 4.4, section `scheduling`.

A placeholder is a pod that does nothing and is as large as a server of the default profile. Its priority is the lowest
that cluster-autoscalers still add nodes for (-10); servers have priority 0, so one that finds no room takes the
placeholder's at once, and the placeholder waits for the node that the autoscaler adds meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qhub.config.sizes import amounts
from qhub.platform.pods import node_selector, tolerations

if TYPE_CHECKING:
    from qhub.clouds.cluster import NodePool
    from qhub.config.jupyterhub import JupyterHub


def placeholder_values(hubs: JupyterHub, node_pools: Mapping[str, NodePool]) -> dict[str, Any]:
    """Return `userPlaceholder` and `podPriority` of the chart's section `scheduling`."""
    if not hubs.placeholders:
        return {"userPlaceholder": {"enabled": False}, "podPriority": {"enabled": False}}
    profile = hubs.default_profile
    pool = node_pools[profile.node_pool]
    seat = amounts(profile.default_size, cpu=pool.cpu, memory=pool.memory)
    # The spawner's bytes: its G is a power of 1024, and that of Kubernetes is not.
    reserved: dict[str, Any] = {"cpu": f"{seat.cpu_guarantee:g}", "memory": str(seat.memory)}
    if profile.gpu is not None:
        reserved[pool.gpu.resource if pool.gpu else "nvidia.com/gpu"] = str(profile.gpu.count)
    placeholder: dict[str, Any] = {
        "enabled": True,
        "replicas": hubs.placeholders,
        # Limits too, or a namespace with a quota of limits refuses it, and GPUs cannot be asked for without.
        "resources": {"requests": reserved, "limits": reserved},
    }
    selector = node_selector(pool)
    if selector:
        # singleuser.nodeSelector, which the chart would give it, is for all profiles: KubeSpawner merges selectors.
        placeholder["extraPodSpec"] = {"nodeSelector": selector}
    return {"userPlaceholder": placeholder, "podPriority": {"enabled": True}}


def placeholder_tolerations(hubs: JupyterHub, node_pools: Mapping[str, NodePool]) -> list[dict[str, Any]]:
    """Return what placeholders have to tolerate; nothing where there are none."""
    return tolerations(node_pools[hubs.default_profile.node_pool]) if hubs.placeholders else []
