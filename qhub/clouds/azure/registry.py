"""The container registry on Azure (ACR), from which nodes may pull."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from qhub.clouds.azure.identity import ACR_PULL, grant


@dataclass(frozen=True, kw_only=True)
class AzureRegistryArgs:
    """What the registry is made from.

    Attributes:
        location: region.
        resource_group: name of the resource group.
        tier: basic, standard or premium.
        kubelet_principal_id: object id of the nodes' identity.
        protect: refuse to delete it.
        tags: tags.
    """

    location: str
    resource_group: pulumi.Input[str]
    tier: str
    kubelet_principal_id: pulumi.Input[str | None]
    protect: bool
    tags: Mapping[str, str]


class AzureRegistry(pulumi.ComponentResource):
    """A registry for images of a team's own.

    Creates:
        Registry, RoleAssignment with which nodes pull.

    Attributes:
        address: output: what stands before "/" and the name of an image.
        ready: what has to be there before a node can pull from it.
    """

    address: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: AzureRegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:azure:Registry", name, None, opts)
        registry = azure.containerregistry.Registry(
            # Without more: the provider makes the registry's name from it, which is letters and digits alone, and
            # unique among all of Azure.
            name,
            resource_group_name=args.resource_group,
            location=args.location,
            sku={"name": args.tier.capitalize()},
            # People and nodes come with identities: there is no password to lose.
            admin_user_enabled=False,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        pull = grant(
            f"{name}-nodes-pull",
            role=ACR_PULL,
            scope=registry.id,
            principal_id=args.kubelet_principal_id,
            parent=self,
        )
        self.address = registry.login_server
        self.ready = (pull,)
        self.register_outputs({"address": self.address})
