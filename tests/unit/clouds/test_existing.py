"""A cluster that is there already."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from qhub.clouds.cluster import Gpu, NodePool
from qhub.clouds.existing import node_pools
from qhub.config import Settings


def test_pools_are_in_the_words_of_kubernetes() -> None:
    pool = {
        "node_selector": {"pool": "gpu"},
        "tolerations": [
            {"key": "gpu", "operator": "Exists", "effect": "NoExecute", "toleration_seconds": 60},
            {"key": "a", "value": "b"},
        ],
        "gpu": {"count": 2},
        "cpu": 8,
        "memory": "1Gi",
        "spot": True,
        "architecture": "arm64",
    }
    settings = Settings.model_validate({"domain": "qhub.localhost", "cluster": {"node_pools": {"gpu": pool}}})
    tolerations: tuple[dict[str, Any], ...] = (
        {"key": "gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},
        {"key": "a", "operator": "Equal", "value": "b"},
    )

    assert node_pools(settings.cluster.pools)["gpu"] == NodePool(
        node_selector={"pool": "gpu"},
        tolerations=tolerations,
        cpu=8,
        memory=1024**3,
        gpu=Gpu(count=2),
        spot=True,
        architecture="arm64",
    )


def test_the_three_pools_of_the_platform_are_always_there() -> None:
    settings = Settings.model_validate({"domain": "qhub.localhost"})

    assert set(node_pools(settings.cluster.pools)) == {"general", "user", "worker"}


def test_only_the_chosen_clouds_sdk_is_imported() -> None:
    program = (
        "import sys, qhub.clouds, qhub.clouds.existing, qhub.platform\n"
        "clouds = {'pulumi_aws', 'pulumi_gcp', 'pulumi_digitalocean', 'pulumi_azure_native', 'qhub.rehearsal'}\n"
        "sys.exit(', '.join(clouds & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
