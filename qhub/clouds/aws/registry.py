"""The container registry: repositories on ECR, from which the nodes' role may pull."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

#: Days that an image without a tag is kept: what a newer push has left behind.
UNTAGGED_DAYS = 14
#: Images kept in a repository, oldest gone first. A hundred is two years of one a week.
MOST_IMAGES = 100


@dataclass(frozen=True, kw_only=True)
class AwsRegistryArgs:
    """What the registry is made from.

    Attributes:
        cluster_name: first part of the repositories' names.
        repositories: the rest of them.
        protect: refuse to delete the repositories, and keep them on destroy: images are work of people.
    """

    cluster_name: str
    repositories: Sequence[str]
    protect: bool


class AwsRegistry(pulumi.ComponentResource):
    """Repositories for images of a team's own.

    Creates:
        per repository: Repository, LifecyclePolicy.

    Attributes:
        address: output: what stands before "/" and the name of a repository; None without any.
    """

    address: pulumi.Output[str] | None = None

    def __init__(self, name: str, args: AwsRegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:aws:Registry", name, None, opts)
        for repository in args.repositories:
            made = aws.ecr.Repository(
                f"{name}-{repository}",
                name=f"{args.cluster_name}/{repository}",
                # A tag always means the same image: nodes that have it do not pull it again.
                image_tag_mutability="IMMUTABLE",
                image_scanning_configuration={"scan_on_push": True},
                force_delete=not args.protect,
                opts=pulumi.ResourceOptions(parent=self, protect=args.protect, retain_on_delete=args.protect),
            )
            aws.ecr.LifecyclePolicy(
                f"{name}-{repository}",
                repository=made.name,
                policy=json.dumps(lifecycle_policy(), sort_keys=True),
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.address = made.repository_url.apply(lambda url: url.rpartition("/")[0])
        self.register_outputs({})


def lifecycle_policy() -> Mapping[str, object]:
    """Return which images ECR throws away."""
    return {
        "rules": [
            {
                "rulePriority": 1,
                "description": "images that a newer push left without a tag",
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": UNTAGGED_DAYS,
                },
                "action": {"type": "expire"},
            },
            {
                "rulePriority": 2,
                "description": "the oldest of many",
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": MOST_IMAGES},
                "action": {"type": "expire"},
            },
        ]
    }
