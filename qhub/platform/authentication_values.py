"""Who may sign in to the hub, as options of its authenticators: one pure function per way of signing in.

The options are those of JupyterHub 5.5, oauthenticator 17.4 and nativeauthenticator 1.3, which chart jupyterhub 4.4 has
in its hub's image. They do not check each other's names: a misspelt one is a warning in the hub's log and nothing else,
so a test loads all of them into the real classes.

What no option can say (which groups somebody is in, an issuer that describes itself) is code that runs in the hub,
`qhub.platform.hub.qhub_sign_in`; `sign_in_settings` is what it reads. `qhub.platform.hub.qhub_stay` is what becomes of
somebody later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from qhub.config.authentication import GitLabAuthentication, OAuthSignIn, WithGroups
from qhub.config.users import members

if TYPE_CHECKING:
    import pulumi

    from qhub.config import Settings
    from qhub.config.authentication import (
        Auth0Authentication,
        AzureAdAuthentication,
        CILogonAuthentication,
        DummyAuthentication,
        GitHubAuthentication,
        GoogleAuthentication,
        IdentityProvider,
        NativeAuthentication,
        OidcAuthentication,
    )

Options = dict[str, Any]

#: Our word for a way of signing in -> the hub's, and the class that has its options.
AUTHENTICATORS = {
    "dummy": ("dummy", "DummyAuthenticator"),
    "native": ("native", "NativeAuthenticator"),
    "github": ("github", "GitHubOAuthenticator"),
    "gitlab": ("gitlab", "GitLabOAuthenticator"),
    "google": ("google", "GoogleOAuthenticator"),
    "azuread": ("azuread", "AzureAdOAuthenticator"),
    "auth0": ("auth0", "Auth0OAuthenticator"),
    "oidc": ("generic-oauth", "GenericOAuthenticator"),
    "cilogon": ("cilogon", "CILogonOAuthenticator"),
}

#: In the hub, a group of the provider has this before its name. Groups of the settings cannot have a colon, so nobody
#: gets into one of them by making a group of the same name at the provider.
THERE = "provider:"


def sign_in_config(settings: Settings, secret: pulumi.Input[str] | None) -> dict[str, Options]:
    """Return the sections of `hub.config` that say who may sign in, and who is in which group.

    Args:
        settings: the whole settings.
        secret: of the way of signing in; None where it has none.
    """
    authentication: Any = settings.authentication
    kind, section = AUTHENTICATORS[authentication.type]
    common: Options = {
        "admin_users": list(authentication.admin_users),
        # An account of the hub's own waits for an administrator, or for nobody with `open_signup`. That alone decides.
        "allow_all": authentication.allow_all or authentication.type == "native",
        "allowed_users": list(getattr(authentication, "allowed_users", ())),
        # JupyterHub's own default is yes where users are listed: whoever was listed once could sign in for ever.
        "allow_existing_users": False,
    }
    hub: Options = {"authenticator_class": kind, "admin_access": True}
    if manages_groups(settings):
        # Both at once are refused: the groups of the settings are added at each sign-in instead.
        common["manage_groups"] = True
        # Kept encrypted: with the provider's token in it, groups are looked up anew after the sign-in (`qhub_stay`).
        common["enable_auth_state"] = True
    else:
        members_of = members(settings.users, settings.groups)
        hub["load_groups"] = {group: {"users": names} for group, names in members_of.items()}
    options = _BUILDERS[authentication.type](authentication, secret)
    if isinstance(authentication, OAuthSignIn):
        options = {
            "client_id": authentication.client_id,
            "client_secret": secret,
            "oauth_callback_url": settings.oauth_callback_url,
            **options,
        }
    if isinstance(authentication, WithGroups):
        options |= _groups_there(authentication)
    return {"JupyterHub": hub, "Authenticator": common, **({section: options} if options else {})}


def manages_groups(settings: Settings) -> bool:
    """Tell whether the provider says which groups somebody is in, and the settings only add to that."""
    return isinstance(settings.authentication, WithGroups) and settings.authentication.asks_for_groups


def sign_in_settings(settings: Settings, secret: pulumi.Input[str] | None) -> Options | None:
    """Return what `qhub.platform.hub.qhub_sign_in` reads; None where the options alone say everything."""
    authentication = settings.authentication
    if authentication.type == "native":
        return {
            "type": "native",
            "admin_users": list(authentication.admin_users),
            "admin_password": secret,
            "sign_up": authentication.sign_up,
        }
    made: Options = {"type": authentication.type}
    if isinstance(authentication, WithGroups) and authentication.asks_for_groups:
        made |= {
            "groups_claim": getattr(authentication, "groups_claim", None),
            "known_groups": sorted({*getattr(authentication, "allowed_groups", ()), *authentication.admin_groups}),
            "group_mapping": dict(authentication.group_mapping),
            "members": members(settings.users, settings.groups),
        }
    if authentication.type == "oidc":
        made |= {"issuer": authentication.issuer, "username_claim": authentication.username_claim}
    return made if len(made) > 1 else None


def _groups_there(authentication: WithGroups) -> Options:
    """Return the options about groups of the provider."""
    # GitLab's has an option of its own.
    allowed = () if isinstance(authentication, GitLabAuthentication) else getattr(authentication, "allowed_groups", ())
    named = {"allowed_groups": allowed, "admin_groups": authentication.admin_groups}
    return {option: [THERE + name for name in names] for option, names in named.items() if names}


def _dummy(_: DummyAuthentication, secret: pulumi.Input[str] | None) -> Options:
    return {} if secret is None else {"password": secret}


def _native(authentication: NativeAuthentication, _: pulumi.Input[str] | None) -> Options:
    return {
        # Not `enable_signup`: while it is off nobody can make an account, and neither can we for the administrators.
        "open_signup": authentication.allow_all,
        "minimum_password_length": authentication.minimum_password_length,
        "check_common_password": True,
        # A pause of 10 minutes after 5 wrong passwords; without it they could be tried out without end.
        "allowed_failed_logins": 5,
        "seconds_before_next_try": 600,
    }


def _github(authentication: GitHubAuthentication, _: pulumi.Input[str] | None) -> Options:
    options: Options = {
        "allowed_organizations": list(authentication.organizations),
        # Needed to see a membership that is not public.
        "scope": ["read:org"],
    }
    if authentication.asks_for_groups:
        options["populate_teams_in_auth_state"] = True
    return options


def _gitlab(authentication: GitLabAuthentication, _: pulumi.Input[str] | None) -> Options:
    return {
        "gitlab_url": authentication.url,
        # Its own look-up, which also finds members of a group above.
        "allowed_gitlab_groups": list(authentication.allowed_groups),
        "scope": ["read_user", "read_api"] if authentication.asks_for_groups else ["read_user"],
    }


def _google(authentication: GoogleAuthentication, _: pulumi.Input[str] | None) -> Options:
    return {
        "hosted_domain": list(authentication.hosted_domains),
        # Said, since the default depends on how many domains there are: a second one would rename everybody.
        "strip_domain": authentication.strip_domain,
    }


def _azuread(authentication: AzureAdAuthentication, _: pulumi.Input[str] | None) -> Options:
    base = f"https://login.microsoftonline.com/{authentication.tenant}/oauth2/v2.0"
    return {
        "tenant_id": authentication.tenant,
        # The class itself goes to version 1, which knows no `preferred_username`.
        "authorize_url": f"{base}/authorize",
        "token_url": f"{base}/token",
        "scope": ["openid", "profile", "email"],
        # Its default is the name that people show to others: not unique, and theirs to change.
        "username_claim": authentication.username_claim,
        "login_service": "Microsoft",
    }


def _auth0(authentication: Auth0Authentication, _: pulumi.Input[str] | None) -> Options:
    return {
        "auth0_domain": authentication.domain,
        "scope": ["openid", "profile", "email"],
        "username_claim": authentication.username_claim,
    }


def _oidc(authentication: OidcAuthentication, _: pulumi.Input[str] | None) -> Options:
    addresses = {
        "authorize_url": authentication.authorize_url,
        "token_url": authentication.token_url,
        "userdata_url": authentication.userinfo_url,
    }
    return {
        "login_service": authentication.name,
        "scope": list(authentication.scopes),
        "username_claim": authentication.username_claim,
        **{option: address for option, address in addresses.items() if address is not None},
    }


def _cilogon(authentication: CILogonAuthentication, _: pulumi.Input[str] | None) -> Options:
    options: Options = {"idps": {idp.entity_id: _institution(idp) for idp in authentication.identity_providers}}
    return options if authentication.skin is None else options | {"skin": authentication.skin}


def _institution(idp: IdentityProvider) -> Options:
    naming: Options = {"username_claim": idp.username_claim}
    if idp.strip_domain is not None:
        naming |= {"action": "strip_idp_domain", "domain": idp.strip_domain}
    elif idp.prefix is not None:
        naming |= {"action": "prefix", "prefix": idp.prefix}
    made: Options = {"username_derivation": naming, "default": idp.default, "allow_all": idp.allow_all}
    return made | ({"allowed_domains": list(idp.allowed_domains)} if idp.allowed_domains else {})


_BUILDERS: Mapping[str, Callable[[Any, pulumi.Input[str] | None], Options]] = {
    "dummy": _dummy,
    "native": _native,
    "github": _github,
    "gitlab": _gitlab,
    "google": _google,
    "azuread": _azuread,
    "auth0": _auth0,
    "oidc": _oidc,
    "cilogon": _cilogon,
}
