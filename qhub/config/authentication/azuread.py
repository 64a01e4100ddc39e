"""Microsoft Entra ID, once called Azure AD."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from qhub.config.authentication.base import WithAllowedGroups
from qhub.config.authentication.names import Tenant
from qhub.config.names import Text


class AzureAdAuthentication(WithAllowedGroups):
    """Sign in with Microsoft Entra ID (Azure AD).

    Register an application of a single tenant with the redirect URI `https://<domain>/hub/oauth_callback` (platform:
    Web). Groups come in the sign-in once the application's token configuration has a groups claim; they are object ids.
    Microsoft leaves the claim out for people in more than 200 groups: assign groups to the application, or use roles.
    """

    title: ClassVar[str] = "with Microsoft Entra ID"

    type: Literal["azuread"] = Field(description="Sign in with Microsoft Entra ID (Azure AD).")
    tenant: Tenant = Field(
        description="ID or domain of the tenant, for example 72f988bf-86f1-41af-91ab-2d7cd011db47 or example.org."
    )
    username_claim: Text = Field(
        default="preferred_username",
        description="Claim that becomes the user name; one that people cannot change themselves, and keep.",
    )
    groups_claim: Literal["groups", "roles"] = Field(
        default="groups", description="Claim with the groups: groups (object ids), or roles (app roles, by value)."
    )
    allow_all: bool = Field(default=False, description="Let everyone of the tenant sign in, its guests as well.")
