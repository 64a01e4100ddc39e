"""Which options of a profile somebody may have. Runs in the hub when a server is to be started.

KubeSpawner checks a request on the way from its form. A request to the hub's API need not name a profile: KubeSpawner
then takes the default one and looks at none of its options, so that a choice that nobody offers would leave a server
without any limit, or run any image. It also matches only the beginning of a text that people type. So all of it is
checked here, for forms and for the API alike.

Runs in the hub's image (Python 3.11 or newer, JupyterHub 5.3 or newer, KubeSpawner 7).
"""

import html
import re

#: What an image reference is made of. Nothing in it is a placeholder of KubeSpawner or a second argument of anything.
REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,499}")

UNLISTED = "--unlisted-choice"


def profile_of(profiles, slug):
    """Return the profile that KubeSpawner takes for a slug, or None for one that is not offered.

    Without a slug, it is the default profile, or the first where the default one is not open to this user.
    """
    if not slug:
        return next((profile for profile in profiles if profile.get("default")), profiles[0])
    return next((profile for profile in profiles if profile["slug"] == slug), None)


def refusal(profiles, chosen):
    """Return why somebody's choices are not to be had; None where they are.

    Args:
        profiles: those that are open to the user, as in KubeSpawner's `profile_list`.
        chosen: what was asked for: anything at all, since the API takes anything.
    """
    if not profiles:
        return None
    profile = profile_of(profiles, chosen.get("profile"))
    if profile is None:
        return f"There is no profile {chosen['profile']} that you may choose."
    for name, option in profile.get("profile_options", {}).items():
        choice, typed = chosen.get(name), chosen.get(name + UNLISTED)
        if typed:
            problem = _typed_refusal(option, typed)
            if problem:
                return problem
        elif choice and not (isinstance(choice, str) and choice in option["choices"]):
            offered = ", ".join(option["choices"])
            return f"{option['display_name']} {choice} is none of those that profile {profile['slug']} has: {offered}."
    return None


def _typed_refusal(option, typed):
    """Return why a text that somebody typed is refused; None where it is not."""
    unlisted = option.get("unlisted_choice", {})
    if not unlisted.get("enabled"):
        return f"{option['display_name']}: only what is in the list can be had."
    fits = isinstance(typed, str) and re.fullmatch(unlisted["validation_regex"], typed) and REFERENCE.fullmatch(typed)
    # The message is HTML, for KubeSpawner's form.
    return (
        None if fits else f"{typed} is no image that you may run: it {html.unescape(unlisted['validation_message'])}."
    )


async def check(spawner, chosen):
    """Refuse what is not to be had. JupyterHub calls this before each start, whichever way it was asked for.

    Raises:
        tornado.web.HTTPError: 400, with the reason for the page and for the API.
    """
    from tornado.web import HTTPError

    profiles = spawner.profile_list
    if callable(profiles):
        profiles = profiles(spawner)
    problem = refusal(profiles, chosen or {})
    if problem:
        raise HTTPError(400, problem)


def install(c, spawner_class):
    """Have JupyterHub ask `check`.

    Args:
        c: the hub's configuration object.
        spawner_class: JupyterHub's.

    Raises:
        RuntimeError: this JupyterHub would not ask. Better no hub than one that starts whatever is asked for.
    """
    if not hasattr(spawner_class, "apply_user_options"):
        raise RuntimeError("profiles with sizes or images need JupyterHub 5.3 or newer: charts.jupyterhub.version")
    c.Spawner.apply_user_options = check


if "c" in globals():
    from jupyterhub.spawner import Spawner

    install(globals()["c"], Spawner)
