"""Names and types of records."""

from __future__ import annotations

import pytest

from qhub.clouds.dns import name_in_zone, record_type


@pytest.mark.parametrize(
    ("domain", "zone", "name"),
    [
        ("hub.team.org", "team.org", "hub"),
        ("hub.data.team.org", "team.org", "hub.data"),
        ("team.org", "team.org", "@"),
        # The zone's name may also stand in front.
        ("team.org.team.org", "team.org", "team.org"),
    ],
)
def test_a_name_is_written_without_its_zone(domain: str, zone: str, name: str) -> None:
    assert name_in_zone(domain, zone) == name


@pytest.mark.parametrize(
    ("address", "kind"),
    [("203.0.113.7", "A"), ("2001:db8::7", "AAAA"), ("a0b1.elb.eu-west-1.amazonaws.com", "CNAME")],
)
def test_the_type_of_a_record_follows_the_address(address: str, kind: str) -> None:
    assert record_type(address) == kind
