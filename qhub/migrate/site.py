"""Name, address, certificate, storage, culling: what the hub as a whole is set to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from qhub.migrate import culling
from qhub.migrate.moving import Moving, Path, slug
from qhub.migrate.rules import of
from qhub.migrate.secrecy import without_secrets

ISSUERS = {
    "lets-encrypt": "letsencrypt",
    "self-signed": "self-signed",
    "existing": "existing-secret",
    "disabled": "none",
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
    """Where homes are; null is as if it were not there (`usual`)."""
    kind = {"efs": "managed", "nfs": "nfs-server", "cephfs": "nfs-server"}.get(str(value))
    if kind is not None:
        moving.put(("storage", "kind"), kind)
    elif value is not None:
        moving.note("asked", path, f"{value} is not known: `qhub explain storage.kind`")
    if value == "cephfs":
        moving.note(
            "changed",
            path,
            "QHub brings no Ceph: homes are on an NFS server; a CephFS class of the cluster's: kind storage-class",
        )


def annotations(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """Of the load balancer."""
    moving.put(("ingress", "service", "annotations"), {key: str(word) for key, word in value.items()})


def chart_values(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """`jupyterhub.overrides`: values of the same chart. What may be a secret is left out."""
    values = dict(value)
    of(Mapping, culling.hub)(moving, (*path, "cull"), values.pop("cull", None), under)
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
