"""Who is an administrator, as the real hub has it from one start to the next, with its database of before."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from jupyterhub.roles import get_default_roles

from tests.unit.hub.running import running_hub
from tests.unit.platform.building import hub_values, make_settings

DATABASE = "jupyterhub.sqlite"
OIDC = {"type": "oidc", "issuer": "https://login.test", "client_id": "i", "client_secret": "s", "admin_users": ["ada"]}


def start(folder: Path, before: Path | None, **sections: Any) -> dict[str, bool]:
    """Start a hub on the database of the one before; return who of two people is an administrator."""
    folder.mkdir()
    if before is not None:
        shutil.copy(before / DATABASE, folder / DATABASE)
    with running_hub(hub_values(make_settings(**sections)), folder) as hub:
        found = {name: hub.user(name) for name in ("ada", "bob")}
    return {name: user["admin"] for name, user in found.items() if user is not None}


@pytest.mark.parametrize(
    ("authentication", "sections", "lists"),
    [
        ({"type": "dummy", "password": "p", "allow_all": True}, {"dask": {"enabled": False}}, [{"ada", "bob"}, set()]),
        ({"type": "native", "admin_password": "first-of-all-times"}, {}, [{"ada", "bob"}, {"ada"}]),
    ],
    ids=["dummy, without Dask", "native"],
)
def test_who_is_taken_out_of_the_list_is_none_any_more(
    authentication: dict[str, Any], sections: dict[str, Any], lists: list[set[str]], tmp_path: Path
) -> None:
    before = None
    for number, names in enumerate(lists):
        folder = tmp_path / str(number)
        made = start(folder, before, authentication={**authentication, "admin_users": sorted(names)}, **sections)
        before = folder

        assert made == {name: name in names for name in ("ada", "bob")}
    # What administrators may do is what JupyterHub says.
    with sqlite3.connect(folder / DATABASE) as database:
        [(scopes,)] = database.execute("SELECT scopes FROM roles WHERE name = 'admin'")
    assert json.loads(scopes) == next(role["scopes"] for role in get_default_roles() if role["name"] == "admin")


def test_groups_of_the_provider_make_administrators_and_no_list_takes_that_from_them() -> None:
    roles = [
        hub_values(make_settings(authentication={**OIDC, **groups}))["hub"]["loadRoles"]
        for groups in ({"admin_groups": ["ops"]}, {})
    ]

    assert [made.get("admin") for made in roles] == [None, {"users": ["ada"]}]
