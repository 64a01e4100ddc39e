"""What was done to the nodes of pools, and why: one line of JSON each, in the cluster's folder, for reports."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """One node that came, became Ready, or went.

    Attributes:
        time: when, in seconds since 1970.
        pool: its pool.
        change: 1 for a node that was asked for, 0 for one that became Ready, -1 for one that went.
        node: its name.
        why: the reason, for people.
    """

    time: float
    pool: str
    change: int
    node: str
    why: str


def scaling_log(folder: Path) -> Path:
    """Return the file, in the folder of a cluster."""
    return folder / "scaling.jsonl"


def append_scaling(file: Path, scaling: Scaling) -> None:
    """Add a line, in one write."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, (json.dumps(asdict(scaling), sort_keys=True) + "\n").encode())
    finally:
        os.close(descriptor)


def read_scalings(file: Path) -> list[Scaling]:
    """Return the lines in their order; one that was cut short by a kill is left out, no file is no line."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return []
    return [Scaling(**json.loads(line)) for line in lines if line.endswith("}\n")]
