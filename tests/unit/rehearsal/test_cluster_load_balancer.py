"""The load-balancer controller as a function: Services in, changes of their status out."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qhub.rehearsal.cluster.controllers import load_balancer
from qhub.rehearsal.cluster.controllers.actions import Patch, Warn

Json = dict[str, Any]


def service(name: str, *, address: str = "", second: int = 0, **spec: Any) -> Json:
    ingress = {"ingress": [{"ip": address, "ipMode": "Proxy"}]} if address else {}
    created = f"2026-01-01T00:00:{second:02}Z"
    return {
        "metadata": {"namespace": "team", "name": name, "uid": name, "creationTimestamp": created},
        "spec": {"type": "LoadBalancer", **spec},
        "status": {"loadBalancer": ingress},
    }


def reconcile(*services: Json) -> list[Any]:
    return load_balancer.reconcile({load_balancer.SERVICES: services})


def given_address(action: Any) -> str | None:
    assert isinstance(action, Patch)
    ingress = action.body["status"]["loadBalancer"]["ingress"]
    return ingress[0]["ip"] if ingress else None


def apply(services: list[Json]) -> list[Json]:
    """Do what the controller wants; return what the Services are then."""
    by_path = {f"/api/v1/namespaces/team/services/{item['metadata']['name']}/status": item for item in services}
    for action in reconcile(*services):
        if isinstance(action, Patch):
            by_path[action.path]["status"] = action.body["status"]
    return services


def test_a_new_service_gets_the_lowest_free_address_with_mode_proxy() -> None:
    [action] = reconcile(service("old", address="127.97.0.1"), service("new", second=1))
    assert action == Patch(
        "/api/v1/namespaces/team/services/new/status",
        {"status": {"loadBalancer": {"ingress": [{"ip": "127.97.0.2", "ipMode": "Proxy"}]}}},
    )


def test_an_address_that_is_asked_for_is_given_wherever_it_lies() -> None:
    [action] = reconcile(service("fixed", loadBalancerIP="192.0.2.7"))
    assert given_address(action) == "192.0.2.7"


@pytest.mark.parametrize(
    ("asked", "why"), [("127.97.0.1", "in use by Service team/first"), ("somewhere", "is not an IP address")]
)
def test_an_address_that_cannot_be_had_is_told(asked: str, why: str) -> None:
    [action] = reconcile(service("first", address="127.97.0.1"), service("second", second=1, loadBalancerIP=asked))
    assert isinstance(action, Warn)
    assert why in action.message


def test_a_changed_wish_moves_the_service() -> None:
    [action] = reconcile(service("moving", address="127.97.0.1", loadBalancerIP="127.97.5.5"))
    assert given_address(action) == "127.97.5.5"


def test_two_with_one_address_are_told_apart_and_the_older_keeps_it() -> None:
    [action] = reconcile(service("younger", address="127.97.0.1", second=9), service("older", address="127.97.0.1"))
    assert "younger" in action.path
    assert given_address(action) == "127.97.0.2"


@pytest.mark.parametrize("spec", [{"type": "ClusterIP"}, {"loadBalancerClass": "example.com/other"}])
def test_others_get_nothing_and_lose_what_was_ours(spec: Json) -> None:
    assert reconcile(service("plain", **spec)) == []
    [action] = reconcile(service("former", address="127.97.0.1", **spec))
    assert given_address(action) is None
    assert reconcile(service("theirs", address="192.0.2.1", **spec)) == []


WISHES = st.sampled_from(["", "127.97.0.1", "127.97.0.2", "127.97.3.3"])


@given(st.lists(st.tuples(WISHES, WISHES), max_size=8))
def test_from_any_state_every_address_has_one_holder_and_a_second_look_finds_nothing(
    wishes: list[tuple[str, str]],
) -> None:
    services = [
        service(f"s{number}", second=number, address=held, **({"loadBalancerIP": asked} if asked else {}))
        for number, (held, asked) in enumerate(wishes)
    ]
    after = apply(services)
    held = [load_balancer._address(item) for item in after if load_balancer._address(item)]
    assert len(set(held)) == len(held)
    assert all(ipaddress.ip_address(address) in load_balancer.LOOPBACK_POOL.network for address in held)
    assert not [action for action in reconcile(*after) if isinstance(action, Patch)]
    for item in after:
        asked = item["spec"].get("loadBalancerIP", "")
        assert load_balancer._address(item) == asked or not asked or asked in held
