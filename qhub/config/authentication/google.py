"""Google."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from qhub.config.authentication.base import OAuthSignIn
from qhub.config.names import DomainName


class GoogleAuthentication(OAuthSignIn):
    """Sign in with Google. Make an OAuth client (web application) with the redirect URI
    `https://<domain>/hub/oauth_callback`.
    """

    title: ClassVar[str] = "with Google"

    type: Literal["google"] = Field(description="Sign in with Google.")
    hosted_domains: tuple[DomainName, ...] = Field(
        default=(),
        description="Domains of Google Workspace, for example example.org: only their accounts may sign in.",
    )
    strip_domain: bool = Field(
        default=False,
        description="Whether ada@example.org is called ada here, for one hosted domain. Decide before the first person "
        "signs in: another name is another user with an empty home.",
    )
    allow_all: bool = Field(
        default_factory=lambda given: bool(given.get("hosted_domains")) and not given.get("allowed_users"),
        description="Let every account in, of the hosted domains where some are named. Where it is not given: yes with "
        "hosted_domains, unless allowed_users names some.",
    )
