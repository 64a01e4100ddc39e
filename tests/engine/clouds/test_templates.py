"""The complete stack file of each cloud, given to `pulumi` itself as it stands, with the real program and engine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from qhub.automation.rehearse.overlay import encrypted_paths
from qhub.automation.rehearse.workspace import CLOUD_PACKAGES
from qhub.config import load_settings_file
from qhub.config.document import read_document
from qhub.rehearsal.clouds.clock import SPEED_VARIABLE
from qhub.rehearsal.clouds.definitions import give
from qhub.rehearsal.clouds.world import WORLD_VARIABLE, World
from tests.engine.clouds.stack import CloudStack

ROOT = Path(__file__).parents[3]
#: Template -> type of its cluster.
TEMPLATES = {
    "config_aws": "aws:eks/cluster:Cluster",
    "config_gcp": "gcp:container/cluster:Cluster",
    "config_do": "digitalocean:index/kubernetesCluster:KubernetesCluster",
    "config_azure": "azure-native:containerservice:ManagedCluster",
}


@pytest.mark.parametrize("template", TEMPLATES)
def test_pulumi_takes_it_by_config_file(template: str, cloud_engine: dict[str, str], tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    (tmp_path / "state").mkdir()
    engine = {
        **cloud_engine,
        # The project is called qhub, as the keys of the file say: another test's may be too.
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        WORLD_VARIABLE: str(world.folder),
        SPEED_VARIABLE: "1000",
    }
    stack = CloudStack(
        name="qhub", folder=tmp_path / "qhub", program=ROOT / "stacks" / "__main__.py", engine=engine, world=world
    )
    file = stack.folder / "settings.yaml"
    shutil.copy(ROOT / "tests" / "assets" / f"{template}.yaml", file)
    given = ("--config-file", str(file))
    settings = load_settings_file(file)
    give(world, CLOUD_PACKAGES[settings.cluster.provider], settings.cluster, settings.dns)
    for path in encrypted_paths(read_document(file).data["config"]):
        stack.pulumi("config", "set", "--path", "--secret", path, "a-secret", *given)

    steps = json.loads(stack.pulumi("preview", "--json", *given))["steps"]

    types = [step["newState"]["type"] for step in steps]
    assert {step["op"] for step in steps} == {"create"}
    assert types.count(TEMPLATES[template]) == 1
    assert types.count("kubernetes:helm.sh/v3:Release") >= 2
    names = {step["urn"].split("::")[-1] for step in steps}
    assert all(any(name.startswith(f"pools-{pool}") for name in names) for pool in settings.cluster.pools)
    assert world.left() == [], "a preview makes nothing"
