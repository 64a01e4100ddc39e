"""What has to hold between the settings of a way of signing in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from qhub.config.authentication.auth0 import Auth0Authentication
from qhub.config.authentication.base import SignIn, WithGroups
from qhub.config.authentication.cilogon import CILogonAuthentication
from qhub.config.authentication.google import GoogleAuthentication
from qhub.config.authentication.local import DummyAuthentication, NativeAuthentication
from qhub.config.authentication.oidc import OidcAuthentication
from qhub.config.model import ENCRYPTED, Problem
from qhub.config.names import is_public_domain
from qhub.config.users import Group, User, unknown_groups

#: The section, from the root of the settings.
HERE = "authentication"
_ADDRESSES = ("authorize_url", "token_url", "userinfo_url")


def somebody_may_sign_in(authentication: SignIn) -> Iterator[Problem]:
    """JupyterHub lets nobody in by default; and a list of names is void when everybody may."""
    ways = [*authentication.ways_in, "admin_users"]
    if isinstance(authentication, WithGroups):
        ways.append("admin_groups")
    if not authentication.lets_somebody_in:
        yield Problem(
            (HERE,), f"nobody could sign in: name some in one of {', '.join(ways)}, or write `allow_all: true`"
        )
    for key in authentication.ways_in:
        if getattr(authentication, "allow_all", False) and getattr(authentication, key):
            message = "has no effect while `allow_all: true` lets everyone in: remove one of the two"
            yield Problem((HERE, key), message)


def dummy_is_not_open_to_the_internet(domain: str, authentication: SignIn) -> Iterator[Problem]:
    """A hub runs any code for whoever signs in: on a public name, one without a password is somebody else's machine."""
    is_open = isinstance(authentication, DummyAuthentication) and authentication.password is None
    if is_open and is_public_domain(domain):
        yield Problem(
            (HERE, "password"),
            f"anyone on the internet could sign in at {domain} and run programs: use `type: github`, or set a password "
            "with `pulumi config set --path --secret qhub:authentication.password`",
        )


def accounts_are_let_in_by_somebody(authentication: SignIn) -> Iterator[Problem]:
    """Native accounts wait for an administrator."""
    if not isinstance(authentication, NativeAuthentication):
        return
    shortest = authentication.minimum_password_length
    password = authentication.admin_password.get_secret_value()
    if password != ENCRYPTED and len(password) < shortest:
        message = f"is shorter than minimum_password_length ({shortest}): the hub would refuse it"
        yield Problem((HERE, "admin_password"), message)
    if authentication.lets_somebody_in and not authentication.admin_users:
        yield Problem(
            (HERE, "admin_users"),
            "name at least one: nobody else can let new accounts in or help with a lost password",
        )
    if authentication.allow_all and not authentication.sign_up:
        yield Problem((HERE, "allow_all"), "has no effect while `sign_up: false` keeps people from making accounts")


def nobody_signs_up_as_somebody_else(
    authentication: SignIn, users: Mapping[str, User], groups: Mapping[str, Group]
) -> Iterator[Problem]:
    """A name that settings give a home and groups is its owner's before they sign up. We make administrators' accounts.

    With an administrator who looks at each account, nothing of it is open to whoever was first.
    """
    if not isinstance(authentication, NativeAuthentication):
        return
    readers = [name for group in groups.values() for name in group.read_only_members]
    known = [name for name in dict.fromkeys((*users, *readers)) if name not in authentication.admin_users]
    if authentication.allow_all and authentication.sign_up and known:
        more = f" (and {len(known) - 1} more)" if len(known) > 1 else ""
        yield Problem(
            (HERE, "allow_all"),
            f"whoever is the first to sign up as {known[0]}{more} would get the files and groups of that name in "
            "`users` and `groups`: remove `allow_all`, so that an administrator lets each account in",
        )


def groups_there_are_groups_here(authentication: SignIn, groups: Mapping[str, Any]) -> Iterator[Problem]:
    """A group that is not declared has no number and no folder; and somewhere the groups have to come from."""
    if not isinstance(authentication, WithGroups):
        return
    for name, group in authentication.group_mapping.items():
        yield from unknown_groups((HERE, "group_mapping"), [group], groups, key=name, listed=False)
    if isinstance(authentication, Auth0Authentication) and authentication.groups_claim is None:
        for key in ("allowed_groups", "admin_groups", "group_mapping"):
            if getattr(authentication, key):
                message = "Auth0 tells no groups by itself: say in `groups_claim` which claim an Action of yours adds"
                yield Problem((HERE, key), message)


def google_names_are_told_apart(authentication: SignIn) -> Iterator[Problem]:
    """Without its domain, ada@one.org and ada@two.org would be one user with one home."""
    if not isinstance(authentication, GoogleAuthentication) or not authentication.strip_domain:
        return
    count = len(authentication.hosted_domains)
    if count != 1:
        reason = "two people of the same name would share one home" if count else "any account would be stripped of it"
        yield Problem((HERE, "strip_domain"), f"works with exactly one of hosted_domains, here are {count}: {reason}")


def oidc_addresses_are_known(authentication: SignIn) -> Iterator[Problem]:
    """An issuer tells the three addresses; without one they have to be given."""
    if not isinstance(authentication, OidcAuthentication) or authentication.issuer is not None:
        return
    missing = [key for key in _ADDRESSES if getattr(authentication, key) is None]
    if len(missing) == len(_ADDRESSES):
        yield Problem(
            (HERE,),
            "the provider is not known: add `issuer: https://...`, or all of authorize_url, token_url and userinfo_url",
        )
    elif missing:
        yield Problem((HERE,), f"{' and '.join(missing)} is missing: add it, or `issuer: https://...` in its place")


def institutions_are_told_apart(authentication: SignIn) -> Iterator[Problem]:
    """One entry per institution, and no two of them whose people could get the same name here."""
    if not isinstance(authentication, CILogonAuthentication):
        return
    path = (HERE, "identity_providers")
    seen: set[str] = set()
    bare: dict[str | None, str] = {}
    default: str | None = None
    for place, provider in enumerate(authentication.identity_providers):
        if provider.entity_id in seen:
            yield Problem((*path, place, "entity_id"), "is there twice: remove one")
        seen.add(provider.entity_id)
        if provider.prefix is not None and provider.strip_domain is not None:
            yield Problem((*path, place, "prefix"), "cannot be had together with strip_domain: remove one of the two")
        if provider.default and default is not None:
            yield Problem((*path, place, "default"), f"{default} is the default already: exactly one can be")
        default = default or (provider.entity_id if provider.default else None)
        if provider.strip_domain is not None:
            other = bare.setdefault("stripped", provider.entity_id)
            if other != provider.entity_id:
                yield Problem(
                    (*path, place, "strip_domain"),
                    f"{other} has its domain taken off too: two people of the same name would share one home; write a "
                    "`prefix` instead",
                )
        if authentication.allow_all and (provider.allow_all or provider.allowed_domains):
            key = "allow_all" if provider.allow_all else "allowed_domains"
            yield Problem((*path, place, key), "has no effect while `allow_all: true` lets everyone in: remove one")


#: Each rule with the sections that it reads, which are its arguments.
RULES = (
    ((HERE,), somebody_may_sign_in),
    (("domain", HERE), dummy_is_not_open_to_the_internet),
    ((HERE,), accounts_are_let_in_by_somebody),
    ((HERE, "users", "groups"), nobody_signs_up_as_somebody_else),
    ((HERE, "groups"), groups_there_are_groups_here),
    ((HERE,), google_names_are_told_apart),
    ((HERE,), oidc_addresses_are_known),
    ((HERE,), institutions_are_told_apart),
)
