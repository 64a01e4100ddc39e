"""Auth0."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from qhub.config.authentication.base import WithAllowedGroups
from qhub.config.names import DomainName, Text


class Auth0Authentication(WithAllowedGroups):
    """Sign in with Auth0. Make a regular web application with the callback URL `https://<domain>/hub/oauth_callback`.

    An address that Auth0 has not verified is refused.
    """

    title: ClassVar[str] = "with Auth0"

    type: Literal["auth0"] = Field(description="Sign in with Auth0.")
    domain: DomainName = Field(
        description="Domain of the Auth0 tenant, for example my-team.eu.auth0.com, or a custom domain of it."
    )
    username_claim: Text = Field(
        default="email",
        description="Claim that becomes the user name; one that people cannot change themselves, and keep.",
    )
    groups_claim: Text | None = Field(
        default=None,
        description="Claim that an Action of yours puts the groups into, for example https://example.org/groups; null "
        "for none.",
    )
    allow_all: bool = Field(default=False, description="Let everyone in who has an account there.")
