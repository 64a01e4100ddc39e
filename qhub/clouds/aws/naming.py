"""Names and tags of what is made on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qhub.config.aws import AwsCluster

#: What AWS allows for the prefix of a name, to which it adds 26 characters of its own.
LONGEST_ROLE_PREFIX = 38  # names of IAM roles end at 64
LONGEST_NODE_GROUP_PREFIX = 37  # names of node groups end at 63


def prefix(*parts: str, longest: int) -> str:
    """Return `parts` joined by "-", with one at the end, as the prefix of a name that AWS makes unique.

    Where that is too long the first part, the cluster's name, is cut: the others tell what it is.
    """
    rest = "-".join(["", *parts[1:], ""])
    return f"{parts[0][: max(0, longest - len(rest))]}{rest}"[-longest:].lstrip("-")


def all_tags(section: AwsCluster, *, stack: str) -> dict[str, str]:
    """Return the tags for everything that takes them: whose it is, and the settings' own, which win."""
    return {"qhub.dev/cluster": section.name, "qhub.dev/stack": stack, **section.tags}


def partition(region: str) -> str:
    """Return the first part of ARNs in a region (docs.aws.amazon.com/IAM, "Amazon Resource Names")."""
    return next(
        (name for start, name in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")) if region.startswith(start)), "aws"
    )
