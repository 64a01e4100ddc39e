"""The simulated Cloudflare: what our component sends passes; what Cloudflare would refuse is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qhub.config.dns import CloudflareDns
from qhub.rehearsal.clouds.cloudflare import CLOUD, GET_ZONE, RECORD
from qhub.rehearsal.clouds.definitions import give
from qhub.rehearsal.clouds.operations import problems_of
from qhub.rehearsal.clouds.resource import Call
from qhub.rehearsal.clouds.subject import Refused, Subject
from qhub.rehearsal.clouds.world import World
from tests.graph.configurations import record_configuration

DNS = CloudflareDns.model_validate({"provider": "cloudflare", "zone": "example.org", "token": "a-token"})


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world in which the zone of the settings is."""
    made = World(tmp_path)
    give(made, "cloudflare", None, DNS)
    return made


def subject(world: World, inputs: dict[str, Any]) -> Subject:
    return Subject(cloud="cloudflare", token=RECORD, name="it", urn="", inputs=inputs, world=world)


def zone_called(name: str, world: World) -> dict[str, Any]:
    call = Call(arguments={"filter": {"name": name}}, configuration={}, subject=subject(world, {}))
    return CLOUD.functions[GET_ZONE](call)


def told(world: World, **changes: Any) -> str:
    """Return what is said of the record that our component makes, changed."""
    sent = record_configuration("cloudflare").one(RECORD).inputs
    inputs = {**sent, "zoneId": zone_called("example.org", world)["zoneId"], **changes}
    kind = CLOUD.by_token[RECORD]
    return "\n".join(
        f"{path}: {text}" for path, text in problems_of((*kind.checks, *kind.conditions), subject(world, inputs))
    )


def test_what_our_component_sends_passes(world: World) -> None:
    assert told(world) == ""
    assert world.left() == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"zoneId": "0a"}, "zoneId: there is no Zone whose id is '0a'"),
        ({"name": "hub.example.com"}, "name: hub.example.com is not in zone example.org"),
        ({"type": "CNAM"}, "Did you mean 'CNAME'?"),
        ({"content": "a.elb.eu-west-1.amazonaws.com"}, "no IPv4 address"),
        ({"ttl": 30}, "ttl: 30 must be 1 (automatic), or between 60 and 86400"),
    ],
)
def test_a_mistake_is_told(world: World, changes: dict[str, Any], words: str) -> None:
    assert words in told(world, **changes)


def test_a_zone_that_the_token_does_not_see_is_not_found(world: World) -> None:
    with pytest.raises(Refused, match=r"no zone of this token is called example\.com"):
        zone_called("example.com", world)
