"""GitLab."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from qhub.config.authentication.base import WithAllowedGroups
from qhub.config.authentication.names import WebAddress


class GitLabAuthentication(WithAllowedGroups):
    """Sign in with GitLab. Make an application with the redirect URI `https://<domain>/hub/oauth_callback`.

    It needs the scope `read_user`, and `read_api` too where groups are named. A group is written as its full path, for
    example `my-org/data`.
    """

    title: ClassVar[str] = "with GitLab"

    type: Literal["gitlab"] = Field(description="Sign in with GitLab.")
    url: WebAddress = Field(
        default="https://gitlab.com", description="Address of GitLab; one's own for example https://gitlab.example.org."
    )
    allow_all: bool = Field(default=False, description="Let everyone in who has an account there.")
