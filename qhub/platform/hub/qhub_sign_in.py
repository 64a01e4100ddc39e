"""What the hub does when somebody signs in, beyond what options of its authenticators can say.

Settings come from `custom.qhub.sign_in` of the chart's values; every key but `type` may be missing:

    type:           as in the stack file: github, gitlab, azuread, auth0, oidc, native
    groups_claim:   claim with the list of groups; null where groups are looked up otherwise
    known_groups:   groups of the provider that let somebody in, or make them an administrator
    group_mapping:  {group of the provider: group of the settings}
    members:        {group of the settings: [users whom the settings put into it]}
    issuer:         address of an OpenID provider that describes itself; null where the addresses are given
    username_claim: claim that becomes the user name
    admin_users, admin_password, sign_up: of native accounts

Runs in the hub's image (Python 3.11 or newer, JupyterHub 5, oauthenticator 17, nativeauthenticator 1.3).
"""

import json
import time
import urllib.error
import urllib.request

#: As in qhub.platform.authentication_values: no group of the settings can have such a name.
THERE = "provider:"

#: Key of what we put into an authentication state.
MINE = "qhub"

#: Tries to read an issuer's description, and seconds between them: one that restarts is there again after a minute.
#: After that the hub ends with the reason in its log, and Kubernetes starts it again.
TRIES = 6
PAUSE = 10

#: Pages of 100 groups that are read of one person.
PAGES = 20


class SignInError(Exception):
    """The hub cannot offer the sign-in that it is configured for."""


def names_there(auth_state, settings):
    """Return the names of the groups that the provider says somebody is in.

    GitHub's teams are organization:team, GitLab's groups full paths. A claim that is one text is one group.
    """
    if settings["type"] == "github":
        return {f"{team['organization']['login']}:{team['slug']}" for team in auth_state.get("teams", ())}
    if settings["type"] == "gitlab":
        return set(auth_state[MINE]["groups"])
    claims = auth_state[MINE]["claims"]
    found = claims.get(settings["groups_claim"]) or ()
    return {found} if isinstance(found, str) else {str(name) for name in found}


def groups_of(auth_state, settings):
    """Return the groups that the hub knows somebody in: those of the settings, and provider groups that matter.

    A group of the provider never becomes one of the settings by its name alone, only by `group_mapping`.
    """
    there = names_there(auth_state, settings)
    name = auth_state[MINE]["name"]
    mine = {group for group, names in settings["members"].items() if name in names}
    mine |= {settings["group_mapping"][group] for group in there if group in settings["group_mapping"]}
    return sorted(mine | {THERE + group for group in there if group in settings["known_groups"]})


async def gitlab_groups(authenticator, auth_state):
    """Return the full paths of the groups of a person, read with the person's own token."""
    token = auth_state["token_response"]
    headers = authenticator.build_userdata_request_headers(token["access_token"], token["token_type"])
    paths, page = [], "1"
    for _ in range(PAGES):
        # 10: guest, the least that makes somebody a member.
        url = f"{authenticator.gitlab_api}/groups?min_access_level=10&per_page=100&page={page}"
        answer = await authenticator.httpfetch(url, "reading groups", parse_json=False, headers=headers)
        paths += [group["full_path"] for group in json.loads(answer.body)]
        page = answer.headers.get("X-Next-Page")
        if not page:
            break
    return paths


def refuse_unverified(claims, username_claim):
    """Refuse a user name that is an e-mail address which the provider itself calls unverified.

    Raises:
        tornado.web.HTTPError: 403. Otherwise somebody could claim the address, and so the home, of another.
    """
    from tornado.web import HTTPError

    if username_claim == "email" and claims.get("email_verified", True) not in (True, "true"):
        raise HTTPError(
            403, f"{claims.get('email')} is not a verified address: verify it where you sign in, then try again"
        )


def completion(settings):
    """Return the function that puts into an authentication state what `groups_of` needs."""

    async def complete(authenticator, auth_state):
        claims = auth_state[authenticator.user_auth_state_key]
        if settings["type"] == "oidc":
            refuse_unverified(claims, settings["username_claim"])
        if "members" not in settings:
            return auth_state
        made = {"name": authenticator.normalize_username(authenticator.user_info_to_username(claims))}
        if settings["type"] == "gitlab":
            made["groups"] = await gitlab_groups(authenticator, auth_state)
        elif settings.get("groups_claim"):
            made["claims"] = {settings["groups_claim"]: claims.get(settings["groups_claim"])}
        return {**auth_state, MINE: made}

    return complete


def read_json(address):
    """Return what is at an address.

    Raises:
        OSError: nothing answers, or with an error.
        ValueError: the answer is not JSON.
    """
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - the settings take https only
        return json.load(answer)


def discover(issuer, read=read_json, wait=time.sleep):
    """Return {option: address} of an OpenID provider from its own description.

    Args:
        issuer: its address.
        read, wait: for tests.

    Raises:
        SignInError: there is no description after some tries, or it is of another issuer.
    """
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    for turn in range(TRIES):
        try:
            told = read(address)
            break
        except (OSError, ValueError) as error:
            reason = error
        if turn < TRIES - 1:
            wait(PAUSE)
    else:
        raise SignInError(f"authentication.issuer: {address} cannot be read: {reason}")
    if str(told.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
        raise SignInError(
            f"authentication.issuer: {address} is of another issuer, {told.get('issuer')}: write that one"
        )
    names = {
        "authorize_url": "authorization_endpoint",
        "token_url": "token_endpoint",
        "userdata_url": "userinfo_endpoint",
    }
    missing = [name for name in names.values() if name not in told]
    if missing:
        raise SignInError(f"authentication.issuer: {address} does not say its {', '.join(missing)}")
    return {option: told[name] for option, name in names.items()}


def native_authenticator(settings):
    """Return a NativeAuthenticator that has the administrators' accounts before anybody can sign up under their names.

    Raises (when the hub makes it):
        SignInError: admin_password is one that the authenticator refuses.
    """
    from nativeauthenticator import NativeAuthenticator

    class Native(NativeAuthenticator):
        def __init__(self, *arguments, **named):
            super().__init__(*arguments, **named)
            for name in settings["admin_users"]:
                made = self.user_exists(name) or self.create_user(name, settings["admin_password"])
                if not made:
                    raise SignInError(
                        "authentication.admin_password is too short or one of the most common: choose another"
                    )
            self.enable_signup = settings["sign_up"]

        async def refresh_user(self, user, handler=None):
            """Return whether an account is still let in; JupyterHub asks that of whoever is signed in."""
            account = self.get_user(user.name)
            return account is not None and account.is_authorized

    return Native


def install(c, settings):
    """Hook all this into the hub's configuration object `c`."""
    if settings["type"] == "native":
        c.JupyterHub.authenticator_class = native_authenticator(settings)
        return
    c.OAuthenticator.modify_auth_state_hook = completion(settings)
    if "members" in settings:
        c.OAuthenticator.auth_state_groups_key = lambda auth_state: groups_of(auth_state, settings)
    if settings.get("issuer"):
        found = discover(settings["issuer"])
        # What the settings give wins.
        for option, address in found.items():
            if option not in c.GenericOAuthenticator:
                c.GenericOAuthenticator[option] = address


if "c" in globals():
    from z2jh import get_config  # ty: ignore[import-not-found] - in the hub's image

    install(globals()["c"], get_config("custom.qhub.sign_in"))
