"""The container registry of a cluster on Google Cloud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_gcp as gcp

from qhub.clouds.gcp.services import switch_on

if TYPE_CHECKING:
    from pulumi_gcp.artifactregistry import RepositoryCleanupPolicyArgsDict

    from qhub.config import gcp as config

#: Whatever has no tag goes after 30 days, but for the ten newest of each image: nothing refers to it, except a node
#: that is in the middle of pulling it.
CLEANUP_POLICIES: list[RepositoryCleanupPolicyArgsDict] = [
    {
        "id": "delete-untagged",
        "action": "DELETE",
        "condition": {"tag_state": "UNTAGGED", "older_than": f"{30 * 24 * 3600}s"},
    },
    {"id": "keep-newest", "action": "KEEP", "most_recent_versions": {"keep_count": 10}},
]


@dataclass(frozen=True, kw_only=True)
class GcpRegistryArgs:
    """What the registry is made from.

    Attributes:
        section: the `cluster` section.
        reader: who may pull: the nodes, as IAM writes them.
    """

    section: config.GcpCluster
    reader: pulumi.Input[str]


class GcpRegistry(pulumi.ComponentResource):
    """A registry for images, in the cluster's region.

    Creates:
        Service (artifactregistry), Repository, RepositoryIamMember: the nodes may read this repository and no other.

    Attributes:
        address: address of its images, without their name.
    """

    address: pulumi.Output[str]

    def __init__(self, name: str, args: GcpRegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:gcp:Registry", name, None, opts)
        section = args.section
        repository = gcp.artifactregistry.Repository(
            f"{name}-images",
            repository_id=section.name,
            location=section.region,
            format="DOCKER",
            description=f"Images of cluster {section.name}",
            cleanup_policies=CLEANUP_POLICIES,
            cleanup_policy_dry_run=False,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=switch_on(name, "artifactregistry", parent=self),
                # Images that people built may be nowhere else.
                protect=section.protect,
            ),
        )
        gcp.artifactregistry.RepositoryIamMember(
            f"{name}-nodes",
            location=section.region,
            repository=repository.name,
            role="roles/artifactregistry.reader",
            member=args.reader,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.address = pulumi.Output.concat(
            section.region, "-docker.pkg.dev/", section.project, "/", repository.repository_id
        )
        self.register_outputs({"address": self.address})
