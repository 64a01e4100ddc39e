"""What the settings of a cluster on Azure mean, and which ones are refused before Azure is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qhub.config import load_settings_file
from qhub.config.azure import AzureCluster
from tests.unit.config.files import Folder
from tests.unit.config.sections import problems_of, settings_with

TEMPLATE = Path(__file__).parents[2] / "assets" / "config_azure.yaml"
SUBNET = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/team/providers/Microsoft.Network"
    "/virtualNetworks/team/subnets/hub"
)

FILE = """
    config:
      qhub:domain: qhub.localhost
      qhub:cluster:
        provider: azure
        region: westeurope
"""


SECTION = {"provider": "azure", "region": "westeurope"}


def cluster(**written: Any) -> AzureCluster:
    """Return the section, checked with the rest of the settings."""
    section = settings_with({**SECTION, **written}).cluster
    assert isinstance(section, AzureCluster)
    return section


def keys_and_messages(**written: Any) -> dict[str, str]:
    """Return the problems of a section: key -> message."""
    return problems_of({**SECTION, **written})


class TestTemplate:
    def test_it_is_a_whole_set_up(self) -> None:
        settings = load_settings_file(TEMPLATE)

        assert settings.cluster.provider == "azure"
        assert settings.cluster.pools.keys() == {"general", "user", "worker", "gpu"}
        assert settings.storage.kind == "managed"
        assert [warning.key for warning in settings.warnings()] == ["domain"]

    def test_every_key_of_the_section_stands_in_it(self) -> None:
        text = TEMPLATE.read_text(encoding="utf-8").replace("# ", "")

        assert [key for key in AzureCluster.model_fields if f"    {key}:" not in text] == []
        assert [key for key in cluster().network.__class__.model_fields if f"      {key}:" not in text] == []

    def test_its_file_system_can_be_made(self) -> None:
        settings = load_settings_file(TEMPLATE)

        assert isinstance(settings.cluster, AzureCluster)
        assert list(settings.cluster.file_system_problems("500Gi")) == []


class TestRegion:
    def test_a_slip_of_the_pen_is_told(self, folder: Folder) -> None:
        mistake = folder.one_mistake(FILE.replace("westeurope", "westeurpe"))

        assert (mistake.key, mistake.nearest) == ("cluster.region", "westeurope")

    def test_a_region_without_zones_takes_none(self, folder: Folder) -> None:
        mistake = folder.one_mistake(f'{FILE.replace("westeurope", "westus")}        network: {{zones: ["1"]}}\n')

        assert mistake.key == "cluster.network.zones"
        assert "westus has no availability zones" in mistake.message

    def test_a_zone_is_named_once(self) -> None:
        assert keys_and_messages(network={"zones": ["1", "2", "1"]}).keys() == {"network.zones[2]"}

    def test_a_pool_stays_in_the_zones_of_the_cluster(self) -> None:
        pools = {"user": {"zones": ["3"]}}

        cluster(network={"zones": ["1", "2", "3"]}, node_pools=pools)
        assert keys_and_messages(network={"zones": ["1", "2"]}, node_pools=pools).keys() == {"node_pools.user.zones[0]"}


class TestRanges:
    def test_nodes_are_inside_the_network(self, folder: Folder) -> None:
        mistake = folder.one_mistake(f"{FILE}        network: {{cidr: 10.20.0.0/16}}\n")

        assert mistake.key == "cluster.network.nodes_cidr"
        assert mistake.message == "10.0.0.0/20 is not inside 10.20.0.0/16 (cluster.network.cidr)"

    @pytest.mark.parametrize("key", ["pods_cidr", "services_cidr"])
    def test_pods_and_services_are_apart_from_the_network(self, key: str) -> None:
        found = keys_and_messages(network={key: "10.0.64.0/18"})

        assert "overlaps 10.0.0.0/16 of cluster.network.cidr" in found[f"network.{key}"]

    def test_pods_and_services_are_apart_from_each_other(self) -> None:
        found = keys_and_messages(network={"services_cidr": "10.244.8.0/22"})

        assert found.keys() == {"network.services_cidr"}

    @pytest.mark.parametrize("taken", ["172.30.0.0/16", "172.31.128.0/20", "169.254.4.0/22"])
    def test_those_of_aks_are_refused(self, taken: str) -> None:
        assert (
            "keeps to itself: choose another"
            in keys_and_messages(network={"services_cidr": taken})["network.services_cidr"]
        )

    def test_there_is_room_for_the_pods_of_every_node(self) -> None:
        # general 3, user 10, worker 20 and AKS' own 3: 36 nodes with 256 addresses each.
        found = keys_and_messages(network={"pods_cidr": "10.244.0.0/19"})

        assert found["network.pods_cidr"].endswith("has 8192 addresses, fewer than the 9216 for pods on 36 nodes")
        cluster(network={"pods_cidr": "10.244.0.0/19"}, node_pools={"worker": {"max": 16}})

    def test_there_is_room_for_an_upgrade(self) -> None:
        # 36 nodes, a third more while they are upgraded, and the five addresses of Azure.
        assert (
            "fewer than the 53 for an upgrade of 36 nodes"
            in keys_and_messages(network={"nodes_cidr": "10.0.0.0/27"})["network.nodes_cidr"]
        )
        cluster(network={"nodes_cidr": "10.0.0.0/26"})

    @pytest.mark.parametrize("services", ["10.64.0.0/12", "10.2.0.0/28"])
    def test_services_have_a_size(self, services: str) -> None:
        assert "/13 to /27" in keys_and_messages(network={"services_cidr": services})["network.services_cidr"]

    def test_only_ipv4(self) -> None:
        assert keys_and_messages(network={"pods_cidr": "fd00::/64"}).keys() == {"network.pods_cidr"}


class TestGivenSubnet:
    def test_it_has_its_range(self) -> None:
        found = keys_and_messages(network={"subnet_id": SUBNET, "cidr": "10.20.0.0/16"})

        assert "leave one of them out" in found["network.cidr"]

    def test_its_way_out_is_aks_unless_told(self) -> None:
        assert cluster().network.way_out == "nat-gateway"
        assert cluster(network={"subnet_id": SUBNET}).network.way_out == "load-balancer"
        routed = {"subnet_id": SUBNET, "outbound": "user-defined-routing"}
        assert cluster(network=routed).network.way_out == "user-defined-routing"

    def test_a_network_of_ours_has_no_routes(self) -> None:
        assert keys_and_messages(network={"outbound": "user-defined-routing"}).keys() == {"network.outbound"}

    @pytest.mark.parametrize("wrong", ["subnet-1", SUBNET.removesuffix("/subnets/hub"), f"{SUBNET}/more/parts"])
    def test_it_is_named_by_its_whole_id(self, folder: Folder, wrong: str) -> None:
        mistake = folder.one_mistake(f"{FILE}        network: {{subnet_id: {wrong}}}\n")

        assert mistake.key == "cluster.network.subnet_id"
        assert "/subnets/NAME" in str(mistake.expected)


class TestPools:
    @pytest.mark.parametrize(
        ("pool", "key"),
        [
            ({"disk_size": "20Gi"}, "disk_size"),
            ({"disk_size": "3Ti"}, "disk_size"),
            ({"zones": []}, "zones"),
            ({"labels": {"kubernetes.azure.com/mode": "x"}}, 'labels["kubernetes.azure.com/mode"]'),
            ({"labels": {"node-role.kubernetes.io/x": "y"}}, 'labels["node-role.kubernetes.io/x"]'),
            ({"instance_type": "Standard_D4_v5s"}, "instance_type"),
        ],
    )
    def test_what_aks_does_not_take_is_refused(self, pool: dict[str, Any], key: str) -> None:
        assert keys_and_messages(node_pools={"user": pool}).keys() == {f"node_pools.user.{key}"}

    def test_a_gpu_comes_with_the_machine(self) -> None:
        gpu = {"instance_type": "Standard_NC4as_T4_v3", "gpu": {"type": "t4", "count": 1}}

        assert keys_and_messages(node_pools={"gpu": gpu}).keys() == {"node_pools.gpu.gpu.type"}

    def test_a_pool_may_have_any_name_that_it_has_on_the_other_clouds(self) -> None:
        assert (
            "gpu-very-large-2" in cluster(node_pools={"gpu-very-large-2": {"instance_type": "Standard_D2s_v5"}}).pools
        )

    def test_pods_tolerate_the_taint_that_aks_adds_to_spot_nodes(self) -> None:
        tolerated = {
            one.key: one.value for one in cluster(node_pools={"worker": {"spot": True}}).pools["worker"].tolerations
        }

        assert tolerated == {"qhub.dev/pool": "worker", "kubernetes.azure.com/scalesetpriority": "spot"}

    @pytest.mark.parametrize("small", ["Standard_D2s_v55", "Standard_NC4as_T4_v3"])
    def test_the_pool_of_aks_itself_has_a_fitting_machine(self, small: str) -> None:
        assert keys_and_messages(system_instance_type=small).keys() == {"system_instance_type"}


class TestOtherKeys:
    @pytest.mark.parametrize("name", ["ends-with.", "a/b", "x" * 91])
    def test_the_name_of_a_resource_group(self, folder: Folder, name: str) -> None:
        assert folder.one_mistake(f"{FILE}        resource_group: {name}\n").key == "cluster.resource_group"

    def test_groups_are_named_by_their_ids(self, folder: Folder) -> None:
        mistake = folder.one_mistake(f"{FILE}        admin_groups: [platform-team]\n")

        assert mistake.key == "cluster.admin_groups[0]"

    def test_tags_have_the_form_of_azure(self) -> None:
        assert cluster(tags={"cost centre": "7"}).tags == {"cost centre": "7"}
        assert keys_and_messages(tags={"example.org/team": "a"}).keys() == {'tags["example.org/team"]'}
        assert keys_and_messages(tags={"Team": "a", "team": "b"}).keys() == {"tags.team"}

    def test_the_api_server_takes_ipv4(self) -> None:
        assert keys_and_messages(api_access=["203.0.113.0/24", "fd00::/64"]).keys() == {"api_access[1]"}

    @pytest.mark.parametrize("start", ["4:00", "25:00", "04:00:00"])
    def test_a_time_of_day(self, folder: Folder, start: str) -> None:
        mistake = folder.one_mistake(f'{FILE}        maintenance: {{start_time: "{start}"}}\n')

        assert mistake.key == "cluster.maintenance.start_time"


class TestFileSystem:
    @pytest.mark.parametrize(("size", "fits"), [("99Gi", False), ("100Gi", True), ("100Ti", True), ("101Ti", False)])
    def test_a_share_has_a_size(self, size: str, fits: bool) -> None:
        assert [problem.path for problem in cluster().file_system_problems(size)] == (
            [] if fits else [("storage", "size")]
        )

    def test_copies_in_zones_need_a_region_with_zones(self) -> None:
        found = cluster(region="westus", files_redundancy="zone").file_system_problems("100Gi")

        assert [problem.path for problem in found] == [("cluster", "files_redundancy")]
