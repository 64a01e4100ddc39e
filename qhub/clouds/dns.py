"""What records have in common, wherever their zone is managed."""

from __future__ import annotations

from ipaddress import ip_address

#: Seconds for which others may remember the address: it changes when the load balancer is made anew, and then nobody
#: should wait long.
RECORD_TTL = 300


def name_in_zone(domain: str, zone: str) -> str:
    """Return a name without the zone that it lies in; "@" is the zone's own, as DNS has it (RFC 1035, 5.1)."""
    return domain.removesuffix(zone).removesuffix(".") or "@"


def record_type(address: str) -> str:
    """Return the type of a record that leads to an address: of a host name it is CNAME."""
    try:
        return "A" if ip_address(address).version == 4 else "AAAA"
    except ValueError:
        return "CNAME"
