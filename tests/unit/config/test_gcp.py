"""The section of a cluster on Google Cloud: what is refused before Google is asked, and what pods are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from qhub.config import load_settings_file
from qhub.config.cloud import CloudNodePool, Taint
from qhub.config.gcp import FILESTORE_SIZES, GcpCluster
from qhub.config.gcp_machines import accelerator, boot_disk
from tests.unit.config.files import Folder
from tests.unit.config.sections import settings_with

GCP = {"provider": "gcp", "project": "my-team-1234", "region": "europe-west1"}
GIVEN = {"network": "n", "subnetwork": "s", "pods_range": "p", "services_range": "v"}


def cluster(**written: Any) -> GcpCluster:
    made = settings_with({**GCP, **written}).cluster
    assert isinstance(made, GcpCluster)
    return made


def pool(**written: Any) -> dict[str, Any]:
    return {"node_pools": {"other": {"max": 2, **written}}}


# what is written, the key that is named, words of the message
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"region": "europe-west99"}, "cluster.region", "not a region of gcp"),
    (
        {"region": "europe-west5", "network": {"zones": ["europe-west4-a", "europe-west4-b"]}},
        "cluster.region",
        "the zones are of europe-west4",
    ),
    ({"name": "a" * 41}, "cluster.name", "at most 40"),
    ({"name": "1hub"}, "cluster.name", "a letter first"),
    ({"node_pools": {"p" * 41: {"instance_type": "e2-standard-2"}}}, f"cluster.node_pools.{'p' * 41}", "at most 40"),
    ({"network": {"zones": ["europe-west4-a"]}}, "cluster.network.zones[0]", "not a zone of europe-west1"),
    ({"network": {"zones": ["europe-west1-a"]}}, "cluster.network.zones[0]", "europe-west1-b"),
    ({"network": {"zones": ["europe-west1-b", "europe-west1-b"]}}, "cluster.network.zones[1]", "twice"),
    ({"network": {"zones": []}}, "zones", "at least 1"),
    (
        {"network": {"cidr": "10.0.0.0/20", "pods_cidr": "10.0.0.0/14"}},
        "cluster.network.pods_cidr",
        "overlaps 10.0.0.0/20 of cluster.network.cidr",
    ),
    ({"network": {"pods_cidr": "10.4.0.0/20"}}, "cluster.network.pods_cidr", "36 nodes"),
    ({"network": {"cidr": "10.0.0.0/27"}}, "cluster.network.cidr", "36 nodes"),
    ({"network": {"cidr": "fd00::/64"}}, "cluster.network.cidr", "not IPv4"),
    ({"network": {"network": "mine"}}, "cluster.network.subnetwork", "is required with"),
    ({"network": {"network": "n", "subnetwork": "s", "pods_range": "p"}}, "cluster.network.services_range", "required"),
    ({"network": {"subnetwork": "mine"}}, "cluster.network.subnetwork", "needs `network`"),
    ({"network": {**GIVEN, "cidr": "10.0.0.0/20"}}, "cluster.network.cidr", "has no effect"),
    ({"api_access": ["fd00::/64"]}, "cluster.api_access[0]", "not IPv4"),
    ({"api_access": [f"203.0.{n}.0/24" for n in range(101)]}, "cluster.api_access", "at most 100"),
    ({"tags": {"Team": "data"}}, "cluster.tags.Team", "no label of Google Cloud"),
    ({"tags": {"team": "Data Science"}}, "cluster.tags.team", "no value of a label"),
    ({"tags": {f"l{n}": "" for n in range(49)}}, "cluster.tags", "at most 48"),
    (pool(instance_type="e2-standrd-4"), "cluster.node_pools.other.instance_type", "not in the catalogue"),
    (
        pool(instance_type="e2-standard-4", gpu={"type": "nvidia-tesla-t4"}),
        "cluster.node_pools.other.gpu.type",
        "takes no GPU",
    ),
    (
        pool(instance_type="g2-standard-8", gpu={"type": "nvidia-tesla-t4"}),
        "cluster.node_pools.other.gpu.type",
        "comes with 1 of nvidia-l4",
    ),
    (pool(instance_type="g2-standard-8", gpu={"count": 2}), "cluster.node_pools.other.gpu.count", "has 1 of nvidia-l4"),
    (pool(instance_type="g2-standard-8"), "cluster.node_pools.other.gpu", "add `gpu"),
    (pool(instance_type="n1-standard-8", gpu={"type": "nvidia-l4"}), "cluster.node_pools.other.gpu.type", "takes none"),
    (
        pool(instance_type="n1-standard-8", gpu={"type": "nvidia-tesla-t4", "count": 3}),
        "cluster.node_pools.other.gpu.count",
        "in numbers of 1, 2, 4, not 3",
    ),
    (
        pool(instance_type="n1-standard-16", gpu={"type": "nvidia-tesla-v100", "count": 1}),
        "cluster.node_pools.other.gpu.count",
        "at most 12 cores, and n1-standard-16 has 16",
    ),
    (
        pool(instance_type="a9-new-1g", cpu=10, memory="80Gi", gpu={"count": 1}),
        "cluster.node_pools.other.gpu.type",
        "is required",
    ),
    (pool(instance_type="e2-standard-2", zones=["europe-west1-c"]), "cluster.node_pools.other.zones[0]", "no zone"),
    (
        {"node_pools": {"general": {"instance_type": "n4-standard-2"}}},
        "cluster.node_pools.general.instance_type",
        "cannot attach the disks of StorageClass standard-rwo",
    ),
]


@pytest.mark.parametrize(
    ("written", "key", "words"), REFUSED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_google_would_not_accept_is_refused(written: dict[str, Any], key: str, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        cluster(**written)

    told = str(caught.value)
    assert key in told
    assert words in told


STACK = """
    config:
      qhub:domain: qhub.localhost
      qhub:cluster:
        provider: gcp
        region: europe-west1
        project: {project}
        maintenance_start: {start}
"""


@pytest.mark.parametrize(
    ("project", "start", "key", "expected"),
    [
        ("My Team", '"02:00"', "cluster.project", "not its name or number"),
        ('"123456789"', '"02:00"', "cluster.project", "for example my-team-1234"),
        ("my-team-1234", "2am", "cluster.maintenance_start", '"02:00"'),
    ],
)
def test_a_wrong_form_is_told_with_the_right_one(
    folder: Folder, project: str, start: str, key: str, expected: str
) -> None:
    mistake = folder.one_mistake(STACK.format(project=project, start=start))

    assert mistake.key == key
    assert expected in str(mistake)


ACCEPTED: list[dict[str, Any]] = [
    {},
    {"network": {"zones": ["europe-west1-d", "europe-west1-b"]}},
    {"network": GIVEN},
    {"region": "europe-west99", "network": {"zones": ["europe-west99-a"]}},
    {"name": "a" * 40, "tags": {"team": "data-science_1", "empty": ""}},
    pool(instance_type="n1-standard-8", gpu={"type": "nvidia-tesla-t4", "count": 2}),
    pool(instance_type="g2-standard-8", gpu={"type": "nvidia-l4"}),
    pool(instance_type="a9-new-1g", cpu=10, memory="80Gi", gpu={"type": "nvidia-new", "count": 1}),
    pool(instance_type="n4-standard-2"),
    {"node_pools": {"general": {"instance_type": "n4-standard-2"}}, "storage_class": "hyperdisk"},
]


@pytest.mark.parametrize("written", ACCEPTED)
def test_what_google_accepts_is_accepted(written: dict[str, Any]) -> None:
    cluster(**written)


class TestZones:
    @pytest.mark.parametrize(("region", "zone"), [("europe-west1", "europe-west1-b"), ("us-west1", "us-west1-a")])
    def test_nodes_are_in_the_first_zone_of_the_region_unless_told(self, region: str, zone: str) -> None:
        assert cluster(region=region).zones == (zone,)

    def test_or_in_those_that_are_written(self) -> None:
        zones = ["europe-west1-c", "europe-west1-b"]

        assert cluster(network={"zones": zones}).zones == tuple(zones)


class TestTaints:
    def test_google_taints_gpus_and_pods_tolerate_it_once(self) -> None:
        section = cluster(**pool(instance_type="g2-standard-8", gpu={}))

        assert section.pool_taints("other") == (Taint(key="qhub.dev/pool", value="other"),)
        assert [(one.key, one.value) for one in section.pools["other"].tolerations] == [
            ("qhub.dev/pool", "other"),
            ("nvidia.com/gpu", "present"),
        ]

    @pytest.mark.parametrize("instance_type", ["t2a-standard-4", "c4a-standard-4"])
    def test_google_taints_arm_and_pods_tolerate_it(self, instance_type: str) -> None:
        section = cluster(**pool(instance_type=instance_type))

        assert ("kubernetes.io/arch", "arm64") in [(one.key, one.value) for one in section.pools["other"].tolerations]
        assert section.pools["other"].architecture == "arm64"

    def test_a_taint_that_google_puts_there_is_not_sent_when_written_too(self) -> None:
        written = [{"key": "nvidia.com/gpu", "value": "present"}, {"key": "mine", "value": "yes"}]
        section = cluster(**pool(instance_type="g2-standard-8", gpu={}, taints=written))

        assert [taint.key for taint in section.pool_taints("other")] == ["mine", "qhub.dev/pool"]


class TestFileSystem:
    @pytest.mark.parametrize(
        ("tier", "size", "words"),
        [
            ("ZONAL", "99Gi", "at least 100Gi"),
            ("BASIC_HDD", "1000Gi", "take `cluster.filestore_tier: ZONAL`"),
            ("REGIONAL", "100Gi", "at least 1024Gi"),
            ("BASIC_SSD", "1Ti", "at least 2560Gi"),
            ("BASIC_HDD", "65Ti", "65433Gi"),
            ("ZONAL", "11Ti", "write 12800Gi"),
            ("REGIONAL", "101Ti", "102400Gi"),
        ],
    )
    def test_a_size_that_there_is_not_is_refused(self, tier: str, size: str, words: str) -> None:
        [problem] = cluster(filestore_tier=tier).file_system_problems(size)

        assert problem.path == ("storage", "size")
        assert words in problem.message

    @given(st.sampled_from(sorted(FILESTORE_SIZES)), st.integers(1, 110_000))
    def test_what_passes_is_a_size_that_filestore_has(self, tier: str, gib: int) -> None:
        refused = list(cluster(filestore_tier=tier).file_system_problems(f"{gib}Gi"))
        least, most = FILESTORE_SIZES[tier]
        in_steps = tier in ("ZONAL", "REGIONAL") and gib >= 10240

        assert (not refused) == (least <= gib <= most and not (in_steps and gib % 2560))


class TestMachines:
    @pytest.mark.parametrize(
        ("instance_type", "disk"),
        [("e2-standard-4", "pd-balanced"), ("n4-standard-4", "hyperdisk-balanced"), ("t2a-standard-4", "pd-balanced")],
    )
    def test_a_machine_boots_from_a_disk_that_it_takes(self, instance_type: str, disk: str) -> None:
        assert boot_disk(CloudNodePool(instance_type=instance_type)) == disk

    def test_the_gpu_is_the_machines_own_or_the_one_that_is_written(self) -> None:
        written = cluster(
            node_pools={
                "own": {"instance_type": "a2-highgpu-1g", "gpu": {}},
                "attached": {"instance_type": "n1-standard-4", "gpu": {"type": "nvidia-tesla-p4"}},
            }
        ).node_pools

        assert accelerator(written["own"]) == "nvidia-tesla-a100"
        assert accelerator(written["attached"]) == "nvidia-tesla-p4"
        assert accelerator(written["user"]) is None


def test_the_template_is_complete() -> None:
    settings = load_settings_file(Path(__file__).parents[2] / "assets" / "config_gcp.yaml", stack="prod")

    section = settings.cluster
    assert isinstance(section, GcpCluster)
    assert list(section.file_system_problems("1Ti")) == []
    assert len(section.zones) == 3
