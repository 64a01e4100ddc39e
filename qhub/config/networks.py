"""Address ranges of networks: what lies in what, and what must not overlap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_network

from qhub.config.model import Problem

Path = tuple[str | int, ...]

#: Addresses that are nobody's on the internet (RFC 1918).
PRIVATE_ADDRESSES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")


def ranges_are_apart(ranges: Mapping[Path, str]) -> Iterator[Problem]:
    """Yield a problem for each range that overlaps one before it: pods could not tell the two apart."""
    seen: list[tuple[Path, str]] = []
    for path, text in ranges.items():
        for other, before in seen:
            if ip_network(text).overlaps(ip_network(before)):
                yield Problem(path, f"{text} overlaps {before} of {'.'.join(map(str, other))}: choose another range")
                break
        seen.append((path, text))


def is_within(text: str, outer: str) -> bool:
    """Return whether a range lies in another one, or is that one.

    Raises:
        ValueError: one of them is no address range.
    """
    inside, around = ip_network(text), ip_network(outer)
    return inside.version == around.version and inside.subnet_of(around)  # ty: ignore[invalid-argument-type]


def range_lies_in(path: Path, text: str, outer: str, *, of: str) -> Iterator[Problem]:
    """Yield a problem when a range is not inside the network that it is to be a part of."""
    if not is_within(text, outer):
        yield Problem(path, f"{text} is not inside {outer} ({of})")


def range_has_room(path: Path, text: str, addresses: int, *, for_what: str) -> Iterator[Problem]:
    """Yield a problem when a range has fewer addresses than are needed."""
    there = ip_network(text).num_addresses
    if there < addresses:
        yield Problem(path, f"{text} has {there} addresses, fewer than the {addresses} for {for_what}")
