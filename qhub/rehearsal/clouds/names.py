"""What zones and records of DNS have in common on every simulated cloud."""

from __future__ import annotations

import ipaddress

from qhub.rehearsal.clouds.resource import Check
from qhub.rehearsal.clouds.rules import Problems
from qhub.rehearsal.clouds.subject import Subject

#: Of records, as all of the clouds have them.
RECORD_TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "SRV", "TXT")
_ADDRESS_TYPES = {"A": 4, "AAAA": 6}


def lies_in(name: str, zone: str) -> bool:
    """Say whether a name is a zone's own, or one below it. A dot at the end makes no difference."""
    name, zone = name.rstrip(".").lower(), zone.rstrip(".").lower()
    return name == zone or name.endswith(f".{zone}")


def addresses_fit(values: str, *, type_path: str = "type") -> Check:
    """Return a check that what records of addresses say are addresses of their kind.

    Args:
        values: path of what they say.
        type_path: path of their type.
    """

    def check(subject: Subject) -> Problems:
        version = _ADDRESS_TYPES.get(str(subject.get(type_path)))
        for place, value in subject.each(values) if version else ():
            if _version(value) != version:
                yield (
                    place,
                    f"{value!r} is no IPv{version} address, which a record of type {subject.get(type_path)} has",
                )

    return check


def not_named_twice(name: str, zone: str) -> Check:
    """Return a check that a name is given without the zone, which is added to it.

    Args:
        name: path of the name.
        zone: path of the zone's domain.
    """

    def check(subject: Subject) -> Problems:
        given, domain = str(subject.get(name) or "@"), subject.get(zone)
        if domain and given != "@" and lies_in(given, str(domain)):
            yield name, f"the record would be {given}.{domain}: leave out the zone, or write @ for its own name"

    return check


def _version(value: object) -> int | None:
    try:
        return ipaddress.ip_address(str(value)).version
    except ValueError:
        return None
