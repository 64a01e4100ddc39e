"""GitHub."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from qhub.config.authentication.base import WithGroups
from qhub.config.authentication.names import Team
from qhub.config.names import GroupName, Organization


class GitHubAuthentication(WithGroups):
    """Sign in with GitHub. Make an OAuth app whose callback URL is `https://<domain>/hub/oauth_callback`."""

    title: ClassVar[str] = "with GitHub"
    ways_in: ClassVar[tuple[str, ...]] = ("organizations", "allowed_users")

    type: Literal["github"] = Field(description="Sign in with GitHub.")
    organizations: tuple[Organization, ...] = Field(
        default=(), description="Members may sign in: organization, or organization:team."
    )
    admin_groups: tuple[Team, ...] = Field(
        default=(),
        description="Teams whose members may sign in and manage all servers and users: organization:team.",
    )
    group_mapping: dict[Team, GroupName] = Field(
        default={},
        description='Team -> group of `groups`, for example `"my-org:data": analyst`. Its members get the folder and '
        "the profiles of that group, besides those that `users` gives them.",
    )
    allow_all: bool = Field(default=False, description="Let everyone with a GitHub account sign in.")
