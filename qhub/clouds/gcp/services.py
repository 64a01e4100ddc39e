"""Services (APIs) of a project: what is not switched on cannot be made."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp


def switch_on(name: str, *services: str, parent: pulumi.Resource) -> list[gcp.projects.Service]:
    """Switch services of the provider's project on; they stay on when the stack goes, because others may use them.

    Args:
        name: prefix of the logical names.
        services: first parts of their names: `container` for container.googleapis.com.
        parent: the component that needs them.
    """
    return [
        gcp.projects.Service(
            f"{name}-{service}-service",
            service=f"{service}.googleapis.com",
            disable_on_destroy=False,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for service in services
    ]
