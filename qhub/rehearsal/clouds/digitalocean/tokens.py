"""Type tokens of the simulated DigitalOcean, and checks that several of its types share."""

from __future__ import annotations

from qhub.config.regions import regions
from qhub.rehearsal.clouds.resource import Check
from qhub.rehearsal.clouds.rules import matches, one_of

VPC = "digitalocean:index/vpc:Vpc"
CLUSTER = "digitalocean:index/kubernetesCluster:KubernetesCluster"
NODE_POOL = "digitalocean:index/kubernetesNodePool:KubernetesNodePool"
NFS = "digitalocean:index/nfs:Nfs"
DOMAIN = "digitalocean:index/domain:Domain"
DNS_RECORD = "digitalocean:index/dnsRecord:DnsRecord"
REGISTRY = "digitalocean:index/containerRegistry:ContainerRegistry"

#: When things in the simulated cloud were made: a date that is always the same shows no difference.
CREATED = "2026-01-01 00:00:00 +0000 UTC"


def region() -> Check:
    """Return the check of `region`."""
    return one_of("region", regions("digitalocean"), "a region of DigitalOcean")


def tags(path: str = "tags[*]") -> Check:
    """Return the check of tags (terraform-provider-digitalocean, `digitalocean/tag/tags.go`)."""
    return matches(path, r"[A-Za-z0-9:_-]{1,255}", "1 to 255 letters, digits, '-', '_' and ':'")
