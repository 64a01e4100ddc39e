"""The zone of the hub's name on Cloud DNS, cert-manager's rights in it, and the record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import pulumi
import pulumi_gcp as gcp

from qhub.clouds.cluster import CERT_MANAGER, DnsZone
from qhub.clouds.dns import RECORD_TTL
from qhub.clouds.gcp.naming import account_id

if TYPE_CHECKING:
    from pulumi_gcp.dns import GetManagedZoneResult

    from qhub.config import gcp as config
    from qhub.config.dns import CloudDns

#: Records of the zone that it is granted for, and of no other (cloud.google.com/dns/docs/access-control).
WRITER = "roles/dns.admin"
#: Lets a service account of Kubernetes act as one of Google's
#: (cloud.google.com/kubernetes-engine/docs/how-to/workload-identity).
ACTS_AS = "roles/iam.workloadIdentityUser"


@dataclass(frozen=True, kw_only=True)
class GcpDnsArgs:
    """What is known of the zone.

    Attributes:
        section: the `dns` section.
        domain: the hub's name.
        cluster: the `cluster` section.
        gke: the cluster. It needs the services (APIs) that an account does, and with the first one of a project comes
            the pool of identities that cert-manager's is in.
        dns01: cert-manager is to write into the zone.
    """

    section: CloudDns
    domain: str
    cluster: config.GcpCluster
    gke: pulumi.Resource
    dns01: bool


class GcpDns(pulumi.ComponentResource):
    """What is made for a zone that is there already; it is looked up by its name, and `preview` tells if it is not.

    Creates:
        with DNS-01: Account, IAMMember (cert-manager's service account acts as it), DnsManagedZoneIamMember (it writes
        into this zone).

    Attributes:
        zone: for the contract with the platform, which makes the record: a `GcpDnsRecord`.
    """

    zone: DnsZone

    def __init__(self, name: str, args: GcpDnsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:gcp:Dns", name, None, opts)
        project = args.section.project or args.cluster.project
        found = gcp.dns.get_managed_zone_output(
            name=args.section.managed_zone, project=project, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        self.zone = self._access(name, args, project) if args.dns01 else DnsZone()
        if args.section.record:
            point = partial(GcpDnsRecord, f"{name}-record", domain=args.domain, zone=found, opts=opts)
            self.zone = replace(self.zone, point=point)
        self.register_outputs({})

    def _access(self, name: str, args: GcpDnsArgs, project: str) -> DnsZone:
        """Let cert-manager write into the zone."""
        account = gcp.serviceaccount.Account(
            f"{name}-solver",
            account_id=account_id(args.cluster.name, "dns"),
            display_name=f"cert-manager of {args.cluster.name}",
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args.gke]),
        )
        acts = gcp.serviceaccount.IAMMember(
            f"{name}-solver-acts",
            service_account_id=account.name,
            role=ACTS_AS,
            member=f"serviceAccount:{args.cluster.project}.svc.id.goog[{CERT_MANAGER}/{CERT_MANAGER}]",
            opts=pulumi.ResourceOptions(parent=self),
        )
        writes = gcp.dns.DnsManagedZoneIamMember(
            f"{name}-solver-writes",
            managed_zone=args.section.managed_zone,
            project=project,
            role=WRITER,
            member=account.member,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return DnsZone(
            # With the zone's name, it need not be looked for, which takes a right in the whole project.
            solver={"cloudDNS": {"project": project, "hostedZoneName": args.section.managed_zone}},
            service_account_annotations={"iam.gke.io/gcp-service-account": account.email},
            ready=(acts, writes),
        )


class GcpDnsRecord(pulumi.ComponentResource):
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
        zone: pulumi.Output[GetManagedZoneResult],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the record.

        Args:
            name: logical name.
            address: IP address of the load balancer.
            domain: the hub's name.
            zone: the zone.
            opts: options of the component.
        """
        super().__init__("qhub:gcp:DnsRecord", name, None, opts)
        gcp.dns.RecordSet(
            name,
            managed_zone=zone.name,
            project=zone.project,
            name=f"{domain}.",
            type="A",
            ttl=RECORD_TTL,
            rrdatas=[address],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
