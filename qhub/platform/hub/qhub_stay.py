"""Whether somebody who is signed in may go on.

JupyterHub asks its authenticator that (`refresh_user`) at somebody's first request after a start of the hub, then when
five minutes have passed (`auth_refresh_age`), and where there is an authentication state also before a server starts.
It takes a no, and any error, for "signed out": the person's pages, tokens and running servers are refused.

- Its authenticators do not look at who may come in again: whoever is taken out of a list keeps what they have. Here the
  lists of names and groups hold for those too who are signed in.
- oauthenticator says no as soon as the provider's token has expired, and fails where the provider does. Neither means
  that somebody may not work here any more, so here both leave everything as it was at the last answer.

Runs in the hub's image (Python 3.11 or newer, JupyterHub 5, oauthenticator 17).
"""

import asyncio
from importlib.metadata import entry_points

#: Seconds that a provider may take for its answer while a request waits for it. Servers wait 20 for the hub's answer.
PATIENCE = 10


def class_named(named):
    """Return the authenticator's class, which JupyterHub's configuration may give by a name."""
    if isinstance(named, type):
        return named
    known = {entry.name.lower(): entry for entry in entry_points(group="jupyterhub.authenticators")}
    if named.lower() in known:
        return known[named.lower()].load()
    from traitlets.utils.importstring import import_item

    return import_item(named)


def let_in_otherwise(authenticator):
    """Tell whether options besides lists of names and of groups of the hub let people in.

    What those look at (a membership, a domain) is known at the sign-in only. An option of this kind is called allow...,
    as in JupyterHub's own `any_allow_config`; CILogon's are those of its institutions.
    """
    lists = {"allow_all", "allow_existing_users", "allowed_users"}
    if authenticator.manage_groups:
        lists.add("allowed_groups")
    options = {name for name in authenticator.trait_names(config=True) if name.startswith("allow")} - lists
    institutions = getattr(authenticator, "idps", {}).values()
    return any(getattr(authenticator, name) for name in options) or any(
        institution.get("allow_all") or institution.get("allowed_domains") for institution in institutions
    )


def listed(authenticator, user):
    """Tell whether a list of names, or of groups that the hub knows somebody in, lets somebody in."""
    names = authenticator.allowed_users | authenticator.admin_users
    groups = getattr(authenticator, "allowed_groups", set()) | getattr(authenticator, "admin_groups", set())
    return authenticator.allow_all or user.name in names or any(group.name in groups for group in user.groups)


def staying(authenticator):
    """Return the class of an authenticator that looks again at who may come in, and can tell no answer from a no."""
    from tornado.web import HTTPError

    class Staying(authenticator):
        async def refresh_user(self, user, handler=None):
            """Return True for "as before", False for "signed out", or what is new of somebody."""
            told = await (self.ask(user, handler) if self.enable_auth_state else super().refresh_user(user, handler))
            if told is not True:
                return told
            return let_in_otherwise(self) or listed(self, user)

        async def ask(self, user, handler):
            """Return what is new of somebody at the provider, False for a no, or True for no answer."""
            try:
                async with asyncio.timeout(PATIENCE):
                    model = await super().refresh_user(user, handler)
                    if not isinstance(model, dict):
                        # There is no token of the provider, or none that it still takes.
                        return True
                    # Who has another name there now, by another claim, is somebody else here.
                    same = model["name"] == user.name
                    return model if same and await self.check_allowed(user.name, model) else False
            except Exception as error:
                # As of an address that is not verified any more.
                if isinstance(error, HTTPError) and error.status_code == 403:
                    return False
                self.log.warning("Nothing new of %s from the provider: %r", user.name, error)
                return True

        async def httpfetch(self, url, *arguments, **named):
            """Ask the provider. Look-ups of a membership take every status for a no, also that of a broken provider."""
            answer = await super().httpfetch(url, *arguments, **named)
            if getattr(answer, "code", 200) >= 500:
                answer.rethrow()
            return answer

    return Staying


def install(c):
    """Have the hub use it, whichever authenticator its configuration object `c` names."""
    c.JupyterHub.authenticator_class = staying(class_named(c.JupyterHub.authenticator_class))


if "c" in globals():
    install(globals()["c"])
