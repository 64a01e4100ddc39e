"""Who may sign in, users and groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qhub.config.judge import secret_command
from qhub.config.model import parse_key
from qhub.migrate.groups import group_name
from qhub.migrate.moving import Moving, Path
from qhub.migrate.rules import no_counterpart, of, to, walk

#: Their word -> ours. In Nebari, Keycloak keeps the passwords; here the hub does.
SIGN_INS = {"github": "github", "auth0": "auth0", "password": "native"}
#: Key of the secret of each.
SEALED = {"github": "client_secret", "auth0": "client_secret", "native": "admin_password", "dummy": "password"}
#: What QHub and Nebari call the group of administrators.
ADMINS = ("admin", "admins", "superadmin")
#: Below are the system's numbers, above some that other systems keep for themselves (qhub.config.users).
NUMBERS = range(1000, 60001)

_CONFIG = {
    "client_id": to("client_id"),
    "client_secret": lambda *_: None,  # told once, with the way of signing in
    "auth0_subdomain": to("domain", lambda name: f"{name}.auth0.com"),
    "oauth_callback_url": lambda *_: None,  # read for the domain
    "scope": no_counterpart(
        "QHub asks for what it needs: openid, profile and email", usual=(["openid", "email", "profile"],)
    ),
    "*": no_counterpart("a setting of another authenticator: see `qhub explain authentication`"),
}


def authentication(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """`security.authentication`: the way of signing in, its application, its secret."""
    theirs = value.get("type", "password") if isinstance(value, Mapping) else "password"
    ours = SIGN_INS.get(str(theirs).lower(), "")
    if value is False:
        ours = "dummy"
    if not ours:
        moving.note(
            "asked",
            (*path, "type"),
            f"{theirs} is no way of signing in of QHub's: choose one, `qhub explain authentication`",
        )
        return
    moving.put(("authentication", "type"), ours)
    config = value.get("config") if isinstance(value, Mapping) else None
    if ours in ("github", "auth0"):
        walk(
            moving,
            _CONFIG,
            config if isinstance(config, Mapping) else {},
            path=(*path, "config"),
            under=("authentication",),
            top=len(path) + 1,
        )
        _application(moving, path)
    if ours == "native":
        moving.note(
            "changed",
            path,
            "the hub keeps accounts itself: people make theirs anew at /hub/signup, an administrator lets them in",
        )
    key = f"authentication.{SEALED[ours]}"
    moving.secrets.append(key)
    there = isinstance(config, Mapping) and "client_secret" in config
    here = (*path, "config", "client_secret") if there else path
    moving.note("asked", here, f"a secret is never written: run `{secret_command(parse_key(key), stack=moving.stack)}`")


def _application(moving: Moving, path: Path) -> None:
    if moving.has_keycloak:
        moving.note(
            "changed",
            (*path, "config"),
            "people sign in there without Keycloak between: change the application's callback URL to "
            "https://<domain>/hub/oauth_callback",
        )


def user(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """`security.users.<name>`: uid and groups; whoever is listed may sign in, and in group admin administers."""
    name = str(path[-1]).lower()
    if moving.get(("users", name)) is not None:
        moving.note("asked", path, f"JupyterHub lower-cases names at sign-in, and there is {name} already: left out")
        return
    if name != path[-1]:
        moving.note("changed", path, f"is {name} here: JupyterHub lower-cases names at sign-in")
    known = {
        "uid": _uid,
        "primary_group": _primary_group,
        "secondary_groups": of(list, _secondary_groups),
        "password": no_counterpart("passwords do not come over: people choose their own at /hub/signup"),
    }
    moving.put(("users", name), {})
    walk(moving, known, value, path=path, under=("users", name), top=len(path))
    groups = set(_of_user(moving.settings["users"][name]))
    native = moving.get(("authentication", "type")) == "native"
    key = "admin_users" if groups & set(ADMINS) else "" if native else "allowed_users"
    if key:
        moving.put(("authentication", key), [*(moving.get(("authentication", key)) or ()), name])


def group(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """`security.groups.<name>`: its number."""
    name = group_name(moving, path, path[-1])
    if moving.get(("groups", name)) is not None:
        moving.note("asked", path, f"group {name} is there already: nothing was made of this one")
        return
    moving.put(("groups", name), {})
    known = {"gid": to("gid"), "*": no_counterpart("a group has a gid here, and members who may only read")}
    walk(moving, known, value, path=path, under=("groups", name), top=len(path))


def keycloak(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """`security.keycloak`: there is none, and with it no list of people and groups."""
    moving.note(
        "lost",
        path,
        "there is no Keycloak: people sign in at the provider itself. One that you run: `authentication.type: oidc`",
    )


def who_may_sign_in(moving: Moving) -> None:
    """Ask for what only Keycloak knew."""
    sign_in = moving.get(("authentication",)) or {}
    if not moving.has_keycloak or sign_in.get("type") in (None, "dummy") or sign_in.get("admin_users"):
        return
    ways = {"github": "organizations, allowed_users, ", "auth0": "allowed_users, "}.get(sign_in["type"], "")
    moving.note(
        "asked",
        ("security",),
        f"who may sign in and who administers was in Keycloak: name them in qhub:authentication ({ways}admin_users)",
    )
    moving.note(
        "changed",
        ("security",),
        "users and groups were in Keycloak: list those with a folder in qhub:groups, and their members in qhub:users",
    )


def declared_groups(moving: Moving) -> None:
    """Take over the groups that profiles or users name and the file does not declare: Keycloak had them."""
    groups = moving.settings.get("groups", {})
    # What is no number is told with what else is wrong; text of digits is one, as in the settings.
    taken = {int(str(gid)) for gid in (below.get("gid") for below in groups.values()) if str(gid).isdecimal()}
    named = [name for user in moving.settings.get("users", {}).values() for name in _of_user(user)]
    for choices in ("jupyterhub", "dask"):
        for profile in moving.settings.get(choices, {}).get("profiles", {}).values():
            named += profile.get("groups") or []
    # From 1100 on, as in the project's own examples; each is told.
    free = (number for number in range(1100, 60000) if number not in taken)
    for name in dict.fromkeys(one for one in named if one not in groups):
        moving.put(("groups", name, "gid"), next(free))
        moving.note(
            "changed",
            ("security",),
            f"group {name} has no number in the file: gid {moving.get(('groups', name, 'gid'))} was taken",
        )


def _of_user(user: dict[str, Any]) -> list[str]:
    return [one for one in (user.get("primary_group"), *user.get("secondary_groups", ())) if one]


def _primary_group(moving: Moving, path: Path, value: Any, under: Path) -> None:
    if value:
        moving.put((*under, "primary_group"), group_name(moving, path, value))


def _secondary_groups(moving: Moving, path: Path, value: Any, under: Path) -> None:
    names = [group_name(moving, (*path, place), one) for place, one in enumerate(value) if one]
    moving.put((*under, "secondary_groups"), names)


def _uid(moving: Moving, path: Path, value: Any, under: Path) -> None:
    if str(value).isdigit() and int(value) in NUMBERS:
        moving.put((*under, "uid"), int(value))
    else:
        moving.note(
            "changed",
            path,
            f"is not from {NUMBERS[0]} to {NUMBERS[-1]}: QHub gives a number of its own; `chown` files that come over",
        )
