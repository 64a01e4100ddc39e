"""What a stack on an embedded cluster with a real node needs besides: its images, and the way in from a browser.

| step of `make up` | does |
|---|---|
| `choose_kind` | real where this machine can run one, else simulated, and says why |
| `check` | refuses settings whose programs cannot be had here, before anything is made |
| `image_names` | which images its pods ask for |
| `entrance` | the URL to open: a port on 127.0.0.1 that leads to the ingress |
| `terminals` | the same for SSH: what to type |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from qhub.config.mistakes import Mistake, SettingsError
from qhub.rehearsal import images, node
from qhub.rehearsal.cluster import ClusterError, EmbeddedCluster
from qhub.rehearsal.node_kinds import NodeKind

if TYPE_CHECKING:
    from qhub.config import Settings

#: In every stack: the hub's own pods, users' pods, and the init containers of both.
ALWAYS = ("hub", "proxy", "notebook", "network-tools", "traefik")

#: What the Service in front of the ingress controller listens on, by the scheme of the hub's address.
PORTS = {"http": 80, "https": 443}


def choose_kind(cluster: EmbeddedCluster, asked: NodeKind | None) -> tuple[NodeKind, str | None]:
    """Return which kind of nodes the cluster gets, and where that is simulated without being asked for, why.

    Args:
        cluster: one that is there keeps its kind.
        asked: what a person said; None takes real nodes where they can run.

    Raises:
        ClusterError: real nodes were asked for and cannot run here.
    """
    known = asked or cluster.kind
    if known == "simulated" or (known and not asked):
        return known, None  # without a look at the machine, which takes a second
    why = node.why_not() or images.why_not()
    if known and why:
        raise ClusterError(f"no real node can run on this machine: {why}. Simulated ones can: --nodes simulated")
    return (known or "real", None) if not why else ("simulated", why)


def check(settings: Settings, *, file: str) -> None:
    """Refuse what cannot run on a real node without a network: programs that are had as images from a registry only.

    Raises:
        SettingsError: with every such setting.
    """
    otherwise = "or run `make up NODES=simulated`"
    mistakes = [Mistake(key, f"{what}, {otherwise}", file=file) for key, what in _impossible(settings)]
    if mistakes:
        raise SettingsError(mistakes, stack=file.removeprefix("Pulumi.").removesuffix(".yaml"))


def _impossible(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.ingress.controller == "ingress-nginx":
        yield "ingress.controller", "ingress-nginx cannot be built here, so no real node can run it: write traefik"
    if settings.certificates.issuer not in ("none", "existing-secret"):
        yield "certificates.issuer", "cert-manager cannot be built here, so no real node can run it: write none"
    if settings.authentication.type == "native":
        # Its nativeauthenticator needs onetimepass, which is published as source only; images are built from wheels.
        yield "authentication.type", "the hub's image here has no accounts of its own: write dummy"
    if settings.storage.kind in ("nfs-server", "managed"):
        yield "storage.kind", "the embedded node mounts no NFS: write storage-class, which takes its own shared class"


def image_names(settings: Settings) -> tuple[str, ...]:
    """Return which images of `images/` the pods of the stack ask for."""
    wanted = {"gateway": settings.dask.enabled, "ssh": settings.ssh.enabled}
    return (*ALWAYS, *(name for name, is_wanted in wanted.items() if is_wanted))


def entrance(cluster: EmbeddedCluster, outputs: Mapping[str, Any]) -> str:
    """Return the URL under which a browser on this machine reaches the hub; it stays while the cluster is kept.

    Args:
        cluster: it runs.
        outputs: of the stack.

    Raises:
        ClusterError: the cluster does not run.
    """
    address = urlsplit(outputs["address"])
    port = cluster.expose(outputs["load_balancer"], PORTS[address.scheme])
    return f"{address.scheme}://{address.hostname}:{port}"


def terminals(cluster: EmbeddedCluster, outputs: Mapping[str, Any]) -> str:
    """Return what to type on this machine for a terminal over SSH.

    Args:
        cluster: it runs.
        outputs: of the stack, with `ssh`.

    Raises:
        ClusterError: the cluster does not run.
    """
    port = cluster.expose(outputs["ssh"]["address"], outputs["ssh"]["port"])
    return f"ssh -p {port} NAME@127.0.0.1"
