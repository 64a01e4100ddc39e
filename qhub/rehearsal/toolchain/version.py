"""Version numbers: read, compared as tuples, written."""

from __future__ import annotations

import re

#: The parts of a version number that are compared.
Version = tuple[int, int, int]


def parse_version(text: str) -> Version:
    """Return the first version number in `text`; parts that are not there count as 0.

    Raises:
        ValueError: no number like `1.2` in it.
    """
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    if found is None:
        raise ValueError(f"no version in {text!r}")
    return int(found[1]), int(found[2]), int(found[3] or 0)


def spell_version(version: Version) -> str:
    """Return `v1.2.3`."""
    return "v" + ".".join(str(part) for part in version)
