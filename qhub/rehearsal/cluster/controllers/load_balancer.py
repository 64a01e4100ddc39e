"""Load balancers: an address for every Service of type LoadBalancer; on AWS a host name.

What a cloud's controller does, without a load balancer behind it. Beside simulated nodes nothing listens at the
address; on a real node kube-proxy serves it. The addresses are in 127/8 or in the node's own network, and the host
names lead nowhere, so that whoever dials one stays on this machine.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from qhub.rehearsal.cluster.controllers.actions import Action, Json, Patch, Warn, World, object_path
from qhub.rehearsal.cluster.controllers.pace import Pace
from qhub.rehearsal.cluster.network import LOOPBACK

SERVICES = "/api/v1/services"
COLLECTIONS = (SERVICES,)

#: A Service may ask for this class by name; one with another class belongs to somebody else's controller.
LOAD_BALANCER_CLASS = "rehearsal.qhub.dev/load-balancer"


#: On a Service: when its load balancer has an address, in seconds since 1970.
ADDRESS_AT = "rehearsal.qhub.dev/address-at"


@dataclass(frozen=True)
class Pool:
    """The addresses to give away, and their `ipMode`.

    Proxy: traffic would arrive from a proxy, not with this address as its goal. VIP: kube-proxy serves the address.
    """

    network: ipaddress.IPv4Network
    mode: str


LOOPBACK_POOL = Pool(ipaddress.IPv4Network(LOOPBACK.load_balancers), LOOPBACK.load_balancer_mode)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What load balancers are like.

    Attributes:
        any_class: every class is served, as the one controller of a cloud does.
        domain: they have host names below it in place of addresses, and nobody can ask for one. It has to end in
            `.invalid`, which no name server knows (RFC 2606): a host name must not lead off this machine either.
        pace: how long they take; None: no time.
        pool: their addresses.
    """

    any_class: bool = False
    domain: str = ""
    pace: Pace | None = None
    pool: Pool = LOOPBACK_POOL


LOCAL = Kind()


def reconcile(world: World, *, kind: Kind = LOCAL) -> list[Action]:
    """Return what is to be done, from all Services. Older Services come first, so that nobody loses an address."""
    services = sorted(world[SERVICES], key=_age)
    held: dict[str, Json] = {}
    waiting: list[Json] = []
    actions: list[Action] = []
    for service in services:
        address = _address(service)
        if not _is_ours(service, kind):
            if address and (_in_pool(address, kind.pool) or (kind.domain and address.endswith(kind.domain))):
                actions.append(_assign(service, None, kind.pool))
        elif address and address not in held and _asked(service, kind) in ("", address):
            held[address] = service
        else:
            waiting.append(service)
    for service in waiting:
        actions += _wait(service, kind) or _serve(service, held, kind)
    return actions


def _wait(service: Json, kind: Kind) -> list[Action]:
    """Return what to do as long as a load balancer is being made; one with an address changes it at once."""
    if kind.pace is None or _address(service):
        return []
    return kind.pace.wait(object_path(SERVICES, service), service, ADDRESS_AT, kind.pace.durations.load_balancer)


def _serve(service: Json, held: dict[str, Json], kind: Kind) -> Iterator[Action]:
    """Give one Service the address that it asks for, or the lowest free one, and note it in `held`."""
    if kind.domain:
        yield _assign(service, _host_name(service, kind.domain), kind.pool)
        return
    asked = _asked(service, kind)
    problem = _problem(asked, held)
    if problem:
        yield Warn("Service", service, "SyncLoadBalancerFailed", problem)
        if _address(service):
            yield _assign(service, None, kind.pool)
        return
    address = asked or _lowest_free(held, kind.pool)
    if not address:
        yield Warn("Service", service, "SyncLoadBalancerFailed", f"no address is left in {kind.pool.network}")
        return
    held[address] = service
    yield _assign(service, address, kind.pool)


def _problem(asked: str, held: dict[str, Json]) -> str:
    """Tell why an address that is asked for cannot be had; empty when it can."""
    if not asked:
        return ""
    if not _is_ip(asked):
        return f"spec.loadBalancerIP: {asked!r} is not an IP address"
    if other := held.get(asked):
        about = other["metadata"]
        return f"spec.loadBalancerIP: {asked} is in use by Service {about['namespace']}/{about['name']}"
    return ""


def _lowest_free(held: Iterable[str], pool: Pool) -> str:
    taken = set(held)
    return next((str(address) for address in pool.network.hosts() if str(address) not in taken), "")


def _host_name(service: Json, domain: str) -> str:
    """Return a name as AWS makes it: out of the Service's uid, and some more."""
    uid = service["metadata"]["uid"]
    return f"a{uid.replace('-', '')[:31]}-{hashlib.sha256(uid.encode()).hexdigest()[:16]}.{domain}"


def _assign(service: Json, address: str | None, pool: Pool) -> Patch:
    entry = {"ip": address, "ipMode": pool.mode} if _is_ip(address) else {"hostname": address}
    status: Json = {"ingress": [entry] if address else None}
    return Patch(object_path(SERVICES, service, sub="status"), {"status": {"loadBalancer": status}})


def _is_ours(service: Json, kind: Kind) -> bool:
    spec = service["spec"]
    return (
        spec.get("type") == "LoadBalancer"
        and (kind.any_class or spec.get("loadBalancerClass", LOAD_BALANCER_CLASS) == LOAD_BALANCER_CLASS)
        and "deletionTimestamp" not in service["metadata"]
    )


def _address(service: Json) -> str:
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or [{}]
    return ingress[0].get("ip") or ingress[0].get("hostname", "")


def _asked(service: Json, kind: Kind) -> str:
    return "" if kind.domain else service["spec"].get("loadBalancerIP", "")


def _in_pool(address: str, pool: Pool) -> bool:
    return _is_ip(address) and ipaddress.ip_address(address) in pool.network


def _is_ip(address: str | None) -> bool:
    try:
        ipaddress.ip_address(address or "")
    except ValueError:
        return False
    return True


def _age(service: Json) -> tuple[str, str, str]:
    about = service["metadata"]
    return about.get("creationTimestamp", ""), about["namespace"], about["name"]
