"""Where the hub's name is managed: who makes its DNS record, and proves to Let's Encrypt that the name is ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from qhub.config.authentication.base import Secret
from qhub.config.azure import GroupName as ResourceGroupName
from qhub.config.gcp import ProjectId
from qhub.config.model import Expected, Problem, Section
from qhub.config.names import DomainName

if TYPE_CHECKING:
    from qhub.config.certificates import Certificates
    from qhub.config.ingress import Ingress

#: cloud.google.com/dns/docs/reference/rest/v1/managedZones, `name`.
ManagedZoneName = Annotated[
    str,
    Field(pattern=r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"),
    Expected("the name of a managed zone (not its domain), for example example-org"),
]


class NoDns(Section):
    """Nobody but a person: the record is made by hand, from the output `load_balancer`."""

    provider: Literal["none"] = Field(default="none", description="Who manages the zone.")

    @property
    def makes_record(self) -> bool:
        """Whether the record of the domain is made."""
        return False


class Zone(Section):
    """A zone that is there already. What is made in it is the record of the hub's name, and nothing else."""

    zone: DomainName = Field(description="Domain of the zone, for example example.org; `domain` lies in it.")
    record: bool = Field(
        default=True,
        description="Make the record of `domain`, which leads to the load balancer; false leaves that to you.",
    )

    @property
    def makes_record(self) -> bool:
        """Whether the record of the domain is made."""
        return self.record


class Route53(Zone):
    """A public hosted zone on Route 53, in the account of the cluster."""

    provider: Literal["route53"] = Field(description="Who manages the zone.")


class CloudDns(Zone):
    """A public managed zone on Google's Cloud DNS."""

    provider: Literal["cloud-dns"] = Field(description="Who manages the zone.")
    managed_zone: ManagedZoneName = Field(
        description="Name of the zone in Cloud DNS, as `gcloud dns managed-zones list` shows it."
    )
    project: ProjectId | None = Field(default=None, description="Project of the zone; null takes the cluster's.")


class DigitalOceanDns(Zone):
    """A domain of the DigitalOcean account."""

    provider: Literal["digitalocean"] = Field(description="Who manages the zone.")
    token: Secret | None = Field(
        default=None,
        description="API token with which cert-manager writes into the zone (secret), for `challenge: dns01` alone. "
        "Its scopes: create, read, update and delete of `domain`.",
    )


class AzureDns(Zone):
    """A public zone on Azure DNS, in the subscription of the cluster."""

    provider: Literal["azure-dns"] = Field(description="Who manages the zone.")
    resource_group: ResourceGroupName = Field(description="Resource group of the zone.")


class CloudflareDns(Zone):
    """A zone on Cloudflare, for a cluster on any cloud or on none."""

    provider: Literal["cloudflare"] = Field(description="Who manages the zone.")
    token: Secret = Field(
        description="API token with which the record is made and cert-manager writes into the zone (secret). Its "
        "permissions: Zone/Zone/Read and Zone/DNS/Edit, of this zone.",
    )


#: Any of the sections, for functions that take what was chosen.
AnyDns = NoDns | Route53 | CloudDns | DigitalOceanDns | AzureDns | CloudflareDns


def _provider(value: Any) -> Any:
    """Return who manages the zone; a section without `provider` has none."""
    return value.get("provider", "none") if isinstance(value, dict) else getattr(value, "provider", "none")


Dns = Annotated[
    Annotated[NoDns, Tag("none")]
    | Annotated[Route53, Tag("route53")]
    | Annotated[CloudDns, Tag("cloud-dns")]
    | Annotated[DigitalOceanDns, Tag("digitalocean")]
    | Annotated[AzureDns, Tag("azure-dns")]
    | Annotated[CloudflareDns, Tag("cloudflare")],
    Discriminator(_provider),
]

#: Cloud of a cluster -> its own DNS.
DNS_OF = {"aws": "route53", "gcp": "cloud-dns", "digitalocean": "digitalocean", "azure": "azure-dns"}
#: The other way round.
_CLOUD_OF = {dns: cloud for cloud, dns in DNS_OF.items()}


def zone_is_where_the_cluster_is(dns: AnyDns, cluster: Any) -> Iterator[Problem]:
    """A cloud's DNS is written to with identities of that cloud, which a cluster elsewhere lacks."""
    cloud, own = _CLOUD_OF.get(dns.provider), DNS_OF.get(cluster.provider)
    if cloud is None or cloud == cluster.provider:
        return
    instead = f"{own}, that cloud's own, or cloudflare" if own else "cloudflare, or none and make the record yourself"
    where = f"is on {cluster.provider}" if own else "was there already"
    yield Problem(
        ("dns", "provider"),
        f"{dns.provider} is the DNS of {cloud}, and the cluster {where}: write {instead}",
        nearest=own or "cloudflare",
    )


def domain_lies_in_the_zone(domain: str, dns: AnyDns) -> Iterator[Problem]:
    """A zone has records of names below it, and of its own name."""
    if isinstance(dns, NoDns):
        return
    if domain != dns.zone and not domain.endswith(f".{dns.zone}"):
        above = domain.partition(".")[2] or domain
        yield Problem(("dns", "zone"), f"{domain} is not in {dns.zone}: write the zone that has it, such as {above}")


def record_leads_somewhere(dns: AnyDns, ingress: Ingress) -> Iterator[Problem]:
    """Only a load balancer has an address that is known to the program."""
    if dns.makes_record and ingress.service.type != "LoadBalancer":
        yield Problem(
            ("dns", "record"),
            f"a Service of type {ingress.service.type} has no address that a record could lead to: write "
            "`record: false` and make it yourself, or `type: LoadBalancer`",
        )


def dns01_has_a_zone(certificates: Certificates, dns: AnyDns) -> Iterator[Problem]:
    """With DNS-01, cert-manager writes into the zone: it has to be known which, and to have the right to."""
    if certificates.dns01 and isinstance(dns, NoDns):
        yield Problem(
            ("certificates", "challenge"),
            "dns01 writes into the zone of the domain: add a section `dns` with its provider, or write "
            "`challenge: http01`",
        )
    if not isinstance(dns, DigitalOceanDns):
        return
    if certificates.dns01 and dns.token is None:
        yield Problem(
            ("dns", "token"), "challenge dns01 needs an API token: on DigitalOcean, pods have no identity of their own"
        )
    if not certificates.dns01 and dns.token is not None:
        yield Problem(("dns", "token"), "nothing needs it without `challenge: dns01`: remove it")


RULES = (
    (("dns", "cluster"), zone_is_where_the_cluster_is),
    (("domain", "dns"), domain_lies_in_the_zone),
    (("dns", "ingress"), record_leads_somewhere),
    (("certificates", "dns"), dns01_has_a_zone),
)
