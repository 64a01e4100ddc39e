"""The zone of the hub's name on Route 53, cert-manager's rights in it, and the record.

A load balancer on AWS has a host name, whose addresses may change. The record is an alias of it: that may stand at the
top of a zone, where a CNAME may not, and is answered with the addresses at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from qhub.clouds.aws.identity import POD, Roles, document
from qhub.clouds.aws.naming import partition
from qhub.clouds.cluster import CERT_MANAGER, DnsZone

if TYPE_CHECKING:
    from qhub.config.dns import Route53


@dataclass(frozen=True, kw_only=True)
class AwsDnsArgs:
    """What is known of the zone.

    Attributes:
        section: the `dns` section.
        domain: the hub's name.
        cluster_name: of the EKS cluster; an output, so that it is there first.
        roles: makes cert-manager's role.
        dns01: cert-manager is to write into the zone.
    """

    section: Route53
    domain: str
    cluster_name: pulumi.Input[str]
    roles: Roles
    dns01: bool


class AwsDns(pulumi.ComponentResource):
    """What is made for a zone that is there already; it is looked up by its domain, and `preview` tells if it is not.

    Creates:
        with DNS-01: Role with a policy for this zone, PodIdentityAssociation with cert-manager's service account.

    Attributes:
        zone: for the contract with the platform, which makes the record: an `AwsDnsRecord`.
    """

    zone: DnsZone

    def __init__(self, name: str, args: AwsDnsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:aws:Dns", name, None, opts)
        found = aws.route53.get_zone_output(
            name=args.section.zone, private_zone=False, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        self.zone = self._access(name, args, found.zone_id) if args.dns01 else DnsZone()
        if args.section.record:
            point = partial(AwsDnsRecord, f"{name}-record", domain=args.domain, zone_id=found.zone_id, opts=opts)
            self.zone = replace(self.zone, point=point)
        self.register_outputs({})

    def _access(self, name: str, args: AwsDnsArgs, zone_id: pulumi.Output[str]) -> DnsZone:
        """Let cert-manager write into the zone. A pod that starts before the association gets no credentials."""
        role = args.roles.make(
            name,
            "dns",
            service=POD,
            rights=zone_id.apply(lambda known: document(solver_rights(known, region=args.roles.region))),
            parent=self,
        )
        association = aws.eks.PodIdentityAssociation(
            name,
            cluster_name=args.cluster_name,
            namespace=CERT_MANAGER,
            service_account=CERT_MANAGER,
            role_arn=role.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(role.ready)),
        )
        return DnsZone(solver={"route53": {"region": args.roles.region, "hostedZoneID": zone_id}}, ready=(association,))


class AwsDnsRecord(pulumi.ComponentResource):
    """The record of the hub's name.

    Creates:
        Record, an alias of the Network Load Balancer.
    """

    def __init__(
        self,
        name: str,
        address: pulumi.Input[str],
        *,
        domain: str,
        zone_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the record.

        Args:
            name: logical name.
            address: host name of the load balancer.
            domain: the hub's name.
            zone_id: the zone.
            opts: options of the component.
        """
        super().__init__("qhub:aws:DnsRecord", name, None, opts)
        # Of the zone in which AWS keeps the names of all such load balancers of a region.
        theirs = aws.lb.get_hosted_zone_id_output(
            load_balancer_type="network", opts=pulumi.InvokeOutputOptions(parent=self)
        )
        aws.route53.Record(
            name,
            zone_id=zone_id,
            name=domain,
            type="A",
            # Without a check of its health: there is no other answer to give.
            aliases=[{"name": address, "zone_id": theirs.id, "evaluate_target_health": False}],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def solver_rights(zone_id: str, *, region: str) -> list[Mapping[str, object]]:
    """Return what cert-manager may: write TXT records into this zone, and see whether they are there.

    The actions are those of its documentation (cert-manager.io/docs/configuration/acme/dns01/route53), without looking
    for the zone, which is named to it.
    """
    arn = f"arn:{partition(region)}:route53:::"
    txt_alone = {"ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": ["TXT"]}}
    writes = ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"]
    return [
        {"Effect": "Allow", "Action": "route53:GetChange", "Resource": f"{arn}change/*"},
        {"Effect": "Allow", "Action": writes, "Resource": f"{arn}hostedzone/{zone_id}", "Condition": txt_alone},
    ]
