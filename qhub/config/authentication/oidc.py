"""Any provider of OpenID Connect, such as Keycloak, Okta or Authentik."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from qhub.config.authentication.base import WithAllowedGroups
from qhub.config.authentication.names import WebAddress
from qhub.config.names import Text


class OidcAuthentication(WithAllowedGroups):
    """Sign in with any provider of OpenID Connect. The redirect URI is `https://<domain>/hub/oauth_callback`.

    `issuer` is enough where the provider describes itself below it, at `/.well-known/openid-configuration`; the hub
    reads that when it starts. Otherwise give the three addresses.
    """

    title: ClassVar[str] = "with your account"

    type: Literal["oidc"] = Field(description="Sign in with any provider of OpenID Connect.")
    name: Text = Field(default="OpenID Connect", description="What the button says: Sign in with <name>.")
    issuer: WebAddress | None = Field(
        default=None,
        description="Address of the provider, for example https://login.example.org/realms/team; null where the three "
        "addresses below are given.",
    )
    authorize_url: WebAddress | None = Field(
        default=None, description="Where people are sent to sign in; null takes what the issuer says."
    )
    token_url: WebAddress | None = Field(
        default=None, description="Where the hub gets its token; null takes what the issuer says."
    )
    userinfo_url: WebAddress | None = Field(
        default=None, description="Where the hub asks who it is; null takes what the issuer says."
    )
    scopes: tuple[Text, ...] = Field(
        default=("openid", "profile", "email"),
        min_length=1,
        description="Scopes that are asked for; some providers want one more for groups.",
    )
    username_claim: Text = Field(
        default="preferred_username",
        description="Claim that becomes the user name; one that people cannot change themselves, and keep. With email, "
        "an address that the provider calls unverified is refused.",
    )
    groups_claim: Text = Field(default="groups", description="Claim with the list of groups.")
    allow_all: bool = Field(default=False, description="Let everyone in who has an account there.")
