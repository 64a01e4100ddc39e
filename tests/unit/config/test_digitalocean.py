"""What the settings of a cluster on DigitalOcean mean, and which ones are refused before DigitalOcean is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from qhub.config import load_settings_file
from qhub.config.digitalocean import DigitalOceanCluster
from tests.unit.config.files import Folder
from tests.unit.config.sections import problems_of, settings_with

TEMPLATE = Path(__file__).parents[2] / "assets" / "config_do.yaml"

FILE = """
    config:
      qhub:domain: qhub.localhost
      qhub:cluster:
        provider: digitalocean
        region: fra1
"""


SECTION = {"provider": "digitalocean", "region": "fra1"}


def cluster(**written: Any) -> DigitalOceanCluster:
    """Return the section, checked with the rest of the settings."""
    section = settings_with({**SECTION, **written}).cluster
    assert isinstance(section, DigitalOceanCluster)
    return section


def keys_and_messages(**written: Any) -> dict[str, str]:
    """Return the problems of a section: key -> message."""
    return problems_of({**SECTION, **written})


class TestTemplate:
    def test_it_is_a_whole_set_up(self) -> None:
        settings = load_settings_file(TEMPLATE)

        assert settings.cluster.provider == "digitalocean"
        assert settings.cluster.pools.keys() == {"general", "user", "worker", "gpu"}
        assert settings.storage.kind == "managed"
        assert [warning.key for warning in settings.warnings()] == ["domain"]

    def test_every_key_of_the_section_stands_in_it(self) -> None:
        text = TEMPLATE.read_text(encoding="utf-8")

        assert [key for key in DigitalOceanCluster.model_fields if f"    {key}:" not in text.replace("# ", "")] == []

    def test_its_file_system_can_be_made(self) -> None:
        settings = load_settings_file(TEMPLATE)

        assert isinstance(settings.cluster, DigitalOceanCluster)
        assert list(settings.cluster.file_system_problems("500Gi")) == []


class TestVersion:
    @pytest.mark.parametrize(("version", "pinned"), [("1.34", False), ("1.35.1-do.0", True)])
    def test_a_minor_version_or_one_in_full(self, version: str, pinned: bool) -> None:
        assert cluster(version=version).pinned is pinned

    @pytest.mark.parametrize("version", ["1.34.1", "latest", "v1.34", "1.34.1-do"])
    def test_anything_else_is_refused_with_both_forms(self, folder: Folder, version: str) -> None:
        mistake = folder.one_mistake(f'{FILE}        version: "{version}"\n')

        assert mistake.key == "cluster.version"
        assert "doctl kubernetes options versions" in str(mistake.expected)


class TestRanges:
    def test_digitalocean_chooses_unless_told(self) -> None:
        network = cluster().network

        assert (network.cidr, network.pods_cidr, network.services_cidr) == (None, None, None)

    @pytest.mark.parametrize("taken", ["10.244.0.0/16", "10.245.128.0/20", "10.246.0.0/24", "10.229.4.0/24"])
    def test_those_of_digitalocean_are_refused(self, taken: str) -> None:
        found = keys_and_messages(network={"cidr": taken}, node_pools={"user": {"max": 1}, "worker": {"max": 1}})

        assert "keeps to itself: choose another" in found["network.cidr"]

    def test_one_region_keeps_one_more(self) -> None:
        cluster(network={"cidr": "10.10.0.0/20"})
        found = keys_and_messages(region="nyc1", network={"cidr": "10.10.0.0/20"})

        assert "in nyc1" in found["network.cidr"]

    def test_they_must_not_overlap(self, folder: Folder) -> None:
        mistake = folder.one_mistake(
            f"{FILE}        network: {{cidr: 10.20.0.0/16, pods_cidr: 10.20.0.0/16, services_cidr: 10.28.0.0/20}}\n"
        )

        assert mistake.key == "cluster.network.pods_cidr"
        assert "overlaps 10.20.0.0/16 of cluster.network.cidr" in mistake.message
        assert mistake.place == "Pulumi.prod.yaml:6:46"

    def test_pods_and_services_go_together(self) -> None:
        found = keys_and_messages(network={"pods_cidr": "10.24.0.0/16"})

        assert "give both, or neither" in found["network.services_cidr"]

    @pytest.mark.parametrize("cidr", ["10.0.0.0/15", "10.20.0.0/25"])
    def test_a_vpc_has_a_size(self, cidr: str) -> None:
        assert "from /16 to /24" in keys_and_messages(network={"cidr": cidr})["network.cidr"]

    @pytest.mark.parametrize("cidr", ["8.8.8.0/24", "fd00::/64"])
    def test_only_private_ipv4(self, cidr: str) -> None:
        pools = {"user": {"max": 1}, "worker": {"max": 1}}

        assert keys_and_messages(network={"cidr": cidr}, node_pools=pools).keys() == {"network.cidr"}

    def test_there_is_room_for_every_node(self) -> None:
        # general 3, user 10, worker 300 and the cluster's own: 314.
        found = keys_and_messages(network={"cidr": "10.20.0.0/24"}, node_pools={"worker": {"max": 300}})

        assert found["network.cidr"] == "10.20.0.0/24 has 256 addresses, fewer than the 330 for 314 nodes"

    def test_there_is_room_for_the_pods_of_every_node(self) -> None:
        network = {"pods_cidr": "192.168.0.0/20", "services_cidr": "192.168.16.0/22"}

        assert "pods on 34 nodes" in keys_and_messages(network=network)["network.pods_cidr"]
        cluster(network=network, node_pools={"worker": {"max": 18}})

    def test_a_vpc_that_is_there_has_its_range(self) -> None:
        found = keys_and_messages(network={"vpc_uuid": "0a1b", "cidr": "10.20.0.0/16"})

        assert "leave one of the two out" in found["network.cidr"]


class TestPools:
    @pytest.mark.parametrize(
        ("pool", "key"),
        [
            ({"spot": True}, "spot"),
            ({"disk_size": "50Gi"}, "disk_size"),
            ({"zones": ["fra1-a"]}, "zones[0]"),
            ({"instance_type": "g-4vcpu-16g"}, "instance_type"),
        ],
    )
    def test_what_digitalocean_does_not_have_is_refused(self, pool: dict[str, Any], key: str) -> None:
        assert keys_and_messages(node_pools={"user": pool}).keys() == {f"node_pools.user.{key}"}

    def test_a_gpu_comes_with_the_droplet(self) -> None:
        gpu = {"instance_type": "gpu-h100x1-80gb", "gpu": {"type": "h100", "count": 1}}

        assert keys_and_messages(node_pools={"gpu": gpu}).keys() == {"node_pools.gpu.gpu.type"}

    def test_the_clusters_own_pool_keeps_its_name(self) -> None:
        found = keys_and_messages(node_pools={"system": {"instance_type": "g-2vcpu-8gb"}})

        assert found.keys() == {"node_pools.system"}

    def test_a_name_leaves_room_for_what_doks_adds(self) -> None:
        long = {"instance_type": "g-2vcpu-8gb"}  # 11 characters and a dash; six more make a node's name

        cluster(node_pools={"a" * 45: long})
        assert "shorten it by 1" in keys_and_messages(node_pools={"a" * 46: long})[f"node_pools.{'a' * 46}"]

    def test_pods_tolerate_the_taint_that_doks_adds_to_gpu_nodes(self) -> None:
        made = cluster(node_pools={"gpu": {"instance_type": "gpu-h100x1-80gb", "gpu": {"count": 1}}})
        tolerated = {toleration.key: toleration.value for toleration in made.pools["gpu"].tolerations}

        assert tolerated == {"qhub.dev/pool": "gpu", "nvidia.com/gpu": ""}
        assert [taint.key for taint in made.pool_taints("gpu")] == ["qhub.dev/pool"]


class TestOtherKeys:
    def test_a_region_that_is_none(self) -> None:
        with pytest.raises(ValidationError, match=r"cluster\.region"):
            cluster(region="frq1")

    def test_tags_have_the_form_of_digitalocean(self) -> None:
        assert cluster(tags={"team": "data", "billed": ""}).tags == {"team": "data", "billed": ""}
        assert keys_and_messages(tags={"cost centre": "7"}).keys() == {"tags.cost centre"}

    def test_an_account_has_one_registry_so_none_is_made_unasked(self) -> None:
        assert cluster().registry is False

    @pytest.mark.parametrize("start", ["4:00", "25:00", "04:00:00"])
    def test_a_time_of_day(self, folder: Folder, start: str) -> None:
        mistake = folder.one_mistake(f'{FILE}        maintenance: {{start_time: "{start}"}}\n')

        assert mistake.key == "cluster.maintenance.start_time"

    def test_the_smallest_share(self) -> None:
        problems = list(cluster().file_system_problems("49Gi"))

        assert [problem.path for problem in problems] == [("storage", "size")]
        assert "at least 50Gi" in problems[0].message
        assert list(cluster().file_system_problems("50Gi")) == []

    def test_a_share_starts_with_a_letter(self) -> None:
        assert [problem.path for problem in cluster(name="2-hubs").file_system_problems("50Gi")] == [
            ("cluster", "name")
        ]
