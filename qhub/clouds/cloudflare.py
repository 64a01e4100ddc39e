"""The zone of the hub's name on Cloudflare, for a cluster on any cloud or on none, and the record.

The record is a resource of the stack like those on the clouds: a preview shows it, and it goes with the stack.
(external-dns would make it from inside the cluster, out of the preview's sight, with a controller that holds the token
for as long as it runs; destroyed with the stack, it leaves the record behind, which then leads to an address that is
somebody else's.) The SDK is an extra of its own: only who asks for Cloudflare installs it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pulumi
import pulumi_cloudflare as cloudflare

from qhub.clouds.cluster import DnsToken, DnsZone
from qhub.clouds.dns import RECORD_TTL, record_type

if TYPE_CHECKING:
    from qhub.config import Settings
    from qhub.config.dns import CloudflareDns as CloudflareDnsSection


class CloudflareDns(pulumi.ComponentResource):
    """What is made for a zone that is there already; it is looked up by its domain, and `preview` tells if it is not.

    Creates:
        nothing itself.

    Attributes:
        zone: for the contract with the platform, which makes the record: a `CloudflareDnsRecord`.
    """

    zone: DnsZone

    def __init__(
        self,
        name: str,
        *,
        section: CloudflareDnsSection,
        domain: str,
        dns01: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Look the zone up.

        Args:
            name: logical name.
            section: the `dns` section.
            domain: the hub's name.
            dns01: cert-manager is to write into the zone.
            opts: options of the component; its provider is Cloudflare's.
        """
        super().__init__("qhub:cloudflare:Dns", name, None, opts)
        self.zone = DnsZone()
        if dns01:
            token = DnsToken(value=pulumi.Output.secret(section.token.get_secret_value()))
            self.zone = DnsZone(solver={"cloudflare": {"apiTokenSecretRef": token.reference}}, token=token)
        if section.record:
            found = cloudflare.get_zone_output(
                filter={"name": section.zone, "match": "all"}, opts=pulumi.InvokeOutputOptions(parent=self)
            )
            point = partial(CloudflareDnsRecord, f"{name}-record", domain=domain, zone_id=found.zone_id, opts=opts)
            self.zone = replace(self.zone, point=point)
        self.register_outputs({})


class CloudflareDnsRecord(pulumi.ComponentResource):
    """The record of the hub's name.

    Creates:
        DnsRecord: of an address, or of a host name where the cluster's cloud gives load balancers those.
    """

    def __init__(
        self,
        name: str,
        address: pulumi.Output[str],
        *,
        domain: str,
        zone_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the record.

        Args:
            name: logical name.
            address: IP address or host name of the load balancer.
            domain: the hub's name.
            zone_id: the zone.
            opts: options of the component.
        """
        super().__init__("qhub:cloudflare:DnsRecord", name, None, opts)
        cloudflare.DnsRecord(
            name,
            zone_id=zone_id,
            name=domain,
            type=address.apply(record_type),
            content=address,
            ttl=RECORD_TTL,
            # Its proxy would end TLS before the hub does, and sees everything. Who wants it makes the record.
            proxied=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def make_zone(settings: Settings, section: CloudflareDnsSection, *, opts: pulumi.ResourceOptions | None) -> DnsZone:
    """Return the zone, with a provider of its own.

    Creates:
        Cloudflare's provider, `CloudflareDns`.
    """
    provider = cloudflare.Provider(
        "cloudflare", api_token=pulumi.Output.secret(section.token.get_secret_value()), opts=opts
    )
    own = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(providers=[provider]))
    dns01 = settings.certificates.dns01
    return CloudflareDns("dns", section=section, domain=settings.domain, dns01=dns01, opts=own).zone
