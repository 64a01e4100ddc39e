"""Which addresses a browser connected to, by its own net log."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def connected_to(net_log: Path) -> set[str]:
    """Return every address that a TCP connection was tried to, or that a UDP packet was sent to.

    A UDP socket that is connected and sends nothing does not count: so Chromium asks the system for a route, to know
    whether the machine has IPv6.

    Raises:
        ValueError: the log is not complete; the browser was killed.
    """
    log = json.loads(net_log.read_text())
    kinds = {number: name for name, number in log["constants"]["logEventTypes"].items()}
    udp_peers: dict[int, str] = {}
    reached = set()
    for kind, source, details in _events(log, kinds):
        match kind:
            case "TCP_CONNECT_ATTEMPT" if "address" in details:
                reached.add(_host(details["address"]))
            case "UDP_CONNECT" if "address" in details:
                udp_peers[source] = _host(details["address"])
            case "UDP_BYTES_SENT":
                reached.add(_host(details["address"]) if "address" in details else udp_peers[source])
    return reached


def outside(addresses: set[str]) -> set[str]:
    """Return those that are not on this machine."""
    return {address for address in addresses if not ipaddress.ip_address(address).is_loopback}


def _events(log: dict[str, Any], kinds: dict[int, str]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    for event in log["events"]:
        yield kinds[event["type"]], event["source"]["id"], event.get("params", {})


def _host(address: str) -> str:
    """Return the host of `127.0.0.1:80` or `[::1]:80`."""
    return address.rpartition(":")[0].strip("[]")
