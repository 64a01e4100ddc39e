"""The zone of the hub's name, a domain of the DigitalOcean account, and the record.

Pods have no identity of their own on DigitalOcean: to write into the zone, cert-manager is given a token.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import pulumi
import pulumi_digitalocean as digitalocean

from qhub.clouds.cluster import DnsToken, DnsZone
from qhub.clouds.dns import RECORD_TTL, name_in_zone

if TYPE_CHECKING:
    from qhub.config.dns import DigitalOceanDns as DigitalOceanDnsSection


@dataclass(frozen=True, kw_only=True)
class DigitalOceanDnsArgs:
    """What is known of the zone.

    Attributes:
        section: the `dns` section.
        domain: the hub's name.
        dns01: cert-manager is to write into the zone.
    """

    section: DigitalOceanDnsSection
    domain: str
    dns01: bool


class DigitalOceanDns(pulumi.ComponentResource):
    """What is made for a zone that is there already; it is looked up by its domain, and `preview` tells if it is not.

    Creates:
        nothing itself.

    Attributes:
        zone: for the contract with the platform, which makes the record: a `DigitalOceanDnsRecord`.
    """

    zone: DnsZone

    def __init__(self, name: str, args: DigitalOceanDnsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:digitalocean:Dns", name, None, opts)
        section = args.section
        found = digitalocean.get_domain_output(name=section.zone, opts=pulumi.InvokeOutputOptions(parent=self))
        self.zone = DnsZone()
        if args.dns01 and section.token is not None:
            token = DnsToken(value=pulumi.Output.secret(section.token.get_secret_value()))
            self.zone = DnsZone(solver={"digitalocean": {"tokenSecretRef": token.reference}}, token=token)
        if section.record:
            point = partial(
                DigitalOceanDnsRecord,
                f"{name}-record",
                relative_name=name_in_zone(args.domain, section.zone),
                zone=found.name,
                opts=opts,
            )
            self.zone = replace(self.zone, point=point)
        self.register_outputs({})


class DigitalOceanDnsRecord(pulumi.ComponentResource):
    """The record of the hub's name.

    Creates:
        DnsRecord.
    """

    def __init__(
        self,
        name: str,
        address: pulumi.Input[str],
        *,
        relative_name: str,
        zone: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the record.

        Args:
            name: logical name.
            address: IP address of the load balancer.
            relative_name: the hub's name without the zone.
            zone: the zone.
            opts: options of the component.
        """
        super().__init__("qhub:digitalocean:DnsRecord", name, None, opts)
        digitalocean.DnsRecord(
            name,
            domain=zone,
            name=relative_name,
            type="A",
            value=address,
            ttl=RECORD_TTL,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
