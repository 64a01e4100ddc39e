"""What has to hold of the resource graph on every cloud; what only one of them has stands in the file of that cloud."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from qhub.config import load_settings_file
from qhub.config.aws import AwsCluster
from qhub.config.azure import AzureCluster
from qhub.config.cloud import CloudCluster
from qhub.config.digitalocean import DigitalOceanCluster
from qhub.config.gcp import GcpCluster
from tests.graph import clouds_aws, clouds_azure, clouds_digitalocean, clouds_gcp
from tests.graph.clouds import changed, inputs_changed
from tests.graph.recorder import SECRET_SIGNATURE, SIGNATURE_KEY, Recording
from tests.graph.test_invariants import transitive
from tests.unit.config.unwritten import unwritten

ASSETS = Path(__file__).parents[1] / "assets"
KUBERNETES = "pulumi:providers:kubernetes"


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """What differs between the clouds, as far as these tests go.

    Attributes:
        module: its configurations, and how they are recorded.
        section: what may be written in `cluster`.
        package: of its resources.
        template: its complete stack file, in `tests/assets`.
        cluster, pool, file_system: type tokens.
        command: signs in to the cluster.
        size: key of the file system's size, as the cloud has it, and where it stands.
        instance_type: one that no configuration uses for a pool.
        scaler: what is told the bounds of every pool, where the pool itself is not.
        refused: keys of a pool that mean nothing on this cloud; that they are told is tested with its settings.
    """

    module: ModuleType
    section: type[CloudCluster]
    package: str
    template: str
    cluster: str
    pool: str
    file_system: str
    command: str
    instance_type: str
    scaler: str | None = None
    refused: frozenset[str] = frozenset()

    @property
    def word(self) -> str:
        """Its word in `cluster.provider`, and at the front of its configurations' names."""
        return self.section.model_fields["provider"].default

    def record(self, configuration: str, **changes: Any) -> Recording:
        """Record one of its configurations: minimal, default, everything or given-network."""
        return self.module.record_configuration(f"{self.word}-{configuration}", **changes)

    def written(self) -> list[Mapping[str, Any]]:
        """Return the `cluster` of each of its configurations."""
        return [one["cluster"] for one in self.module.CONFIGURATIONS.values()]


CLOUDS = [
    Cloud(
        module=clouds_aws,
        section=AwsCluster,
        package="aws",
        template="config_aws.yaml",
        cluster="aws:eks/cluster:Cluster",
        pool="aws:eks/nodeGroup:NodeGroup",
        file_system="aws:efs/fileSystem:FileSystem",
        command="aws",
        instance_type="m6i.2xlarge",
        scaler="qhub-cluster-autoscaler",
        refused=frozenset({"gpu.type"}),
    ),
    Cloud(
        module=clouds_gcp,
        section=GcpCluster,
        package="gcp",
        template="config_gcp.yaml",
        cluster="gcp:container/cluster:Cluster",
        pool="gcp:container/nodePool:NodePool",
        file_system="gcp:filestore/instance:Instance",
        command="gke-gcloud-auth-plugin",
        instance_type="e2-standard-16",
    ),
    Cloud(
        module=clouds_digitalocean,
        section=DigitalOceanCluster,
        package="digitalocean",
        template="config_do.yaml",
        cluster="digitalocean:index/kubernetesCluster:KubernetesCluster",
        pool="digitalocean:index/kubernetesNodePool:KubernetesNodePool",
        file_system="digitalocean:index/nfs:Nfs",
        command="doctl",
        instance_type="g-8vcpu-32gb",
        refused=frozenset({"gpu.type", "zones", "disk_size", "spot"}),
    ),
    Cloud(
        module=clouds_azure,
        section=AzureCluster,
        package="azure-native",
        template="config_azure.yaml",
        cluster="azure-native:containerservice:ManagedCluster",
        pool="azure-native:containerservice:AgentPool",
        file_system="azure-native:storage:StorageAccount",
        command="kubelogin",
        instance_type="Standard_D16s_v5",
        refused=frozenset({"gpu.type"}),
    ),
]


@pytest.fixture(scope="module", params=CLOUDS, ids=lambda cloud: cloud.word)
def cloud(request: pytest.FixtureRequest) -> Cloud:
    return request.param


EVERY = [(cloud, name) for cloud in CLOUDS for name in cloud.module.CONFIGURATIONS]


@pytest.mark.parametrize(("cloud", "name"), EVERY, ids=[name for _, name in EVERY])
class TestEveryConfiguration:
    def test_every_resource_of_the_cloud_has_our_provider_and_a_component(self, cloud: Cloud, name: str) -> None:
        recording = cloud.module.record_configuration(name)
        provider = recording.one(f"pulumi:providers:{cloud.package}")
        of_cloud = [made for made in recording.resources.values() if made.type.startswith(f"{cloud.package}:")]

        assert {made.provider for made in of_cloud} == {provider.urn}
        assert {recording.resources[made.parent].type.split(":")[1] for made in of_cloud} == {cloud.word}

    def test_everything_on_the_cluster_goes_through_one_provider(self, cloud: Cloud, name: str) -> None:
        recording = cloud.module.record_configuration(name)
        provider = recording.one(KUBERNETES)
        on_it = [made for made in recording.resources.values() if made.type.startswith("kubernetes:")]

        assert recording.one(cloud.cluster).name in transitive(recording, provider)
        assert {made.provider for made in on_it} == {provider.urn}

    def test_the_platform_waits_for_nodes(self, cloud: Cloud, name: str) -> None:
        recording = cloud.module.record_configuration(name)
        pools = {made.name for made in recording.of_type(cloud.pool)}

        # On AWS `general` is one group in each zone.
        for pool in ("general", "user", "worker"):
            assert [one for one in pools if one == f"pools-{pool}" or one.startswith(f"pools-{pool}-")] != []
        assert pools <= transitive(recording, recording.one("qhub:platform:KubernetesPlatform"))

    def test_the_kubeconfig_is_secret_and_the_cluster_has_an_identity_of_its_own(self, cloud: Cloud, name: str) -> None:
        recording = cloud.module.record_configuration(name)
        provider = recording.one(KUBERNETES).inputs

        assert provider["kubeconfig"][SIGNATURE_KEY] == SECRET_SIGNATURE
        # A new address or certificate never replaces what is on the cluster.
        assert provider["clusterIdentifier"] == cloud.module.settings_of(name).cluster.name


class TestKubeconfig:
    def test_it_asks_the_clouds_command_and_holds_no_token(self, cloud: Cloud) -> None:
        given = cloud.record("everything").one(KUBERNETES).inputs["kubeconfig"]
        user = json.loads(given["value"])["users"][0]["user"]

        assert user.keys() == {"exec"}
        assert user["exec"]["command"] == cloud.command


class TestNodePools:
    def test_one_more_touches_no_other(self, cloud: Cloud) -> None:
        more = {"node_pools": {"big": {"instance_type": cloud.instance_type}}}
        before, after = cloud.record("minimal"), cloud.record("minimal", cluster=more)
        names = changed(before, after)

        assert "pools-big" in names
        assert {name for name in names if not name.startswith("pools-big")} == (
            {cloud.scaler} if cloud.scaler else set()
        )
        assert inputs_changed(before, after) == ({f"Release:{cloud.scaler}"} if cloud.scaler else set())

    def test_their_order_means_nothing(self, cloud: Cloud) -> None:
        pools = {"a": {"instance_type": cloud.instance_type}, "user": {"max": 4}, "b": {"max": 9, **SMALL[cloud.word]}}
        one, other = (
            cloud.record("minimal", cluster={"node_pools": each}) for each in (pools, dict(reversed(pools.items())))
        )

        assert changed(one, other) == set()

    def test_more_nodes_change_one_thing(self, cloud: Cloud) -> None:
        after = cloud.record("minimal", cluster={"node_pools": {"user": {"max": 20}}})

        assert changed(cloud.record("minimal"), after) == {cloud.scaler or "pools-user"}

    def test_the_hub_is_told_all_tolerations_of_the_gpu_pool(self, cloud: Cloud) -> None:
        hub = cloud.record("everything").one("kubernetes:helm.sh/v3:Release", "qhub-jupyterhub")
        text = json.dumps(hub.inputs["values"])

        for key in ("nvidia.com/gpu", "qhub.dev/pool", "example.org/dear"):
            assert key in text


#: Another kind of node on each cloud.
SMALL = {
    "aws": {"instance_type": "m6i.large"},
    "gcp": {"instance_type": "e2-standard-2"},
    "digitalocean": {"instance_type": "g-2vcpu-8gb"},
    "azure": {"instance_type": "Standard_D2s_v5"},
}


class TestHomes:
    def test_more_room_replaces_nothing_and_changes_nothing_else(self, cloud: Cloud) -> None:
        after = cloud.record("default", storage={"kind": "managed", "size": "900Gi"})
        names = {name for name in changed(cloud.record("default"), after) if not name.startswith("files")}

        assert names == {"qhub-storage-volume", "qhub-storage-claim"}

    def test_a_file_system_of_ones_own_is_not_made(self, cloud: Cloud) -> None:
        storage = {"kind": "managed", "server": "10.0.0.9", "size": "500Gi"}

        assert cloud.record("default").of_type(cloud.file_system) != []
        assert cloud.record("default", storage=storage).of_type(cloud.file_system) == []


def test_the_template_is_a_whole_set_up(cloud: Cloud) -> None:
    settings = load_settings_file(ASSETS / cloud.template, stack="prod")
    recording = cloud.module.record_settings(settings)

    assert recording.problems == []
    assert [warning.key for warning in settings.warnings()] == ["domain"]  # which is an example
    pools = {made.name for made in recording.of_type(cloud.pool)}
    for name in settings.cluster.pools:
        assert [one for one in pools if one == f"pools-{name}" or one.startswith(f"pools-{name}-")] != []
    assert recording.one(cloud.file_system).protect
    assert recording.one(cloud.cluster).protect


def test_a_network_that_is_there_is_used_and_none_is_made(cloud: Cloud) -> None:
    of_networks = {
        "Vpc",
        "Subnet",
        "Network",
        "Subnetwork",
        "VirtualNetwork",
        "NatGateway",
        "RouterNat",
        "Router",
        "Route",
    }
    kinds = [
        {made.type.rpartition(":")[2] for made in cloud.record(name).resources.values() if made.custom}
        for name in ("default", "given-network")
    ]

    assert kinds[0] & of_networks != set()
    assert kinds[1] & of_networks == set()


def test_every_key_of_the_cluster_is_in_a_snapshot(cloud: Cloud) -> None:
    assert {
        path.removeprefix("cluster.node_pools.") for path in unwritten(cloud.section, cloud.written())
    } == cloud.refused
