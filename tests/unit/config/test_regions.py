"""Regions: their zones are real, a slip of the pen is told, and a new region is not locked out."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qhub.config import instances
from qhub.config.aws import AwsCluster
from qhub.config.azure import AzureCluster
from qhub.config.cloud import CloudCluster
from qhub.config.digitalocean import DigitalOceanCluster
from qhub.config.gcp import GcpCluster
from qhub.config.model import Problem
from qhub.config.regions import region_problems, regions, zone_problems, zones_of

PATH = ("cluster", "region")
ZONES = ("cluster", "network", "zones")
EVERY = [(cloud, region) for cloud in instances.CLOUDS for region in regions(cloud)]


def problems(cloud: str, region: str, *, zones: tuple[str, ...] = ()) -> list[Problem]:
    return list(region_problems(PATH, cloud, region, zones=zones))


def swapped(word: str, place: int) -> str:
    """Return the word with two letters that stand side by side in each other's place."""
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


class TestZones:
    @pytest.mark.parametrize(
        ("cloud", "region", "zones"),
        [
            ("aws", "eu-west-1", ("eu-west-1a", "eu-west-1b", "eu-west-1c")),
            ("aws", "ap-northeast-1", ("ap-northeast-1a", "ap-northeast-1c", "ap-northeast-1d")),
            ("gcp", "us-east1", ("us-east1-b", "us-east1-c", "us-east1-d")),
            ("gcp", "europe-west1", ("europe-west1-b", "europe-west1-c", "europe-west1-d")),
            ("gcp", "us-central1", ("us-central1-a", "us-central1-b", "us-central1-c", "us-central1-f")),
            ("azure", "westeurope", ("1", "2", "3")),
            ("azure", "westus", ()),
            ("digitalocean", "fra1", ()),
            ("gcp", "mars-north1", ()),
        ],
    )
    def test_are_those_of_the_cloud(self, cloud: str, region: str, zones: tuple[str, ...]) -> None:
        assert zones_of(cloud, region) == zones

    @pytest.mark.parametrize("region", regions("aws"))
    def test_on_aws_suffice_for_a_cluster_in_each_region(self, region: str) -> None:
        zones = zones_of("aws", region)

        assert len(set(zones)) == len(zones) >= 2  # EKS wants two
        assert "us-east-1e" not in zones[:3]  # EKS refuses its control plane there

    @pytest.mark.parametrize("region", regions("gcp"))
    def test_on_gcp_suffice_for_a_regional_cluster_in_each_region(self, region: str) -> None:
        assert len(set(zones_of("gcp", region))) >= 3

    @pytest.mark.parametrize(("cloud", "region"), EVERY)
    def test_pass_their_own_check(self, cloud: str, region: str) -> None:
        assert list(zone_problems(ZONES, cloud, region, zones_of(cloud, region))) == []

    @pytest.mark.parametrize(
        ("cloud", "region", "zone", "meant"),
        [
            ("gcp", "us-east1", "us-east1-a", None),
            ("gcp", "europe-west4", "europe-west1-b", "europe-west4-b"),
            ("gcp", "mars-north1", "mars-north2-a", None),
            ("aws", "eu-west-1", "eu-west-2a", "eu-west-1a"),
            ("aws", "eu-west-1", "eu-west-1", None),
            ("aws", "eu-west-1", "eu-west-1-lon-1a", None),
            ("azure", "westeurope", "4", None),
            ("digitalocean", "fra1", "fra1-a", None),
        ],
    )
    def test_of_elsewhere_are_told_at_their_place(self, cloud: str, region: str, zone: str, meant: str | None) -> None:
        own = zones_of(cloud, region)[-1:]
        found = list(zone_problems(ZONES, cloud, region, (*own, zone)))

        assert [problem.path for problem in found] == [(*ZONES, len(own))]
        assert f"{zone} is not a zone of {region}" in found[0].message
        assert meant is None or found[0].nearest == meant

    @pytest.mark.parametrize(
        ("cloud", "region", "zone"), [("aws", "us-west-1", "us-west-1b"), ("gcp", "mars-north1", "mars-north1-a")]
    )
    def test_that_only_the_account_or_the_future_knows_pass(self, cloud: str, region: str, zone: str) -> None:
        assert list(zone_problems(ZONES, cloud, region, [zone])) == []

    def test_named_twice_are_told(self) -> None:
        found = list(zone_problems(ZONES, "azure", "westeurope", ("1", "2", "1")))

        assert [(problem.path[-1], problem.message) for problem in found] == [
            (2, "1 is there twice: write each zone once")
        ]


class TestRegions:
    @pytest.mark.parametrize("section", [AwsCluster, GcpCluster, DigitalOceanCluster, AzureCluster])
    def test_may_all_be_written_in_the_section_of_their_cloud(self, section: type[CloudCluster]) -> None:
        rules = [mark.pattern for mark in section.model_fields["region"].metadata if hasattr(mark, "pattern")]
        assert len(rules) == 1

        for region in regions(section.model_fields["provider"].default):
            assert re.search(rules[0], region), region

    @pytest.mark.parametrize(("cloud", "region"), EVERY)
    def test_that_are_known_pass(self, cloud: str, region: str) -> None:
        assert problems(cloud, region) == []

    @pytest.mark.parametrize(
        ("cloud", "slip", "meant"),
        [
            ("aws", "eu-wset-1", "eu-west-1"),
            ("aws", "us-esat-1", "us-east-1"),
            ("gcp", "us-cental1", "us-central1"),
            ("gcp", "europe-west-1", "europe-west1"),
            ("azure", "westeruope", "westeurope"),
            ("azure", "west-europe", "westeurope"),
            ("digitalocean", "fro1", "fra1"),
        ],
    )
    def test_that_are_a_slip_of_the_pen_are_told_with_what_was_meant(self, cloud: str, slip: str, meant: str) -> None:
        found = problems(cloud, slip)
        assert [(problem.path, problem.nearest) for problem in found] == [(PATH, meant)]
        assert slip in found[0].message

    @given(data=st.data())
    def test_with_two_letters_swapped_are_always_told(self, data: st.DataObject) -> None:
        cloud, region = data.draw(st.sampled_from(EVERY))
        places = [place for place in range(len(region) - 1) if region[place : place + 2].isalpha()]
        slip = swapped(region, data.draw(st.sampled_from(places)))
        if slip in regions(cloud):  # the letters were the same, or it is another region
            return

        found = problems(cloud, slip)

        assert [problem.path for problem in found] == [PATH]
        assert found[0].nearest == region

    @pytest.mark.parametrize("cloud", ["aws", "gcp"])
    def test_that_are_new_are_let_in_once_their_zones_are_written(self, cloud: str) -> None:
        region = {"aws": "eu-west-9", "gcp": "europe-west99"}[cloud]

        [problem] = problems(cloud, region)
        assert "`cluster.network.zones`" in problem.message
        assert problems(cloud, region, zones=(f"{region}a", f"{region}b")) == []

    @pytest.mark.parametrize(
        ("cloud", "slip", "zones", "meant"),
        [
            ("aws", "eu-wset-1", ["eu-west-1a", "eu-west-1b"], "eu-west-1"),
            ("gcp", "europe-wset4", ["europe-west4-a"], "europe-west4"),
        ],
    )
    def test_with_a_slip_and_zones_of_the_one_meant_are_told_once(
        self, cloud: str, slip: str, zones: list[str], meant: str
    ) -> None:
        [problem] = problems(cloud, slip, zones=tuple(zones))

        assert (problem.path, problem.nearest) == (PATH, meant)
        assert list(zone_problems(ZONES, cloud, slip, zones)) == []
        # A known region with zones of another is told zone by zone.
        assert len(list(zone_problems(ZONES, cloud, regions(cloud)[-1], zones))) == len(zones)

    @pytest.mark.parametrize(
        ("cloud", "region"),
        [("azure", "atlantiscentral"), ("azure", "malaysiasouth"), ("digitalocean", "mum1"), ("digitalocean", "fra2")],
    )
    def test_that_are_new_need_nothing_where_zones_need_not_be_known(self, cloud: str, region: str) -> None:
        assert problems(cloud, region) == []

    def test_of_no_cloud_are_a_mistake_of_ours(self) -> None:
        with pytest.raises(ValueError, match="existing is not one of the four clouds"):
            regions("existing")
