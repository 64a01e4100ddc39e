"""Sizes of servers and of Dask workers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from qhub.config.nearest import nearest
from qhub.migrate.groups import group_name
from qhub.migrate.moving import Moving, Path, slug
from qhub.migrate.rules import Table, needless, no_counterpart, of, to, walk
from qhub.migrate.traits import TRAITS

GPU = "nvidia.com/gpu"
#: Images that Nebari and QHub bring themselves: they work with their hubs and not with ours.
STOCK = ("quay.io/nebari/nebari-", "quansight/nebari-", "quansight/qhub-")

_OVERRIDES = "values of the chart: qhub:charts.jupyterhub.overrides"


def memory(value: Any) -> str:
    """Return memory as KubeSpawner writes it: its G is a GiB."""
    return str(value).strip().removesuffix("B").removesuffix("i")


def image(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """`name:tag` of an image, unless it is one of theirs."""
    reference = str(value or "").strip()
    name, _, tag = reference.rpartition(":")
    if not reference or reference.startswith(STOCK):
        moving.note("needless", path, "an image of theirs: QHub's own default takes its place")
    elif not name or "/" in tag:
        moving.note("asked", path, f"{reference} has no tag: write `image: {{name: ..., tag: ...}}`")
    else:
        moving.put((*under, "image"), {"name": name, "tag": tag})
        moving.note(
            "changed",
            path,
            "has to fit: a notebook's has jupyterhub of the hub's major version, Dask's the notebook's dask and Python",
        )


def selector(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """A selector of one node group by its name."""
    pools = moving.get(("cluster", "node_pools")) or {}
    named = [slug(word) for word in value.values() if slug(word) in pools]
    if named:
        moving.put((*under, "node_pool"), named[0])
    elif value:
        moving.note("asked", path, "is of no node group in the file: name a pool with `node_pool: ...`")


def gpus(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """`extra_resource_limits` or `resources.limits`: GPUs."""
    if str(value.get(GPU, "")).isdigit():
        moving.put((*under, "gpu", "count"), int(value[GPU]))
    for name in value.keys() - {GPU}:
        moving.note("lost", (*path, name), "only GPUs of NVIDIA are asked for")


def access(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """Who is offered a profile; where Keycloak says it, nobody until somebody does here."""
    if value == "keycloak":
        moving.put((*under, "users"), [])
        moving.note("asked", path, "who may choose it was in Keycloak: nobody may until `users` or `groups` says so")
    elif value not in (None, "all", "yaml"):
        moving.put((*under, "users"), [])
        moving.note("asked", path, f"{value} is not known: nobody may choose it until `users` or `groups` says so")


def _named_nobody(moving: Moving, path: Path, value: Mapping[str, Any], under: Path) -> None:
    """A profile for those whom it names, that names none: nobody's, where without both lists it is everyone's."""
    # QHub before Keycloak had no `access`: a list that is there, an empty one too, was the list.
    listed = not moving.has_keycloak and not value.keys().isdisjoint(("users", "groups"))
    limited = value.get("access") == "yaml" or listed
    if limited and moving.get((*under, "users")) is None and moving.get((*under, "groups")) is None:
        moving.put((*under, "users"), [])
        moving.note("asked", path, "is for those whom it names, and names nobody: nobody may choose it until it does")


def _users(moving: Moving, path: Path, value: Any, under: Path) -> None:
    if value:
        moving.put((*under, "users"), [str(one).lower() for one in value])


def _groups(moving: Moving, path: Path, value: Any, under: Path) -> None:
    if value:
        moving.put(
            (*under, "groups"), [group_name(moving, (*path, place), one) for place, one in enumerate(value) if one]
        )


def _no_trait(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """A key of KubeSpawner that QHub has no word for, or a slip of the pen, of which their documents have one."""
    name = str(path[-1])
    meant = None if name in TRAITS else nearest(name, TRAITS)
    if meant is not None and value is not None:
        moving.note("asked", path, f'is no key of KubeSpawner; did you mean "{meant}"? Nothing was made of it')
    else:
        no_counterpart(_OVERRIDES)(moving, path, value, under)


_CHOICE: Table = {
    "display_name": to("display_name"),
    "description": to("description"),
    "users": of(list, _users),
    "groups": of(list, _groups),
}
SERVER: Table = {
    **_CHOICE,
    "access": access,
    "default": lambda *_: None,  # one of all, chosen below
    "profile_options": no_counterpart(
        "choices within a profile: `sizes`, `images` and `other_image` of the profile here (docs/profiles.md)"
    ),
    "kubespawner_override.cpu_limit": to("cpu.limit"),
    "kubespawner_override.cpu_guarantee": to("cpu.guarantee"),
    "kubespawner_override.mem_limit": to("memory.limit", memory),
    "kubespawner_override.mem_guarantee": to("memory.guarantee", memory),
    "kubespawner_override.image": image,
    "kubespawner_override.node_selector": of(Mapping, selector),
    "kubespawner_override.extra_resource_limits": of(Mapping, gpus),
    "kubespawner_override.*": _no_trait,
}
WORKER: Table = {
    **_CHOICE,
    "worker_cores": to("cores"),
    "worker_memory": to("memory", memory),
    "worker_cores_limit": needless("a worker is promised what it may use: worker_cores"),
    "worker_memory_limit": needless("a worker is promised what it may use: worker_memory"),
    "worker_threads": to("threads"),
    "image": image,
    "worker_extra_pod_config.nodeSelector": of(Mapping, selector),
    "worker_extra_container_config.resources.limits": of(Mapping, gpus),
    "*": no_counterpart("values of the chart: qhub:charts.dask_gateway.overrides"),
    "worker_extra_pod_config.*": no_counterpart("values of the chart: qhub:charts.dask_gateway.overrides"),
    "worker_extra_container_config.*": no_counterpart("values of the chart: qhub:charts.dask_gateway.overrides"),
}


def servers(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """`profiles.jupyterlab`: a list, of which the first is the default where none is marked."""
    taken: set[str] = set()
    profiles = [(place, one) for place, one in enumerate(value) if _is_profile(moving, (*path, place), one)]
    chosen = next((place for place, one in profiles if one.get("default")), profiles[0][0] if profiles else 0)
    for number, (place, one) in enumerate(profiles):
        here = ("jupyterhub", "profiles", number)
        moving.put((*here, "name"), _unique(slug(one.get("display_name", "")) or f"profile-{number + 1}", taken))
        if place == chosen and len(profiles) > 1:
            moving.put((*here, "default"), True)
        walk(moving, SERVER, one, path=(*path, place), under=here, top=len(path) + 1)
        _named_nobody(moving, (*path, place), one, here)


def workers(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """`profiles.dask_worker`: a mapping by what people read."""
    taken: set[str] = set()
    profiles = [(title, one) for title, one in value.items() if _is_profile(moving, (*path, title), one)]
    for number, (title, one) in enumerate(profiles):
        here = ("dask", "profiles", number)
        moving.put((*here, "name"), _unique(slug(title) or f"worker-{number + 1}", taken))
        moving.put((*here, "display_name"), title)
        walk(moving, WORKER, one, path=(*path, title), under=here, top=len(path) + 1)


def _is_profile(moving: Moving, path: Path, value: Any) -> bool:
    if not isinstance(value, Mapping):
        moving.note("asked", path, "is no profile: nothing was made of it")
    return isinstance(value, Mapping)


def _unique(name: str, taken: set[str]) -> str:
    names: Iterable[str] = (name, *(f"{name[:60]}-{number}" for number in range(2, 1000)))
    found = next(one for one in names if one not in taken)
    taken.add(found)
    return found
