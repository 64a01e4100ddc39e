"""The tables of instance types."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

#: Clouds that have a table, by the word that `cluster.provider` has for them.
CLOUDS = ("aws", "gcp", "digitalocean", "azure")
_COLUMNS = ("name", "cores", "memory_gib", "architecture", "gpu", "gpus", "pods", "usd_per_hour")


@dataclass(frozen=True, kw_only=True)
class InstanceType:
    """One size of machine.

    Attributes:
        name: as the cloud's API has it.
        cores: virtual CPUs.
        memory: bytes of RAM, as sold.
        architecture: value of `kubernetes.io/arch` on its nodes.
        gpu: the cloud's name for its GPU; "" for none. On GCP some types take GPUs that the pool attaches.
        gpus: GPUs that come with it.
        pods: pods that there are addresses for, or that the cloud's Kubernetes takes; `allocatable` knows caps on top.
        usd_per_hour: on-demand price in the table's region, without GPUs that the pool attaches.
    """

    name: str
    cores: float
    memory: int
    architecture: str
    gpu: str
    gpus: int
    pods: int
    usd_per_hour: float


def find(cloud: str, name: str) -> InstanceType | None:
    """Return an instance type, or None for one that is not in the catalogue."""
    return _table(cloud).get(name)


def names(cloud: str) -> tuple[str, ...]:
    """Return every name of a cloud's table."""
    return tuple(_table(cloud))


@cache  # a table takes about half a millisecond to read
def _table(cloud: str) -> Mapping[str, InstanceType]:
    path = Path(__file__).with_name(f"{cloud}.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        if tuple(rows.fieldnames or ()) != _COLUMNS:
            raise ValueError(f"{path.name}: columns {rows.fieldnames}, expected {list(_COLUMNS)}")
        return {row["name"]: _instance(row) for row in rows}


def _instance(row: Mapping[str, str]) -> InstanceType:
    return InstanceType(
        name=row["name"],
        cores=float(row["cores"]),
        memory=round(float(row["memory_gib"]) * 1024**3),
        architecture=row["architecture"],
        gpu=row["gpu"],
        gpus=int(row["gpus"]),
        pods=int(row["pods"]),
        usd_per_hour=float(row["usd_per_hour"]),
    )
