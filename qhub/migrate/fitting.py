"""What the new settings say of what came over: sizes that no node has room for, and everything that is wrong still."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from pydantic import TypeAdapter, ValidationError

from qhub.config.cluster import Cluster
from qhub.config.dask import DEFAULT_PROFILES as WORKERS
from qhub.config.judge import Finding, judge
from qhub.config.jupyterhub import DEFAULT_PROFILES as SERVERS
from qhub.config.mistakes import Mistake
from qhub.config.model import ENCRYPTED, dotted, parse_key
from qhub.config.node_pools import NodePool
from qhub.config.quantities import parse_size, parse_spawner_memory
from qhub.migrate.moving import Moving, Path

#: What a tenth of KubeSpawner's G is.
_TENTH = 1024**3 / 10


def fit_nodes(moving: Moving) -> None:
    """Lower what no node has room for: theirs let a limit be larger than the node, which takes the node down."""
    for here, key, pool, room in _demands(moving):
        written = moving.get((*here, *key))
        if written is None or room is None:
            continue
        is_memory = "memory" in key
        try:
            has = parse_size(str(room)) if is_memory else float(room)
            wants = parse_spawner_memory(str(written)) if is_memory else float(written)
        except (TypeError, ValueError):
            continue  # told as a mistake with its place
        if wants <= has:
            continue
        fits: Any = f"{int(has / _TENTH) / 10:g}G" if is_memory else int(has * 10) / 10
        origin = moving.origins.get((*here, *key), ())
        moving.put((*here, *key), fits)
        moving.note("changed", origin, f"{written} is more than a node of pool {pool} has for pods: {fits}")


def questions(moving: Moving) -> Iterator[Finding]:
    """Yield what is wrong with the new settings once their secrets are set."""
    values = moving.values()
    for key in moving.secrets:
        section, name = parse_key(key)
        values.setdefault(str(section), {})[name] = ENCRYPTED
    yield from judge(values, stack=moving.stack, root=FilePath())[1]


def ask(moving: Moving) -> None:
    """Say what is wrong still, at the key that it came from."""
    asked = {note.path for note in moving.notes if note.kind == "asked"}
    for finding in questions(moving):
        if finding.path == ("authentication",) and ("security",) in asked:
            continue  # asked in better words already
        mistake = Mistake(
            key=dotted(finding.path),
            message=finding.message + finding.hint,
            expected=finding.expected,
            nearest=finding.nearest,
            known=finding.known,
        )
        moving.note("asked", _origin(moving, finding.path), f"qhub:{mistake}")


def _origin(moving: Moving, path: Path) -> Path:
    around = (moving.origins.get(path[:length]) for length in range(len(path), 0, -1))
    return next((origin for origin in around if origin is not None), ())


def _demands(moving: Moving) -> Iterator[tuple[Path, Path, str, Any]]:
    pools = _pools(moving)
    for section, usual, keys in (
        ("jupyterhub", "user", (("memory", "limit"), ("memory", "guarantee"), ("cpu", "guarantee"))),
        ("dask", "worker", (("memory",), ("cores",))),
    ):
        for place, profile in moving.settings.get(section, {}).get("profiles", {}).items():
            name = profile.get("node_pool", usual)
            pool = pools.get(name, NodePool())
            for key in keys:
                yield (section, "profiles", place), key, name, pool.memory if "memory" in key else pool.cpu


def _pools(moving: Moving) -> dict[str, NodePool]:
    try:
        # Only the cluster: what is wrong elsewhere is told elsewhere.
        return _cluster_reader().validate_python(moving.values().get("cluster", {})).pools
    except ValidationError:
        return {}


@cache
def _cluster_reader() -> TypeAdapter[Any]:
    return TypeAdapter(Cluster)


def own_sizes(moving: Moving) -> None:
    """Where the file names no sizes, take those of ours that its nodes have room for, unless it is all of them."""
    pools = _pools(moving)
    for section, pool, sizes in (("jupyterhub", "user", SERVERS), ("dask", "worker", WORKERS)):
        room = pools.get(pool, NodePool())
        fitting = [size for size in sizes if _fits(size, room)]
        if moving.get((section, "profiles")) is None and 0 < len(fitting) < len(sizes):
            moving.at = ()
            for place, size in enumerate(fitting):
                moving.put((section, "profiles", place), size)


def _fits(size: Mapping[str, Any], room: NodePool) -> bool:
    cpu, memory = size.get("cpu", size.get("cores")), size["memory"]
    cores = cpu["limit"] if isinstance(cpu, Mapping) else cpu
    most = memory["limit"] if isinstance(memory, Mapping) else memory
    fits_cpu = room.cpu is None or cores <= room.cpu
    return fits_cpu and (room.memory is None or parse_spawner_memory(most) <= parse_size(room.memory))
