"""The resource group that holds everything on Azure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure


@dataclass(frozen=True, kw_only=True)
class AzureResourceGroupArgs:
    """What the resource group is made from.

    Attributes:
        name: name for a new one, unique in the subscription.
        given: name of one that is there already; None makes one.
        location: region.
        protect: refuse to delete it: all that is in it would go, whoever made it.
        keep: something in it outlives the stack: then so must the group.
        tags: tags.
    """

    name: str
    given: str | None
    location: str
    protect: bool
    keep: bool
    tags: Mapping[str, str]


class AzureResourceGroup(pulumi.ComponentResource):
    """The resource group.

    Creates:
        ResourceGroup; nothing where one is given.

    Attributes:
        name: its name.
    """

    name: pulumi.Input[str]

    def __init__(self, name: str, args: AzureResourceGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:azure:ResourceGroup", name, None, opts)
        self.name = args.given or self._group(name, args).name
        self.register_outputs({"name": self.name})

    def _group(self, name: str, args: AzureResourceGroupArgs) -> azure.resources.ResourceGroup:
        return azure.resources.ResourceGroup(
            f"{name}-group",
            resource_group_name=args.name,
            location=args.location,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect or args.keep, retain_on_delete=args.keep),
        )
