"""What is allowed in the settings but worth a thought."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qhub.config.charts import value_at
from qhub.config.environments import names_an_account, unpinned
from qhub.config.model import Path, dotted
from qhub.config.names import is_documentation_domain, is_public_domain

if TYPE_CHECKING:
    from qhub.config.node_pools import NodePool
    from qhub.config.resources import Image
    from qhub.config.settings import Settings


@dataclass(frozen=True)
class SettingsWarning:
    """A setting that works but may not be what is wanted.

    Attributes:
        key: the setting, as `pulumi config --path` writes it.
        message: what about it, and what to write instead.
        file: name of the file that has it; None where it is not known.
        line: line in the file, from 1; None for a default, which stands nowhere.
        column: column in that line, from 1.
    """

    key: str
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None

    @property
    def place(self) -> str:
        """`file:line:column`, as editors and terminals open it; as much of it as is known."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)

    def __str__(self) -> str:
        text = f"{self.key}: {self.message}"
        return f"{self.place}  {text}" if self.place else text


def advise(settings: Settings) -> tuple[SettingsWarning, ...]:
    """Return the warnings for settings that passed every check."""
    return tuple(
        SettingsWarning(key, message)
        for topic in (
            _ingress,
            _authentication,
            _certificates,
            _storage,
            _network,
            _profiles,
            _gpus,
            _spot,
            _environments,
        )
        for key, message in topic(settings)
    )


def _ingress(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.ingress.controller == "ingress-nginx":
        yield (
            "ingress.controller",
            "ingress-nginx was retired in March 2026 and gets no security fixes; write `controller: traefik` to switch "
            "(one line, the address stays), or run `pulumi config set --path qhub:ingress.controller traefik`",
        )


def _authentication(settings: Settings) -> Iterator[tuple[str, str]]:
    authentication = settings.authentication
    public = is_public_domain(settings.domain)
    if authentication.type == "dummy":
        if authentication.password is None:
            yield (
                "authentication.password",
                "anyone who reaches the hub may sign in under any name; set one password for all with "
                "`pulumi config set --path --secret qhub:authentication.password`",
            )
        if public:
            yield (
                "authentication.type",
                f"dummy does not check who somebody is, and {settings.domain} is a public name; use `type: github`",
            )
    elif authentication.allow_all and not getattr(authentication, "hosted_domains", ()):
        yield "authentication.allow_all", "everyone with an account there may sign in and run programs"


def _certificates(settings: Settings) -> Iterator[tuple[str, str]]:
    issuer, domain = settings.certificates.issuer, settings.domain
    if is_documentation_domain(domain):
        yield "domain", f"{domain} is a name for examples: nobody can reach it; write your own"
    if issuer in ("self-signed", "letsencrypt-staging") and is_public_domain(domain):
        yield (
            "certificates.issuer",
            f"browsers warn about a {issuer} certificate; write `issuer: letsencrypt` once {domain} points to the hub",
        )
    if settings.certificates.acme and not settings.certificates.dns01 and settings.ingress.service.source_ranges:
        yield (
            "ingress.service.source_ranges",
            "Let's Encrypt connects from addresses that it does not tell: with http01 it gets no answer; write "
            "`certificates.challenge: dns01`",
        )
    if issuer == "none":
        yield "certificates.issuer", "passwords and notebooks cross the network in the clear unless TLS ends elsewhere"


def _storage(settings: Settings) -> Iterator[tuple[str, str]]:
    storage = settings.storage
    if storage.kind != "existing-claim" and not storage.protect and is_public_domain(settings.domain):
        yield "storage.protect", "`pulumi destroy` will delete every home folder; write `protect: true` to keep them"


def _network(settings: Settings) -> Iterator[tuple[str, str]]:
    cluster, homes = settings.cluster, settings.storage.kind
    enforced = cluster.provider != "existing" or cluster.enforces_network_policies
    if not enforced and homes in ("nfs-server", "managed") and is_public_domain(settings.domain):
        yield (
            "cluster.enforces_network_policies",
            "without network policies any notebook reads every home: look at the cluster's network plug-in (Calico, "
            "Cilium, k3s, kind from 0.24 enforce them; flannel alone, minikube's default do not), then write true",
        )
    overrides, policy = settings.charts.jupyterhub.overrides, "singleuser.networkPolicy"
    if (
        value_at(overrides, f"{policy}.egress") is not None
        and value_at(overrides, f"{policy}.egressAllowRules.nonPrivateIPs") is None
    ):
        yield (
            "charts.jupyterhub.overrides",
            "singleuser.networkPolicy.egress replaces the rules that let servers out to the internet; write "
            "`egressAllowRules: {nonPrivateIPs: true}` beside it to open all of it, or `false` to keep it shut",
        )


def _profiles(settings: Settings) -> Iterator[tuple[str, str]]:
    hub, dask, pools = settings.jupyterhub, settings.dask, settings.cluster.pools
    for place, profile in enumerate(hub.profiles):
        path: Path = ("jupyterhub", "profiles", place)
        pool = pools[profile.node_pool]
        for at, image in profile.every_image(hub.image):
            yield from _unsaid(
                dotted((*path, *(at if at[0] == "images" else ("node_pool",)))), image, profile.node_pool, pool
            )
        for at, size in profile.every_size():
            cpu = size.cpu
            if pool.cpu is not None and not size.is_share and cpu.guarantee is not None and cpu.limit > pool.cpu:
                yield (
                    dotted((*path, *at, "cpu", "limit")),
                    f"{cpu.limit:g} cores are never to be had on a node of pool {profile.node_pool}, which has "
                    f"{pool.cpu:g}; lower it, or choose a pool of larger nodes",
                )
    for place, worker in enumerate(dask.profiles):
        at = f"dask.profiles[{place}].node_pool"
        yield from _unsaid(at, dask.image, worker.node_pool, pools[worker.node_pool])


def _gpus(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield the profiles on nodes with GPUs that ask for none: a pod gets no more than it asks for."""
    pools = settings.cluster.pools
    sections = (("jupyterhub", settings.jupyterhub.profiles), ("dask", settings.dask.profiles))
    for section, place, profile in ((name, *each) for name, profiles in sections for each in enumerate(profiles)):
        if pools[profile.node_pool].gpu is not None and profile.gpu is None:
            yield (
                f"{section}.profiles[{place}].node_pool",
                f"nodes of pool {profile.node_pool} have GPUs, and profile {profile.name} asks for none: write "
                "`gpu: {count: 1}` beside it, or choose a pool without",
            )


def _environments(settings: Settings) -> Iterator[tuple[str, str]]:
    index = settings.environments.index_url
    if index is not None and names_an_account(index):
        yield (
            "environments.index_url",
            "the user, token or password in this address stands in clear in this file, in the state of the stack and "
            "in the Jobs that install; use an index that asks the cluster's network for none",
        )
    for name, environment in settings.environments.named.items():
        if loose := unpinned(environment):
            yield (
                f"environments.named.{name}.packages",
                f"{', '.join(loose)} may be another version tomorrow; write {loose[0].split()[0]}==VERSION",
            )


def _unsaid(key: str, image: Image, name: str, pool: NodePool) -> Iterator[tuple[str, str]]:
    architecture = pool.architecture
    if architecture != "amd64" and not image.architectures:
        yield (
            key,
            f"nodes of pool {name} are {architecture}, which not every image is built for; where {image.reference} is, "
            f"say so with `architectures: [amd64, {architecture}]` beside its name",
        )


def _spot(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield what could put a Dask scheduler, or the hub, on a node that the provider takes away."""
    pools = settings.cluster.pools
    anywhere = not pools["general"].node_selector and not pools["general"].spot
    for name, pool in pools.items():
        # A pool without taints takes every pod that may be on any node.
        if anywhere and pool.spot and not pool.tolerations:
            yield (
                f"cluster.node_pools.{name}.spot",
                "the hub and Dask schedulers may land on these nodes and go with them: give pool general a "
                f"node_selector, or the nodes of {name} a taint and this pool its toleration",
            )
