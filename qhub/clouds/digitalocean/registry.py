"""The container registry of a DigitalOcean account. It belongs to the account: one stack makes it, others use it."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_digitalocean as digitalocean

#: Where every registry is, under its name (`endpoint` in pulumi-digitalocean 4.84).
SERVER = "registry.digitalocean.com"


@dataclass(frozen=True, kw_only=True)
class DigitalOceanRegistryArgs:
    """What the registry is given.

    Attributes:
        name: name, unique among all of DigitalOcean.
        tier: its subscription: starter, basic or professional.
        protect: refuse to delete it, and keep it when the stack goes: it may hold images of the whole account.
    """

    name: str
    tier: str
    protect: bool


class DigitalOceanRegistry(pulumi.ComponentResource):
    """The container registry.

    Creates:
        a ContainerRegistry, in the region that DigitalOcean chooses: not every one with DOKS has registries.

    Attributes:
        address: address of its images, without a tag or a last name.
    """

    address: str

    def __init__(self, name: str, args: DigitalOceanRegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:digitalocean:Registry", name, None, opts)
        digitalocean.ContainerRegistry(
            f"{name}-registry",
            name=args.name,
            subscription_tier_slug=args.tier,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, retain_on_delete=args.protect),
        )
        self.address = f"{SERVER}/{args.name}"
        self.register_outputs({"address": self.address})


def registry_address(name: str | None) -> str | None:
    """Return the address of a registry that is there already; None for none."""
    return None if name is None else f"{SERVER}/{name}"
