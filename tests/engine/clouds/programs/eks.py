"""The cluster of a stack's settings and, where there is one, the autoscaler; nothing else of the platform."""

from pathlib import Path

import pulumi

from qhub.clouds import make_cluster
from qhub.config import load_stack_settings
from qhub.platform.cluster_autoscaler import ClusterAutoscaler, ClusterAutoscalerArgs
from qhub.platform.helm import ChartStore

settings = load_stack_settings()
cluster = make_cluster(settings)
charts = ChartStore(
    settings=settings.charts, project_root=settings.root, working_dir=Path.cwd(), images=settings.images
)
if cluster.autoscaler is not None:
    args = ClusterAutoscalerArgs(autoscaler=cluster.autoscaler, pool=cluster.node_pools["general"], charts=charts)
    ClusterAutoscaler("autoscaler", args, pulumi.ResourceOptions(providers=[cluster.provider]))
pulumi.export("kubeconfig", cluster.kubeconfig)
