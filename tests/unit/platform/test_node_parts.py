"""What nodes need: the autoscaler's and the GPU device plugin's values."""

from __future__ import annotations

import dataclasses

import pytest

from qhub.clouds.cluster import Gpu, NodePool
from qhub.platform.cluster_autoscaler import IMAGE_TAGS, cluster_autoscaler_values
from qhub.platform.gpu_device_plugin import gpu_device_plugin_values
from tests.unit.platform.building import AUTOSCALER
from tests.unit.platform.reference import needs_reference, unknown_keys

GENERAL = NodePool(node_selector={"qhub.dev/pool": "general"})
GPU_POOLS = {
    name: NodePool(
        node_selector={"qhub.dev/pool": name},
        tolerations=(
            {"key": "qhub.dev/pool", "operator": "Equal", "value": name, "effect": "NoSchedule"},
            {"key": "nvidia.com/gpu", "operator": "Equal", "value": "present", "effect": "NoSchedule"},
        ),
        gpu=Gpu(count=1),
    )
    for name in ("t4", "a100")
}


class TestTheAutoscaler:
    def test_looks_after_the_groups_of_this_cluster_alone_within_the_bounds_of_the_settings(self) -> None:
        values = cluster_autoscaler_values(AUTOSCALER, pool=GENERAL)
        assert values["autoscalingGroups"] == [
            {"name": "eks-general-0a1b", "minSize": 1, "maxSize": 3},
            {"name": "eks-user-0a1b", "minSize": 0, "maxSize": 10},
        ]
        # What it would find by tags would have EKS's bounds.
        assert "autoDiscovery" not in values
        assert values["awsRegion"] == "eu-west-1"

    def test_brings_a_pool_up_to_its_minimum(self) -> None:
        assert cluster_autoscaler_values(AUTOSCALER, pool=GENERAL)["extraArgs"]["enforce-node-group-min-size"] is True

    def test_runs_where_nodes_are_always(self) -> None:
        assert cluster_autoscaler_values(AUTOSCALER, pool=GENERAL)["nodeSelector"] == {"qhub.dev/pool": "general"}

    @pytest.mark.parametrize("minor", IMAGE_TAGS)
    def test_its_image_is_of_the_clusters_minor_version(self, minor: str) -> None:
        of_that_version = dataclasses.replace(AUTOSCALER, kubernetes_version=minor)
        assert cluster_autoscaler_values(of_that_version, pool=GENERAL)["image"]["tag"].startswith(f"v{minor}.")

    def test_an_unknown_version_takes_the_charts_own_image(self) -> None:
        newer = dataclasses.replace(AUTOSCALER, kubernetes_version="1.99")
        assert "image" not in cluster_autoscaler_values(newer, pool=GENERAL)

    @needs_reference
    def test_the_chart_knows_every_key(self) -> None:
        assert unknown_keys("cluster-autoscaler", cluster_autoscaler_values(AUTOSCALER, pool=GENERAL)) == []


class TestTheDevicePlugin:
    def test_goes_to_the_nodes_of_every_pool_with_gpus_and_no_other(self) -> None:
        affinity = gpu_device_plugin_values(GPU_POOLS)["affinity"]["nodeAffinity"]
        terms = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
        assert [term["matchExpressions"] for term in terms] == [
            [{"key": "qhub.dev/pool", "operator": "In", "values": [name]}] for name in ("a100", "t4")
        ]

    def test_tolerates_each_taint_of_theirs_once(self) -> None:
        tolerations = gpu_device_plugin_values(GPU_POOLS)["tolerations"]
        assert len(tolerations) == 3
        for pool in GPU_POOLS.values():
            assert all(dict(one) in tolerations for one in pool.tolerations)

    @needs_reference
    def test_the_chart_knows_every_key(self) -> None:
        assert unknown_keys("nvidia-device-plugin", gpu_device_plugin_values(GPU_POOLS)) == []
