"""Name, address, certificate, storage, culling: what the hub as a whole is set to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from qhub.migrate.moving import Moving, Path, slug
from qhub.migrate.rules import Table, no_counterpart, to, walk
from qhub.migrate.secrecy import without_secrets

ISSUERS = {
    "lets-encrypt": "letsencrypt",
    "self-signed": "self-signed",
    "existing": "existing-secret",
    "disabled": "none",
}
#: The chart's own key -> ours, of `cull`.
_CULL: Table = {
    "enabled": to("enabled"),
    "timeout": to("timeout"),
    "every": to("every"),
    "maxAge": to("max_age"),
    "users": to("users"),
    "*": no_counterpart("JupyterHub's culler takes timeout, every, max_age and users here"),
}


def domain(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """Where people find the hub. QHub before 0.3 had it at jupyter.<domain>, as the callback URL says."""
    security = moving.document.data.get("security")
    sign_in = security.get("authentication") if isinstance(security, Mapping) else None
    config = sign_in.get("config") if isinstance(sign_in, Mapping) else None
    callback = config.get("oauth_callback_url") if isinstance(config, Mapping) else None
    host = _host(str(callback))
    if host and host != value and host.endswith(f".{value}"):
        moving.put(("domain",), host)
        moving.note("changed", path, f"people found the hub at {host}, as oauth_callback_url says")
    elif value:
        moving.put(("domain",), str(value).lower())


def project_name(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """Names the cluster; one that is there keeps its own."""
    if moving.provider != "existing":
        moving.put(("cluster", "name"), slug(value))


def namespace(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """On a cluster that is there, theirs is in use."""
    if moving.provider == "existing":
        moving.note("changed", path, "theirs is in it: QHub takes a namespace of its own, qhub")
    else:
        moving.put(("namespace", "name"), slug(value))


def certificate_type(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """Who vouches for the address."""
    if str(value) in ISSUERS:
        # acme_server may have said so already.
        staging = moving.get(("certificates", "issuer")) == "letsencrypt-staging" and value == "lets-encrypt"
        moving.put(("certificates", "issuer"), "letsencrypt-staging" if staging else ISSUERS[str(value)])
    else:
        moving.note("asked", path, f"{value} is not known: `qhub explain certificates.issuer`")


def acme_server(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """Let's Encrypt has two servers; others are not asked."""
    if "staging" in str(value):
        moving.put(("certificates", "issuer"), "letsencrypt-staging")
    elif "letsencrypt.org" not in str(value):
        moving.note("lost", path, "only Let's Encrypt is asked; with a certificate of yours: issuer existing-secret")


def storage_type(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """Where homes are."""
    if value == "efs":
        moving.put(("storage", "kind"), "managed")
    elif value == "cephfs":
        moving.put(("storage", "kind"), "nfs-server")
        moving.note(
            "changed",
            path,
            "QHub brings no Ceph: homes are on an NFS server; a CephFS class of the cluster's: kind storage-class",
        )
    else:
        moving.put(("storage", "kind"), "nfs-server")


def annotations(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """Of the load balancer."""
    moving.put(("ingress", "service", "annotations"), {key: str(word) for key, word in value.items()})


def idle(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """A server of theirs ends itself after its kernels: both times together, in minutes."""
    minutes = [value.get(key, 15) for key in ("kernel_cull_idle_timeout", "server_shutdown_no_activity_timeout")]
    if not all(isinstance(one, int | float) for one in minutes):
        moving.note("asked", path, "has something other than minutes: `qhub explain jupyterhub.cull`")
        return
    moving.put(("jupyterhub", "cull", "timeout"), int(sum(minutes) * 60))
    moving.note(
        "changed",
        path,
        f"the hub stops a server {sum(minutes)} minutes after its last activity, kernels and terminals with it",
    )


def chart_values(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """`jupyterhub.overrides`: values of the same chart. What may be a secret is left out."""
    values = dict(value)
    cull = values.pop("cull", None)
    if isinstance(cull, Mapping):
        walk(moving, _CULL, cull, path=(*path, "cull"), under=("jupyterhub", "cull"), top=len(path) + 1)
    kept = without_secrets(moving, path, values)
    if kept:
        moving.put(("charts", "jupyterhub", "overrides"), kept)
        moving.note(
            "changed", path, "go to the chart as they are, over QHub's own values: look at each, nothing checks them"
        )


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""  # no address: the domain stays as it is
