"""From what failed to the key of the stack file that a person would change. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from qhub.automation.rehearse.operations import name_of, type_of
from qhub.config import Settings
from qhub.rehearsal.report.recording import Failure, Pod

#: Sections of the settings, for a key that a message names itself.
_SECTIONS = ("domain", "namespace", "cluster", "certificates", "ingress", "storage", "authentication", "users",
             "groups", "jupyterhub", "dask", "monitoring", "charts", "images", "extra_releases")  # fmt: skip
_NAMED_KEY = re.compile(rf"(?<![\w.:/-])(?:qhub:)?((?:{'|'.join(_SECTIONS)})(?:\.[a-z_][\w-]*|\[\d+\])+)")

#: What a cloud says when an account may not have more of something.
_QUOTA = re.compile(r"quota|limit ?exceeded|limit of \d|\bvcpu\b", re.I)
_MORE = "or ask the cloud for a higher quota"

#: What part of a cloud's input the message speaks of, and the key that it comes from; `{pool}` is a node pool.
#: Quotas come first: their messages speak of instance types and GPUs too, with which nothing is wrong.
_POOL_KEYS = (
    (_QUOTA, "max"),
    (re.compile(r"instance ?_?types?|machine ?_?type|vm ?_?size|\bsize\b|architecture", re.I), "instance_type"),
    (re.compile(r"accelerator|gpu", re.I), "gpu"),
    (re.compile(r"\bzones?\b|availability", re.I), "zones"),
    (re.compile(r"disk", re.I), "disk_size"),
    (re.compile(r"spot|preempt|priority", re.I), "spot"),
    (re.compile(r"taint", re.I), "taints"),
    (re.compile(r"label", re.I), "labels"),
    (re.compile(r"min|max|scal|count", re.I), "max"),
)
_CLUSTER_KEYS = (
    (re.compile(r"version", re.I), "cluster.version"),
    (re.compile(r"zones?\b|availability", re.I), "cluster.network.zones"),
    (re.compile(r"cidr|subnet|address|range|network|vpc|overlap", re.I), "cluster.network"),
    (re.compile(r"protect", re.I), "cluster.protect"),
    (re.compile(r"region|location", re.I), "cluster.region"),
    (re.compile(r"tag|label", re.I), "cluster.tags"),
    (re.compile(r"\bname\b", re.I), "cluster.name"),
)

#: Logical names of the platform's own resources, longest first, and the section that makes them.
_PLATFORM = (
    ("monitoring", "monitoring"),
    ("qhub-extra", "extra_releases"),
    ("cert-manager", "certificates"),
    ("dask-gateway", "dask"),
    ("jupyterhub", "jupyterhub"),
    ("ingress", "ingress"),
    ("storage", "storage"),
    ("namespace", "namespace"),
)
_CHARTS = {"cert-manager": "cert_manager", "ingress-nginx": "ingress_nginx", "traefik": "traefik",
           "dask-gateway": "dask_gateway", "jupyterhub": "jupyterhub",
           "monitoring": "kube_prometheus_stack"}  # fmt: skip
_CHART_WORDS = re.compile(r"chart|values don't meet|schema|timed out waiting|context deadline", re.I)
_NOT_REACHED = re.compile(r"credentials|unreachable|connection refused|API server at", re.I)


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key of the stack file, and what to do there; "" for nothing known."""

    key: str = ""
    hint: str = ""


def key_for(urn: str, message: str, *, pools: Iterable[str]) -> Key:
    """Return the key to change for a resource that failed.

    A key that the message names wins: the checks that know the settings name them.

    Args:
        urn: the resource; "" for the program as a whole.
        message: why it failed.
        pools: names of the node pools.
    """
    if named := next((one[1] for one in _NAMED_KEY.finditer(message) if _is_key(one[1])), None):
        return Key(key=named)
    if not urn:
        return Key()
    kind, name = type_of(urn), name_of(urn)
    if kind.startswith(("kubernetes:", "random:")):
        return _platform_key(name, message)
    # The longest first: `user-gpu` before `user`.
    pool = next((one for one in sorted(pools, key=len, reverse=True) if re.search(rf"(^|-){one}(-|$)", name)), None)
    # Plugins put the resource in front, and a pool that is called gpu says nothing about GPUs.
    said = message.replace(f'"{name}"', "")
    is_quota = _QUOTA.search(said) is not None
    if pool and re.search(r"pool|node|scal|agent|launch", kind, re.I):
        word = next((key for pattern, key in _POOL_KEYS if pattern.search(said)), "")
        hint = f"lower it, take another instance type, {_MORE}" if is_quota else ""
        return Key(key=f"cluster.node_pools.{pool}" + (f".{word}" if word else ""), hint=hint)
    return Key(key=_cluster_key(f"{kind} {name}", said), hint=_MORE if is_quota else "")


def _cluster_key(what: str, message: str) -> str:
    if re.search(r"filesystem|filestore|nfs|storage|share", what, re.I):
        return "storage.size" if re.search(r"size|capacity|quota|gib", message, re.I) else "storage"
    if re.search(r"registry|repository", what, re.I):
        return "cluster.registry"
    # What the message speaks of; else what the resource is.
    texts = (message, what)
    return next((key for text in texts for pattern, key in _CLUSTER_KEYS if pattern.search(text)), "cluster")


def _is_key(text: str) -> bool:
    """Tell a key from an address such as `storage.googleapis.com`: its second word is one that settings have."""
    section, second = re.split(r"[.\[]", text)[:2]
    return section in ("users", "groups") or second in _words()


@cache
def _words() -> frozenset[str]:
    schema = Settings.model_json_schema()
    models = (schema, *schema.get("$defs", {}).values())
    return frozenset(name for model in models for name in model.get("properties", {}))


def _platform_key(name: str, message: str) -> Key:
    chart = next((key for word, key in _CHARTS.items() if name.endswith(word)), None)
    section = next((section for word, section in _PLATFORM if word in name), "")
    if chart and _CHART_WORDS.search(message):
        return Key(key=f"charts.{chart}", hint=f"or the settings that it is given, in `{section}`")
    if "exceeded quota" in message:
        return Key(key="namespace.quota")
    if _NOT_REACHED.search(message):
        return Key(key="cluster", hint="the cluster's API server cannot be used; nothing is wrong with this resource")
    return Key(key=section)


def engine_failures(step: str, errors: Iterable[tuple[str, str]], *, pools: Iterable[str]) -> tuple[Failure, ...]:
    """Return a failure for each error that the engine told, without the ones that only follow from others.

    Args:
        step: name of the rehearsal's step.
        errors: URN and text of each.
        pools: names of the node pools.
    """
    known, made = list(pools), {}
    for urn, message in errors:
        if type_of(urn) == "pulumi:pulumi:Stack" if urn else True:
            what = "the program"
        else:
            what = f"{type_of(urn).split(':')[-1]} {name_of(urn)}"
        found = key_for("" if what == "the program" else urn, message, pools=known)
        made.setdefault((what, message), Failure(step=step, what=what, message=message, key=found.key, hint=found.hint))
    # "update failed" stands beside the error itself.
    every = [one for one in made.values() if one.message != "update failed"]
    return tuple(every or made.values())


def pod_failure(step: str, pod: Pod, settings: Settings) -> Failure:
    """Return the failure for a pod that does not run, with the key of what it asks for too much of."""
    key = pod_key(pod, settings)
    what = f"pod {pod.namespace}/{pod.name}"
    if pod.role != "platform":
        what = f"{pod.role} of profile {pod.profile}"
    reason = pod.reason or ("on a node, but not Ready" if pod.node else "not placed on any node yet")
    return Failure(step=step, what=what, message=reason, key=key.key, hint=key.hint)


def _size_key(profile: Any, word: str, guarantee: str) -> str:
    """Return the key of a profile of servers that says how much cpu or memory is reserved."""
    if profile.sizes:
        return "sizes"
    if profile.is_share:
        return "users_per_node"
    # The limit is reserved where no guarantee is given.
    return f"{word}.limit" if getattr(profile, word).guarantee is None else guarantee


def pod_key(pod: Pod, settings: Settings) -> Key:
    """Return the key of what keeps a pod from its place, by the scheduler's words."""
    lists: Mapping[str, Any] = {"user": settings.jupyterhub.profiles, "worker": settings.dask.profiles}
    place = next((index for index, one in enumerate(lists.get(pod.role, ())) if one.name == pod.profile), None)
    if place is None:
        return Key(key="cluster.node_pools.general", hint="its nodes carry the platform's own pods")
    profile = lists[pod.role][place]
    path = f"{'jupyterhub' if pod.role == 'user' else 'dask'}.profiles[{place}]"
    pool = f"cluster.node_pools.{profile.node_pool}"
    if re.search(r"Insufficient \S+/gpu", pod.reason):
        return Key(key=f"{path}.gpu", hint=f"or {pool}: its nodes have not as many GPUs to give")
    for word, user_key, worker_key in (("memory", "memory.guarantee", "memory"), ("cpu", "cpu.guarantee", "cores")):
        if f"Insufficient {word}" in pod.reason:
            key = worker_key
            if pod.role == "user":
                key = _size_key(profile, word, user_key)
            return Key(key=f"{path}.{key}", hint=f"lower it, or take larger nodes in {pool}")
    if "Too many pods" in pod.reason:
        return Key(key=f"{pool}.max", hint="every node has as many pods as it may")
    if "node affinity" in pod.reason or "untolerated taint" in pod.reason or "node selector" in pod.reason:
        return Key(key=f"{path}.node_pool", hint=f"no node is there for it; see {pool}")
    return Key(key=path)
