"""The zone of the hub's name on Azure DNS, cert-manager's rights in it, and the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import pulumi
import pulumi_azure_native as azure

from qhub.clouds.azure.identity import DNS_ZONE_CONTRIBUTOR, grant
from qhub.clouds.cluster import CERT_MANAGER, DnsZone
from qhub.clouds.dns import RECORD_TTL, name_in_zone

if TYPE_CHECKING:
    from pulumi_azure_native.dns import GetZoneResult

    from qhub.config.dns import AzureDns as AzureDnsSection

#: For whom a token has to be that an identity trusts, and what has a pod handed one
#: (learn.microsoft.com/azure/aks/workload-identity-deploy-cluster).
AUDIENCE = "api://AzureADTokenExchange"
POD_LABELS = {"azure.workload.identity/use": "true"}


@dataclass(frozen=True, kw_only=True)
class AzureDnsArgs:
    """What is known of the zone.

    Attributes:
        section: the `dns` section.
        domain: the hub's name.
        cluster_name: first part of the identity's name.
        location: region of the identity.
        resource_group: name of the identity's resource group.
        issuer: the cluster's OIDC issuer.
        dns01: cert-manager is to write into the zone.
        tags: tags.
    """

    section: AzureDnsSection
    domain: str
    cluster_name: str
    location: str
    resource_group: pulumi.Input[str]
    issuer: pulumi.Input[str]
    dns01: bool
    tags: Mapping[str, str]


class AzureDns(pulumi.ComponentResource):
    """What is made for a zone that is there already; it is looked up by its domain, and `preview` tells if it is not.

    Creates:
        with DNS-01: UserAssignedIdentity, FederatedIdentityCredential (cert-manager's service account acts as it),
        RoleAssignment (it writes into this zone).

    Attributes:
        zone: for the contract with the platform, which makes the record: an `AzureDnsRecord`.
    """

    zone: DnsZone

    def __init__(self, name: str, args: AzureDnsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:azure:Dns", name, None, opts)
        found = azure.dns.get_zone_output(
            resource_group_name=args.section.resource_group,
            zone_name=args.section.zone,
            opts=pulumi.InvokeOutputOptions(parent=self),
        )
        self.zone = self._access(name, args, found) if args.dns01 else DnsZone()
        if args.section.record:
            point = partial(
                AzureDnsRecord, f"{name}-record", domain=args.domain, section=args.section, zone=found, opts=opts
            )
            self.zone = replace(self.zone, point=point)
        self.register_outputs({})

    def _access(self, name: str, args: AzureDnsArgs, found: pulumi.Output[GetZoneResult]) -> DnsZone:
        """Let cert-manager write into the zone."""
        identity = azure.managedidentity.UserAssignedIdentity(
            f"{name}-solver",
            resource_name_=f"{args.cluster_name}-dns",
            resource_group_name=args.resource_group,
            location=args.location,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        acts = azure.managedidentity.FederatedIdentityCredential(
            f"{name}-solver-acts",
            federated_identity_credential_resource_name=CERT_MANAGER,
            resource_group_name=args.resource_group,
            resource_name_=identity.name,
            issuer=args.issuer,
            subject=f"system:serviceaccount:{CERT_MANAGER}:{CERT_MANAGER}",
            audiences=[AUDIENCE],
            opts=pulumi.ResourceOptions(parent=self),
        )
        writes = grant(
            f"{name}-solver-writes",
            role=DNS_ZONE_CONTRIBUTOR,
            scope=found.id,
            principal_id=identity.principal_id,
            parent=self,
        )
        solver = {
            "subscriptionID": found.id.apply(subscription_of),
            "resourceGroupName": args.section.resource_group,
            "hostedZoneName": args.section.zone,
            "managedIdentity": {"clientID": identity.client_id},
        }
        return DnsZone(solver={"azureDNS": solver}, pod_labels=POD_LABELS, ready=(acts, writes))


class AzureDnsRecord(pulumi.ComponentResource):
    """The record of the hub's name.

    Creates:
        RecordSet.
    """

    def __init__(
        self,
        name: str,
        address: pulumi.Input[str],
        *,
        domain: str,
        section: AzureDnsSection,
        zone: pulumi.Output[GetZoneResult],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the record.

        Args:
            name: logical name.
            address: IP address of the load balancer.
            domain: the hub's name.
            section: the `dns` section.
            zone: the zone.
            opts: options of the component.
        """
        super().__init__("qhub:azure:DnsRecord", name, None, opts)
        azure.dns.RecordSet(
            name,
            resource_group_name=section.resource_group,
            zone_name=zone.name,
            relative_record_set_name=name_in_zone(domain, section.zone),
            record_type="A",
            ttl=RECORD_TTL,
            a_records=[{"ipv4_address": address}],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def subscription_of(resource_id: str) -> str:
    """Return the subscription that a resource is in, from its id."""
    return resource_id.split("/")[2]
