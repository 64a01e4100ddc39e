"""What the ways of signing in have in common."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, SecretStr

from qhub.config.model import Expected, Section
from qhub.config.names import GroupName, Text, UserName

#: A value that stands in the stack file as `secure:` only.
Secret = Annotated[SecretStr, Field(min_length=1), Expected("an encrypted value (`secure: ...`)")]


class SignIn(Section):
    """Who may sign in, whatever says who they are."""

    #: Keys that each let somebody in, besides `admin_users` and `allow_all`. With `allow_all` they have no effect.
    ways_in: ClassVar[tuple[str, ...]] = ()
    #: What a person clicks on, in `login_hint`.
    title: ClassVar[str] = ""
    #: The key with the secret of this way of signing in.
    sealed_key: ClassVar[str] = ""

    admin_users: tuple[UserName, ...] = Field(
        default=(), description="Users who may manage all servers and users. They may sign in as well."
    )

    @property
    def secret(self) -> SecretStr | None:
        """The one secret of this way of signing in; None where there is none."""
        return getattr(self, self.sealed_key)

    @property
    def lets_somebody_in(self) -> bool:
        """Whether there is anybody who may sign in."""
        return bool(self.admin_users) or any(getattr(self, key) for key in ("allow_all", *self.ways_in))


class OAuthSignIn(SignIn):
    """Sign in at another place that the hub is registered with as an application.

    Everywhere the application's callback URL (also: redirect URI) is `https://<domain>/hub/oauth_callback`.
    """

    sealed_key: ClassVar[str] = "client_secret"
    ways_in: ClassVar[tuple[str, ...]] = ("allowed_users",)

    allowed_users: tuple[UserName, ...] = Field(default=(), description="Users who may sign in.")
    client_id: Text = Field(description="ID of the application that the hub is registered as there.")
    client_secret: Secret = Field(description="Secret of that application (secret).")


class WithGroups(OAuthSignIn):
    """Groups that somebody is in at the other place, and what they mean here. Looked up at each sign-in."""

    admin_groups: tuple[Text, ...] = Field(
        default=(), description="Groups there whose members may sign in and manage all servers and users."
    )
    group_mapping: dict[Text, GroupName] = Field(
        default={},
        description="Group there -> group of `groups` here, for example `data-team: analyst`. Its members get the "
        "folder and the profiles of that group, besides those that `users` gives them.",
    )

    @property
    def asks_for_groups(self) -> bool:
        """Whether the hub has to know which groups somebody is in there."""
        return bool(self.admin_groups or self.group_mapping or getattr(self, "allowed_groups", ()))

    @property
    def lets_somebody_in(self) -> bool:
        """Whether there is anybody who may sign in."""
        return bool(self.admin_groups) or super().lets_somebody_in


class WithAllowedGroups(WithGroups):
    """Groups there that may sign in."""

    ways_in: ClassVar[tuple[str, ...]] = ("allowed_users", "allowed_groups")

    allowed_groups: tuple[Text, ...] = Field(default=(), description="Groups there whose members may sign in.")
