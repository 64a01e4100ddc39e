"""Ways of signing in that need nobody else: none at all, and accounts that the hub keeps itself."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from qhub.config.authentication.base import Secret, SignIn
from qhub.config.model import Expected
from qhub.config.names import UserName


class DummyAuthentication(SignIn):
    """No real check: any name, with one password for all or none. For a machine of your own and for trying out."""

    sealed_key: ClassVar[str] = "password"
    ways_in: ClassVar[tuple[str, ...]] = ("allowed_users",)

    allowed_users: tuple[UserName, ...] = Field(default=(), description="Users who may sign in.")
    type: Literal["dummy"] = Field(default="dummy", description="No real check of who somebody is.")
    password: Secret | None = Field(
        default=None, description="One password for everyone (secret); null accepts any password."
    )
    allow_all: bool = Field(
        default_factory=lambda given: not given.get("allowed_users"),
        description="Whether every name may sign in. Where it is not given: yes, unless allowed_users names some.",
    )


class NativeAuthentication(SignIn):
    """Accounts that people make on the hub's own page `/hub/signup`; the hub keeps their passwords, hashed.

    An administrator lets each of them in on `/hub/authorize`. The administrators' own accounts are made by us with
    `admin_password`: otherwise whoever is the first to sign up under such a name would be an administrator. For the
    same reason there is no list of users who may come in by themselves.
    """

    title: ClassVar[str] = "with an account that you make at /hub/signup"
    sealed_key: ClassVar[str] = "admin_password"

    type: Literal["native"] = Field(description="Sign in with an account that the hub itself keeps.")
    admin_password: Secret = Field(
        description="First password of each of admin_users (secret). They change it on `/hub/change-password`; a new "
        "value here changes nothing for accounts that are there.",
    )
    sign_up: bool = Field(
        default=True, description="Whether people may make accounts. Each waits until an administrator lets it in."
    )
    minimum_password_length: Annotated[int, Field(ge=8, le=72), Expected("a whole number from 8 to 72")] = Field(
        default=12, description="Shortest password in characters, for example 12. bcrypt reads 72."
    )
    allow_all: bool = Field(
        default=False,
        description="Let everyone in who makes an account, without an administrator looking at it. Not where `users` "
        "or `groups` name people: anybody could make an account under such a name.",
    )
