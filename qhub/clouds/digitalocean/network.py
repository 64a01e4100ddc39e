"""The VPC of a cluster on DigitalOcean. There are no subnets, gateways or routes to make: a VPC comes with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_digitalocean as digitalocean

if TYPE_CHECKING:
    from qhub.config import digitalocean as config

#: A cluster that was deleted is a member of its VPC for some minutes more, which DigitalOcean says is deleted at once
#: and the provider waits two minutes for (digitalocean/terraform-provider-digitalocean#488).
PATIENCE = pulumi.CustomTimeouts(delete="20m")


@dataclass(frozen=True, kw_only=True)
class DigitalOceanNetworkArgs:
    """What the network is given.

    Attributes:
        name: name of the VPC, unique in the account.
        region: region.
        network: the `cluster.network` section.
        keep: something in the VPC outlives the stack: then so must the VPC.
    """

    name: str
    region: str
    network: config.DigitalOceanNetwork
    keep: bool


class DigitalOceanNetwork(pulumi.ComponentResource):
    """The VPC.

    Creates:
        a Vpc; nothing where `vpc_uuid` names one.

    Attributes:
        vpc_uuid: id of the VPC.
    """

    vpc_uuid: pulumi.Input[str]

    def __init__(self, name: str, args: DigitalOceanNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:digitalocean:Network", name, None, opts)
        self.vpc_uuid = args.network.vpc_uuid or self._vpc(name, args).id
        self.register_outputs({"vpc_uuid": self.vpc_uuid})

    def _vpc(self, name: str, args: DigitalOceanNetworkArgs) -> digitalocean.Vpc:
        return digitalocean.Vpc(
            f"{name}-vpc",
            name=args.name,
            region=args.region,
            ip_range=args.network.cidr,
            description=f"Cluster {args.name}",
            opts=pulumi.ResourceOptions(
                parent=self, protect=args.keep, retain_on_delete=args.keep, custom_timeouts=PATIENCE
            ),
        )
