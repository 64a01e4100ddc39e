"""CILogon: sign-in for research, with the account of one's own institution."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from qhub.config.authentication.base import OAuthSignIn
from qhub.config.authentication.names import DomainPattern, EntityId, UserPrefix
from qhub.config.model import Section
from qhub.config.names import Text


class IdentityProvider(Section):
    """An institution whose accounts may be used."""

    entity_id: EntityId = Field(
        description="EntityID from https://cilogon.org/idplist, for example http://google.com/accounts/o8/id."
    )
    username_claim: Text = Field(
        default="email",
        description="Claim that becomes the user name, for example email, eppn, or preferred_username with GitHub.",
    )
    strip_domain: Text | None = Field(
        default=None,
        description="Domain that is taken off the name: with example.org, ada@example.org is called ada. null: none.",
    )
    prefix: UserPrefix | None = Field(
        default=None, description="Put before the name: with github, ada is called github:ada. null for none."
    )
    allow_all: bool = Field(default=False, description="Let all its accounts in.")
    allowed_domains: tuple[DomainPattern, ...] = Field(
        default=(),
        description='Let accounts in whose name is at one of these domains, for example "*.example.org".',
    )
    default: bool = Field(default=False, description="Chosen beforehand on CILogon's page. One has it, or the first.")


class CILogonAuthentication(OAuthSignIn):
    """Sign in with CILogon. Register a client with the callback URL `https://<domain>/hub/oauth_callback`."""

    title: ClassVar[str] = "with the account of your institution, by CILogon"

    type: Literal["cilogon"] = Field(description="Sign in with CILogon.")
    identity_providers: tuple[IdentityProvider, ...] = Field(
        min_length=1, description="Institutions whose accounts may be used; others are refused."
    )
    skin: Text | None = Field(default=None, description="Look of CILogon's page, by agreement with them; null: theirs.")
    allow_all: bool = Field(default=False, description="Let all accounts of all listed institutions in.")

    @property
    def lets_somebody_in(self) -> bool:
        """Whether there is anybody who may sign in."""
        open_ones = any(provider.allow_all or provider.allowed_domains for provider in self.identity_providers)
        return open_ones or super().lets_somebody_in
