"""Who may sign in, and how: one file per place where people sign in, and the rules between their settings."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from qhub.config.authentication.auth0 import Auth0Authentication
from qhub.config.authentication.azuread import AzureAdAuthentication
from qhub.config.authentication.base import OAuthSignIn, SignIn, WithAllowedGroups, WithGroups
from qhub.config.authentication.cilogon import CILogonAuthentication, IdentityProvider
from qhub.config.authentication.github import GitHubAuthentication
from qhub.config.authentication.gitlab import GitLabAuthentication
from qhub.config.authentication.google import GoogleAuthentication
from qhub.config.authentication.local import DummyAuthentication, NativeAuthentication
from qhub.config.authentication.oidc import OidcAuthentication
from qhub.config.authentication.rules import RULES


def _type(value: Any) -> Any:
    """Return which way of signing in a value is; a section without `type` is the first."""
    return value.get("type", "dummy") if isinstance(value, dict) else getattr(value, "type", "dummy")


Authentication = Annotated[
    Annotated[DummyAuthentication, Tag("dummy")]
    | Annotated[NativeAuthentication, Tag("native")]
    | Annotated[GitHubAuthentication, Tag("github")]
    | Annotated[GitLabAuthentication, Tag("gitlab")]
    | Annotated[GoogleAuthentication, Tag("google")]
    | Annotated[AzureAdAuthentication, Tag("azuread")]
    | Annotated[Auth0Authentication, Tag("auth0")]
    | Annotated[OidcAuthentication, Tag("oidc")]
    | Annotated[CILogonAuthentication, Tag("cilogon")],
    Discriminator(_type),
]

__all__ = [
    "RULES",
    "Auth0Authentication",
    "Authentication",
    "AzureAdAuthentication",
    "CILogonAuthentication",
    "DummyAuthentication",
    "GitHubAuthentication",
    "GitLabAuthentication",
    "GoogleAuthentication",
    "IdentityProvider",
    "NativeAuthentication",
    "OAuthSignIn",
    "OidcAuthentication",
    "SignIn",
    "WithAllowedGroups",
    "WithGroups",
]
