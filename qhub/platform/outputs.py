"""What the stack's outputs say to a person, from what is known once everything is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qhub.config.authentication import OAuthSignIn

if TYPE_CHECKING:
    from qhub.config import Settings


def release_status(status: Any) -> dict[str, Any]:
    """Return what a person wants to know of a release from its status output."""
    names = ("version", "app_version", "status", "revision")
    get = status.get if isinstance(status, Mapping) else lambda name: getattr(status, name, None)
    return {name: get(name) for name in names}


def login_hint(settings: Settings, load_balancer: str) -> str:
    """Return what to do next to sign in. `load_balancer` is "" where nobody has to make a record for it."""
    authentication = settings.authentication
    if isinstance(authentication, OAuthSignIn):
        way = f"{authentication.title} (the application's callback URL is {settings.oauth_callback_url})"
    elif authentication.type == "native":
        way = f"{authentication.title}; administrators use authentication.admin_password the first time"
    elif authentication.password is None:
        way = "with any name and any password"
    else:
        way = "with any name and the password of authentication.password"
    if authentication.type == "dummy" and not authentication.allow_all:
        names = sorted({*authentication.allowed_users, *authentication.admin_users})
        way = way.replace("any name", f"one of the names {', '.join(names)}")
    hint = f"Open {settings.address} and sign in {way}."
    # Names that end in .localhost lead to this machine by themselves (RFC 6761).
    needs_dns = load_balancer and not settings.domain.endswith(".localhost")
    return f"{hint} {settings.domain} has to lead to {load_balancer}." if needs_dns else hint
