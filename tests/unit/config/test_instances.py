"""The catalogue says what a node really has, and what pods really get of it."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qhub.config import instances
from qhub.config.aws import AwsCluster
from qhub.config.azure import AzureCluster
from qhub.config.cloud import CloudCluster
from qhub.config.digitalocean import DigitalOceanCluster
from qhub.config.gcp import GcpCluster
from qhub.config.instances import InstanceType, allocatable
from qhub.config.nearest import nearest

MIB, GIB = 1024**2, 1024**3
FOLDER = Path(instances.__file__).parent
ROWS = [(cloud, name) for cloud in instances.CLOUDS for name in instances.names(cloud)]
#: How each cloud marks machines with Arm processors in their names.
ARM = {
    "aws": r"[a-z]+\d+g[a-z]*\.",
    "gcp": r"(t2a|c4a|n4a)-",
    "azure": r"Standard_[A-Z]+\d+p",
    "digitalocean": r"(?!)",
}


def instance(cloud: str, name: str) -> InstanceType:
    found = instances.find(cloud, name)
    assert found is not None, f"{name} is not in the catalogue of {cloud}"
    return found


def family(cloud: str, one: InstanceType) -> tuple[str, float]:
    """Return what is left of a name without its size, and the memory per core."""
    name = one.name.partition(".")[0] if cloud == "aws" else re.sub(r"\d+gb|\d+vcpu|(?<=[A-Z-])\d+", "", one.name)
    return name, one.memory / one.cores


class TestEachInstanceType:
    @pytest.mark.parametrize(("cloud", "name"), ROWS)
    def test_has_plausible_numbers(self, cloud: str, name: str) -> None:
        one = instance(cloud, name)

        assert 2 <= one.cores <= 256
        assert 0.9 <= one.memory / GIB / one.cores <= 20
        assert 8 <= one.pods <= 737
        # Ends of what the clouds ask in their cheapest regions, an hour: for a core, and for a GPU with all around it.
        assert (0.3 if one.gpus else 0.015) <= one.usd_per_hour / (one.gpus or one.cores) <= (14 if one.gpus else 0.12)

    @pytest.mark.parametrize(("cloud", "name"), ROWS)
    def test_has_a_gpu_with_a_name_or_none_at_all(self, cloud: str, name: str) -> None:
        one = instance(cloud, name)

        assert (one.gpus > 0) == (one.gpu != "")
        assert re.fullmatch(r"([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)?", one.gpu)  # pools make a label of it

    @pytest.mark.parametrize(("cloud", "name"), ROWS)
    def test_has_the_architecture_that_its_name_tells(self, cloud: str, name: str) -> None:
        arm = re.match(ARM[cloud], name) is not None

        assert instance(cloud, name).architecture == ("arm64" if arm else "amd64")

    @pytest.mark.parametrize(("cloud", "name"), ROWS)
    def test_leaves_most_of_itself_to_pods_but_never_all(self, cloud: str, name: str) -> None:
        one = instance(cloud, name)
        room = allocatable(cloud, one)

        assert 0.45 * one.cores < room.cores < one.cores
        assert 0.6 * one.memory < room.memory < one.memory
        assert 0 < room.pods <= one.pods
        assert room.gpus == one.gpus


class TestEachTable:
    @pytest.mark.parametrize("cloud", instances.CLOUDS)
    def test_names_each_type_once(self, cloud: str) -> None:
        with (FOLDER / f"{cloud}.csv").open(encoding="utf-8", newline="") as file:
            written = Counter(row["name"] for row in csv.DictReader(line for line in file if not line.startswith("#")))

        assert [name for name, times in written.items() if times > 1] == []
        assert len(written) >= 40

    @pytest.mark.parametrize("cloud", instances.CLOUDS)
    def test_says_first_where_and_when_its_prices_are_from(self, cloud: str) -> None:
        text = (FOLDER / f"{cloud}.csv").read_text(encoding="utf-8")
        head = text[: text.index("\nname,")]

        assert all(line.startswith("#") for line in head.splitlines())
        assert re.search(r"usd_per_hour: .*20\d\d.*Public[ #\n]+lists?:", head, re.DOTALL)
        assert re.search(r"^# pods: ", head, re.MULTILINE)
        assert re.search(r"^# Checked: ", head, re.MULTILINE)

    @pytest.mark.parametrize("cloud", instances.CLOUDS)
    def test_asks_the_same_for_a_core_throughout_a_family(self, cloud: str) -> None:
        families: dict[tuple[str, float], list[InstanceType]] = defaultdict(list)
        for name in instances.names(cloud):
            one = instance(cloud, name)
            if not one.gpus:
                families[family(cloud, one)].append(one)

        shared = [members for members in families.values() if len(members) > 1]
        assert len(shared) >= 8
        for members in shared:
            prices = [one.usd_per_hour / one.cores for one in members]
            assert max(prices) <= 1.05 * min(prices), [one.name for one in members]

    @pytest.mark.parametrize("section", [AwsCluster, GcpCluster, DigitalOceanCluster, AzureCluster])
    def test_has_what_node_pools_use_by_default(self, section: type[CloudCluster]) -> None:
        cloud = section.model_fields["provider"].default

        for pool in section.DEFAULT_POOLS.values():
            assert allocatable(cloud, instance(cloud, pool["instance_type"])).cores > 1.5

    @pytest.mark.parametrize("cloud", instances.CLOUDS)
    def test_has_types_with_a_gpu_of_their_own(self, cloud: str) -> None:
        assert any(instance(cloud, name).gpus == 1 for name in instances.names(cloud))

    @pytest.mark.parametrize(
        ("cloud", "slip", "meant"),
        [
            ("aws", "m6i.xlagre", "m6i.xlarge"),
            ("gcp", "e2-standart-4", "e2-standard-4"),
            ("digitalocean", "g-4vcpu-16g", "g-4vcpu-16gb"),
            ("azure", "Standard_D4sv5", "Standard_D4s_v5"),
        ],
    )
    def test_does_not_know_a_misspelt_name_but_what_was_meant(self, cloud: str, slip: str, meant: str) -> None:
        assert instances.find(cloud, slip) is None
        assert nearest(slip, instances.names(cloud)) == meant

    def test_is_read_alone_and_only_when_asked_for(self) -> None:
        script = """
import sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
from qhub.config import instances
before = [path for path in opened if path.endswith(".csv")]
for _ in range(3):
    instances.find("gcp", "e2-standard-4")
print(before, [path.rpartition("/")[2] for path in opened if path.endswith(".csv")])
"""
        shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

        assert shown.stdout.strip() == "[] ['gcp.csv']"


class TestRoomForPods:
    """Against nodes in use, as their owners have shown them in public, and against the clouds' own pages."""

    @pytest.mark.parametrize(
        ("cloud", "name", "cores", "memory"),
        [
            # github.com/2i2c-org/infrastructure: node-capacity-info.json, and issue 2121 for n2-highmem-16 and -64.
            ("aws", "r5.xlarge", 3.92, 32123604992),
            ("aws", "r5.4xlarge", 15.89, 130451771392),
            ("gcp", "n1-highmem-4", 3.92, 23829102592),
            ("gcp", "n2-highmem-4", 3.92, 29783904256),
            ("gcp", "n2-highmem-16", 15.89, 122210676 * 1024),
            ("gcp", "n2-highmem-32", 31.85, 257783492608),
            ("gcp", "n2-highmem-64", 63.77, 510603916 * 1024),
            # `kubectl describe node` in two public tutorials with DOKS clusters, one of them of 1.24.
            ("digitalocean", "s-4vcpu-8gb-amd", 3.9, 6694 * MIB),
            ("digitalocean", "s-2vcpu-4gb", 1.9, 3110 * MIB),
            # Memory that a node of 16 GiB shows (github.com/Azure/AKS/issues/1216), less what the page of AKS says.
            ("azure", "Standard_D4s_v5", 3.86, 16403296 * 1024 - (20 * 110 + 50 + 100) * MIB),
        ],
    )
    def test_is_what_such_a_node_was_seen_to_have_or_a_little_less(
        self, cloud: str, name: str, cores: float, memory: int
    ) -> None:
        room = allocatable(cloud, instance(cloud, name))

        assert room.cores == pytest.approx(cores, abs=0.011)  # kubelets round to 10 thousandths
        assert 0 <= memory - room.memory <= 100 * MIB

    @pytest.mark.parametrize(
        ("name", "pods"), [("t3.medium", 17), ("m5.large", 29), ("m5.xlarge", 58), ("m5.4xlarge", 234)]
    )
    def test_on_eks_has_the_addresses_that_aws_lists(self, name: str, pods: int) -> None:
        assert instance("aws", name).pods == pods

    @pytest.mark.parametrize(("name", "pods"), [("m5.large", 29), ("m5.4xlarge", 110), ("m6i.16xlarge", 250)])
    def test_on_eks_ends_where_managed_node_groups_end(self, name: str, pods: int) -> None:
        assert allocatable("aws", instance("aws", name)).pods == pods

    @pytest.mark.parametrize(
        ("name", "reserved"),
        [("D2s_v5", 0.1), ("D4s_v5", 0.14), ("D8s_v5", 0.18), ("D16s_v5", 0.26), ("D32s_v5", 0.42), ("D64s_v5", 0.74)],
    )
    def test_on_aks_lacks_the_cores_of_its_table(self, name: str, reserved: float) -> None:
        one = instance("azure", f"Standard_{name}")

        assert one.cores - allocatable("azure", one).cores == pytest.approx(reserved)

    def test_on_aks_pays_for_each_pod_that_may_run_up_to_a_quarter(self) -> None:
        small, large = instance("azure", "Standard_D2s_v5"), instance("azure", "Standard_D16s_v5")

        def lost(one: InstanceType, *, pods: int, more: int) -> int:
            few, many = (allocatable("azure", replace(one, pods=number)).memory for number in (pods, pods + more))
            return few - many

        assert lost(large, pods=30, more=80) == 80 * 20 * MIB
        assert lost(small, pods=110, more=140) == 0
        quarter = allocatable("azure", replace(small, pods=30)).memory - allocatable("azure", small).memory
        assert quarter == 2 * GIB - 650 * MIB  # the page's example: 30 pods take 650

    def test_on_a_shared_core_of_gke_is_less_than_a_core(self) -> None:
        assert allocatable("gcp", instance("gcp", "e2-medium")).cores == pytest.approx(0.94)

    def test_has_the_gpus_that_a_pool_attaches(self) -> None:
        bare = instance("gcp", "n1-standard-8")

        assert allocatable("gcp", bare).gpus == 0
        assert allocatable("gcp", bare, gpus=2).gpus == 2

    @given(
        cloud=st.sampled_from(instances.CLOUDS),
        cores=st.lists(st.integers(1, 256), min_size=2, max_size=2),
        memory=st.lists(st.integers(4 * 1024, 2048 * 1024), min_size=2, max_size=2),
        pods=st.integers(8, 110),
    )
    def test_grows_with_the_machine_and_is_never_nothing(
        self, cloud: str, cores: list[int], memory: list[int], pods: int
    ) -> None:
        machines = [
            InstanceType(
                name="any",
                cores=float(core),
                memory=mib * MIB,
                architecture="amd64",
                gpu="",
                gpus=0,
                pods=pods,
                usd_per_hour=1.0,
            )
            for core, mib in zip(sorted(cores), sorted(memory), strict=True)
        ]

        for (small, less), (large, more) in pairwise((one, allocatable(cloud, one)) for one in machines):
            assert 0 < less.cores < small.cores
            assert 0 < less.memory < small.memory
            assert small.cores - less.cores <= large.cores - more.cores + 1e-9  # less is never reserved of more
            assert less.cores <= more.cores
            assert less.memory <= more.memory
            assert small.memory - less.memory <= large.memory - more.memory + 1
