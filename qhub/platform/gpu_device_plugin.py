"""NVIDIA's device plugin: lets pods ask for the GPUs of a node, where the cloud does not install it itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_kubernetes.helm.v3 import Release

from qhub.platform.helm import ChartStore, helm_release
from qhub.platform.pods import resources

if TYPE_CHECKING:
    from qhub.clouds.cluster import NodePool

NAMESPACE = "kube-system"


@dataclass(frozen=True, kw_only=True)
class GpuDevicePluginArgs:
    """What the device plugin is given.

    Attributes:
        pools: node pools with GPUs, by name.
        charts: where the chart comes from.
    """

    pools: Mapping[str, NodePool]
    charts: ChartStore


class GpuDevicePlugin(pulumi.ComponentResource):
    """NVIDIA's device plugin on every node of the pools with GPUs.

    Creates:
        Helm release `nvidia-device-plugin`.

    Attributes:
        release: the Helm release.
    """

    release: Release

    def __init__(self, name: str, args: GpuDevicePluginArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:platform:GpuDevicePlugin", name, None, opts)
        self.release = helm_release(
            name,
            charts=args.charts,
            chart="nvidia_device_plugin",
            release_name="nvidia-device-plugin",
            namespace=NAMESPACE,
            values=gpu_device_plugin_values(args.pools),
            parent=self,
            depends_on=[],
        )
        self.register_outputs({})


def gpu_device_plugin_values(pools: Mapping[str, NodePool]) -> dict[str, Any]:
    """Return the values of chart nvidia-device-plugin 0.20."""
    terms = [
        {"matchExpressions": [{"key": key, "operator": "In", "values": [value]} for key, value in sorted(one.items())]}
        for one in (pools[name].node_selector for name in sorted(pools))
    ]
    tolerated = {tuple(sorted(one.items())): dict(one) for name in sorted(pools) for one in pools[name].tolerations}
    return {
        # The chart's own affinity waits for labels of node-feature-discovery, which is not installed: no pod at all.
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}},
        "tolerations": list(tolerated.values()),
        "resources": resources(cpu="10m", memory="64Mi", memory_limit="256Mi"),
    }
