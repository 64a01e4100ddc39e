"""Load balancers: an address for every Service of type LoadBalancer.

What a cloud's controller does, without a load balancer behind it: nothing listens at the address. The addresses are in
127/8, so that whoever dials one stays on this machine.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from qhub.rehearsal.cluster.controllers.actions import Action, Json, Patch, Warn, World, object_path

SERVICES = "/api/v1/services"
COLLECTIONS = (SERVICES,)

#: Not the range of Services (127.96/16), so that an address tells what it belongs to.
POOL = ipaddress.IPv4Network("127.97.0.0/16")

#: A Service may ask for this class by name; one with another class belongs to somebody else's controller.
LOAD_BALANCER_CLASS = "rehearsal.qhub.dev/load-balancer"


def reconcile(world: World, *, any_class: bool = False) -> list[Action]:
    """Return what is to be done, from all Services. Older Services come first, so that nobody loses an address.

    `any_class`: serve every class, as the one controller of a cloud does.
    """
    services = sorted(world[SERVICES], key=_age)
    held: dict[str, Json] = {}
    waiting: list[Json] = []
    actions: list[Action] = []
    for service in services:
        address = _address(service)
        if not _is_ours(service, any_class=any_class):
            if address and _in_pool(address):
                actions.append(_assign(service, None))
        elif address and address not in held and _asked(service) in ("", address):
            held[address] = service
        else:
            waiting.append(service)
    for service in waiting:
        actions += _serve(service, held)
    return actions


def _serve(service: Json, held: dict[str, Json]) -> Iterator[Action]:
    """Give one Service the address that it asks for, or the lowest free one, and note it in `held`."""
    asked = _asked(service)
    problem = _problem(asked, held)
    if problem:
        yield Warn("Service", service, "SyncLoadBalancerFailed", problem)
        if _address(service):
            yield _assign(service, None)
        return
    address = asked or _lowest_free(held)
    if not address:
        yield Warn("Service", service, "SyncLoadBalancerFailed", f"no address is left in {POOL}")
        return
    held[address] = service
    yield _assign(service, address)


def _problem(asked: str, held: dict[str, Json]) -> str:
    """Tell why an address that is asked for cannot be had; empty when it can."""
    if not asked:
        return ""
    try:
        ipaddress.ip_address(asked)
    except ValueError:
        return f"spec.loadBalancerIP: {asked!r} is not an IP address"
    if other := held.get(asked):
        about = other["metadata"]
        return f"spec.loadBalancerIP: {asked} is in use by Service {about['namespace']}/{about['name']}"
    return ""


def _lowest_free(held: Iterable[str]) -> str:
    taken = set(held)
    return next((str(address) for address in POOL.hosts() if str(address) not in taken), "")


def _assign(service: Json, address: str | None) -> Patch:
    """Return the change of status. Mode Proxy: traffic would arrive from a proxy, not with this address as its goal."""
    status: Json = {"ingress": [{"ip": address, "ipMode": "Proxy"}] if address else None}
    return Patch(object_path(SERVICES, service, sub="status"), {"status": {"loadBalancer": status}})


def _is_ours(service: Json, *, any_class: bool) -> bool:
    spec = service["spec"]
    return (
        spec.get("type") == "LoadBalancer"
        and (any_class or spec.get("loadBalancerClass", LOAD_BALANCER_CLASS) == LOAD_BALANCER_CLASS)
        and "deletionTimestamp" not in service["metadata"]
    )


def _address(service: Json) -> str:
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or [{}]
    return ingress[0].get("ip", "")


def _asked(service: Json) -> str:
    return service["spec"].get("loadBalancerIP", "")


def _in_pool(address: str) -> bool:
    try:
        return ipaddress.ip_address(address) in POOL
    except ValueError:
        return False


def _age(service: Json) -> tuple[str, str, str]:
    about = service["metadata"]
    return about.get("creationTimestamp", ""), about["namespace"], about["name"]
