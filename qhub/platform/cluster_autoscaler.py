"""cluster-autoscaler: adds nodes for pods that fit nowhere and removes idle ones, where the cloud does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_kubernetes.helm.v3 import Release

from qhub.platform.helm import ChartStore, helm_release
from qhub.platform.pods import placement, resources

if TYPE_CHECKING:
    from qhub.clouds.cluster import Autoscaler, NodePool

#: Image for each minor version of Kubernetes: the autoscaler simulates that version's scheduler and must match it
#: (newest patches of 2026-07; kubernetes/autoscaler, cluster-autoscaler/README.md, "Releases").
IMAGE_TAGS = {"1.33": "v1.33.6", "1.34": "v1.34.5", "1.35": "v1.35.2", "1.36": "v1.36.1"}


@dataclass(frozen=True, kw_only=True)
class ClusterAutoscalerArgs:
    """What the autoscaler is given.

    Attributes:
        autoscaler: what the cloud says of it.
        pool: nodes for its pod.
        charts: where the chart comes from.
    """

    autoscaler: Autoscaler
    pool: NodePool
    charts: ChartStore


class ClusterAutoscaler(pulumi.ComponentResource):
    """cluster-autoscaler.

    Creates:
        Helm release `cluster-autoscaler`.

    Attributes:
        release: the Helm release.
    """

    release: Release

    def __init__(self, name: str, args: ClusterAutoscalerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:platform:ClusterAutoscaler", name, None, opts)
        self.release = helm_release(
            name,
            charts=args.charts,
            chart="cluster_autoscaler",
            release_name="cluster-autoscaler",
            namespace=args.autoscaler.namespace,
            values=cluster_autoscaler_values(args.autoscaler, pool=args.pool),
            parent=self,
            depends_on=args.autoscaler.ready,
        )
        self.register_outputs({})


def cluster_autoscaler_values(autoscaler: Autoscaler, *, pool: NodePool) -> dict[str, Any]:
    """Return the values of chart cluster-autoscaler 9.59."""
    values: dict[str, Any] = {
        "cloudProvider": autoscaler.cloud_provider,
        "awsRegion": autoscaler.region,
        # Named one by one: found by their tags, they would have the cloud's bounds, not the settings'.
        "autoscalingGroups": [
            {"name": group.name, "minSize": group.min, "maxSize": group.max} for group in autoscaler.groups
        ],
        "rbac": {"serviceAccount": {"create": True, "name": autoscaler.service_account}},
        "extraArgs": {
            "balance-similar-node-groups": True,  # pools in several zones stay even
            # Of itself it only never goes below; the cloud, which would bring a raised `min` up, does not know it.
            "enforce-node-group-min-size": True,
            "expander": "least-waste",
            # A notebook's emptyDir and the system's own pods would otherwise hold an idle node for ever.
            "skip-nodes-with-local-storage": False,
            "skip-nodes-with-system-pods": False,
            "scale-down-unneeded-time": "10m",
        },
        # 600 MiB serve a thousand nodes (its FAQ); a hundred are what a team has.
        "resources": resources(cpu="50m", memory="300Mi", memory_limit="600Mi"),
        **placement(pool),
    }
    if tag := IMAGE_TAGS.get(autoscaler.kubernetes_version):
        values["image"] = {"tag": tag}
    return values
