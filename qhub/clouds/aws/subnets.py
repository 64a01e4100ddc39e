"""Which address range each subnet of a VPC gets. Pure: the same for the same input, and nothing else is asked.

The range of the VPC is cut into eight. A zone's letter, not its place in a list, says which of the first six is its
private subnet, and which eighth of the last quarter its public one:

| part of 10.0.0.0/16 | what it is |
|---|---|
| 10.0.0.0/19 .. 10.0.160.0/19 | private subnets of zones a .. f |
| 10.0.192.0/21 .. 10.0.232.0/21 | public subnets of zones a .. f |

So a zone that is added, left out or moved in the list changes no other zone's subnets: AWS cannot change the range of a
subnet, only replace it, and with it every node in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from qhub.config.aws import ZONE_LETTERS


@dataclass(frozen=True, kw_only=True)
class ZoneRanges:
    """Address ranges of one zone's subnets.

    Attributes:
        private: for nodes and pods.
        public: for load balancers and NAT gateways.
    """

    private: str
    public: str


def subnet_ranges(cidr: str, zones: Sequence[str]) -> dict[str, ZoneRanges]:
    """Return the ranges of each zone's subnets, in the order of `zones`.

    Args:
        cidr: range of the VPC, /22 or wider.
        zones: names of availability zones, ending in one of the letters a to f.

    Raises:
        ValueError: a zone ends in another letter, or the range is not a network's.
    """
    eighths = list(IPv4Network(cidr).subnets(prefixlen_diff=3))
    public = [part for eighth in eighths[6:] for part in eighth.subnets(prefixlen_diff=2)]
    places = {zone: ZONE_LETTERS.index(zone[-1]) for zone in zones}
    return {zone: ZoneRanges(private=str(eighths[n]), public=str(public[n])) for zone, n in places.items()}
