"""Who may sign in, and how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, SecretStr, Tag

from qhub.config.model import Expected, Problem, Section
from qhub.config.names import Organization, Text, UserName, is_public_domain

#: A value that stands in the stack file as `secure:` only.
Secret = Annotated[SecretStr, Field(min_length=1), Expected("an encrypted value (`secure: ...`)")]


class _Authentication(Section):
    admin_users: tuple[UserName, ...] = Field(
        default=(), description="Users who may manage all servers and users. They may sign in as well."
    )
    allowed_users: tuple[UserName, ...] = Field(default=(), description="Users who may sign in.")


class DummyAuthentication(_Authentication):
    """No real check: any name, with one password for all or none. For a machine of your own and for trying out."""

    type: Literal["dummy"] = Field(default="dummy", description="No real check of who somebody is.")
    password: Secret | None = Field(
        default=None, description="One password for everyone (secret); null accepts any password."
    )
    allow_all: bool = Field(
        default_factory=lambda given: not given.get("allowed_users"),
        description="Whether every name may sign in. Where it is not given: yes, unless allowed_users names some.",
    )


class GitHubAuthentication(_Authentication):
    """Sign in with GitHub. Make an OAuth app whose callback URL is `https://<domain>/hub/oauth_callback`."""

    type: Literal["github"] = Field(description="Sign in with GitHub.")
    client_id: Text = Field(description="Client ID of the OAuth app.")
    client_secret: Secret = Field(description="Client secret of the OAuth app (secret).")
    organizations: tuple[Organization, ...] = Field(
        default=(), description="Members may sign in: organization, or organization:team."
    )
    allow_all: bool = Field(default=False, description="Let everyone with a GitHub account sign in.")


def _type(value: Any) -> Any:
    """Return which way of signing in a value is; a section without `type` is the first."""
    return value.get("type", "dummy") if isinstance(value, dict) else getattr(value, "type", "dummy")


Authentication = Annotated[
    Annotated[DummyAuthentication, Tag("dummy")] | Annotated[GitHubAuthentication, Tag("github")],
    Discriminator(_type),
]


def somebody_may_sign_in(authentication: DummyAuthentication | GitHubAuthentication) -> Iterator[Problem]:
    """JupyterHub lets nobody in by default; and a list of names is void when everybody may."""
    lists = authentication.allowed_users or authentication.admin_users
    teams = authentication.organizations if isinstance(authentication, GitHubAuthentication) else ()
    if not (authentication.allow_all or lists or teams):
        ways = (
            "organizations, allowed_users, admin_users"
            if authentication.type == "github"
            else "allowed_users, admin_users"
        )
        yield Problem(
            ("authentication",), f"nobody could sign in: name some in one of {ways}, or write `allow_all: true`"
        )
    if authentication.allow_all and (authentication.allowed_users or teams):
        key = "allowed_users" if authentication.allowed_users else "organizations"
        yield Problem(
            ("authentication", key), "has no effect while `allow_all: true` lets everyone in: remove one of the two"
        )


def dummy_is_not_open_to_the_internet(
    domain: str, authentication: DummyAuthentication | GitHubAuthentication
) -> Iterator[Problem]:
    """A hub runs any code for whoever signs in: on a public name, one without a password is somebody else's machine."""
    is_open = isinstance(authentication, DummyAuthentication) and authentication.password is None
    if is_open and is_public_domain(domain):
        yield Problem(
            ("authentication", "password"),
            f"anyone on the internet could sign in at {domain} and run programs: use `type: github`, or set a password "
            "with `pulumi config set --path --secret qhub:authentication.password`",
        )
