"""What becomes of somebody who is signed in: in the real hub, with their session and a token of theirs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.hub.provider import Person, Provider, RunningProvider
from tests.unit.hub.running import NO_CLUSTER, Browser, Hub, running_hub
from tests.unit.hub.signing_in import HTTPS, values_for
from tests.unit.platform.building import SECRETS, hub_values, make_settings

OIDC = {"issuer": HTTPS, "allowed_users": ["ada"]}
WITH_GROUPS = {"issuer": HTTPS, "allowed_groups": ["data"], "group_mapping": {"data": "analyst"}}
GITHUB = {"organizations": ["lab"], "group_mapping": {"lab:data": "analyst"}}
PASSWORD = str(SECRETS.sign_in)
ADA = {"preferred_username": "ada", "login": "ada", "email": "ada@lab.org", "id": 7}


def at_each_request(values: dict[str, Any]) -> dict[str, Any]:
    """Have the hub find at each request that five minutes have passed."""
    values["hub"]["config"]["Authenticator"]["auth_refresh_age"] = -1
    return values


def doors(hub: Hub, browser: Browser, token: str) -> list[int]:
    """Return what the hub answers to somebody's session, to their token, and to what their server reports."""
    now = {"last_activity": datetime.now(UTC).isoformat()}
    return [
        browser.go("/hub/home").status_code,
        hub.as_program(token, "user").status_code,
        hub.as_program(token, "users/ada/activity", now).status_code,
    ]


def expire(provider: Provider) -> None:
    provider.tokens.clear()


def break_down(provider: Provider) -> None:
    provider.broken = ("/",)


def lose_memberships(provider: Provider) -> None:
    """Tell who somebody is and their teams, but answer no question for one membership."""
    provider.broken = ("/api/v3/orgs",)


@pytest.mark.parametrize(
    ("kind", "written", "trouble", "groups"),
    [
        ("oidc", OIDC, expire, {"developer"}),
        ("oidc", WITH_GROUPS, expire, {"analyst", "developer", "provider:data"}),
        ("oidc", WITH_GROUPS, break_down, {"analyst", "developer", "provider:data"}),
        ("github", GITHUB, expire, {"analyst", "developer"}),
        ("github", GITHUB, lose_memberships, {"analyst", "developer"}),
    ],
    ids=["no groups: expired", "expired", "broken", "GitHub: expired", "GitHub: partly broken"],
)
def test_who_is_signed_in_stays_so_while_the_provider_says_nothing(
    kind: str,
    written: dict[str, Any],
    trouble: Callable[[Provider], None],
    groups: set[str],
    tmp_path: Path,
) -> None:
    with RunningProvider() as provider:
        provider.person = Person({**ADA, "groups": ["data"]}, ("lab:data",))
        options = {"github_url": ""} if kind == "github" else {}
        with running_hub(at_each_request(values_for(kind, written, options, provider)), tmp_path) as hub:
            browser = hub.browser()
            browser.sign_in()
            token = browser.make_token("ada")
            trouble(provider)
            in_trouble = doors(hub, browser, token)
            provider.gone()
            then = doors(hub, browser, token)
            ada = hub.user("ada")

    assert in_trouble == then == [200, 200, 200]
    assert ada is not None
    assert set(ada["groups"]) == groups


def test_groups_are_looked_up_anew_when_a_server_starts(tmp_path: Path) -> None:
    with RunningProvider() as provider:
        provider.person = Person({**ADA, "groups": ["data"]})
        values = values_for("oidc", {**WITH_GROUPS, "admin_groups": ["ops"], "allowed_users": ["ada"]}, {}, provider)
        values["hub"]["extraConfig"]["99-no-cluster"] = NO_CLUSTER
        with running_hub(values, tmp_path) as hub:
            browser = hub.browser()
            browser.sign_in()
            provider.person.claims["groups"] = ["ops"]
            browser.go("/hub/home")
            before = hub.user("ada")
            started = browser.press("users/ada/server", {})
            after = hub.user("ada")

    assert started.status_code == 202
    assert before is not None
    assert after is not None
    assert (before["admin"], set(before["groups"])) == (False, {"analyst", "developer", "provider:data"})
    assert (after["admin"], set(after["groups"])) == (True, {"developer", "provider:ops"})


def test_whom_the_provider_does_not_let_in_any_more_is_signed_out(tmp_path: Path) -> None:
    with RunningProvider() as provider:
        provider.person = Person({**ADA, "groups": ["data"]})
        with running_hub(at_each_request(values_for("oidc", WITH_GROUPS, {}, provider)), tmp_path) as hub:
            browser = hub.browser()
            browser.sign_in()
            token = browser.make_token("ada")
            before = doors(hub, browser, token)
            provider.person.claims["groups"] = ["other"]
            after = doors(hub, browser, token)

    assert before == [200, 200, 200]
    assert after == [302, 403, 403]


def again(folder: Path, before: Path) -> Path:
    """Return a folder for the next hub, with the database of the one before."""
    folder.mkdir()
    shutil.copy(before / "jupyterhub.sqlite", folder)
    return folder


@pytest.mark.parametrize(
    ("kind", "before", "after", "stays"),
    [
        ("oidc", {"allowed_users": ["ada", "bob"]}, {"allowed_users": ["bob"]}, False),
        ("oidc", {"allowed_users": ["ada", "bob"]}, {"allow_all": True}, True),
        ("oidc", {"allowed_groups": ["data"]}, {"allowed_groups": ["ops"]}, False),
        ("oidc", {"admin_groups": ["data"]}, {"admin_groups": ["data", "ops"]}, True),
        # Whether an organization has them is known at the sign-in only.
        ("github", {"allowed_users": ["ada"], "organizations": ["lab"]}, {"organizations": ["lab"]}, True),
    ],
    ids=["out of the list", "open to all", "another group", "one more group", "an organization"],
)
def test_whom_the_settings_do_not_let_in_any_more_is_signed_out(
    kind: str, before: dict[str, Any], after: dict[str, Any], stays: bool, tmp_path: Path
) -> None:
    with RunningProvider() as provider:
        provider.person = Person({**ADA, "groups": ["data"]}, ("lab:data",))
        options = {"github_url": ""} if kind == "github" else {}

        def values(written: dict[str, Any]) -> dict[str, Any]:
            addresses = {"issuer": HTTPS} if kind == "oidc" else {}
            return values_for(kind, {**addresses, **written}, options, provider)

        (tmp_path / "first").mkdir()
        with running_hub(values(before), tmp_path / "first") as hub:
            browser = hub.browser()
            browser.sign_in()
            token = browser.make_token("ada")
        expire(provider)
        with running_hub(values(after), again(tmp_path / "second", tmp_path / "first")) as hub:
            found = doors(hub, browser.at(hub), token)
            start = hub.as_program(token, "users/ada/server", {}).status_code

    assert found == ([200, 200, 200] if stays else [302, 403, 403])
    assert (start == 403) is not stays


def test_who_is_in_no_list_any_more_does_not_come_in_by_the_password_either(tmp_path: Path) -> None:
    def values(**lists: list[str]) -> dict[str, Any]:
        return hub_values(make_settings(authentication={"password": "p", **lists}))

    (tmp_path / "first").mkdir()
    with running_hub(values(allowed_users=["ada", "bob"]), tmp_path / "first") as hub:
        session = hub.browser()
        session.sign_in_with_password("ada", PASSWORD)
        token = session.make_token("ada")
    with running_hub(values(allowed_users=["bob"]), again(tmp_path / "second", tmp_path / "first")) as hub:
        found = doors(hub, session.at(hub), token)
        ada, bob = (hub.browser().sign_in_with_password(name, PASSWORD).status_code for name in ("ada", "bob"))
    with running_hub(values(admin_users=["ada"]), again(tmp_path / "third", tmp_path / "second")) as hub:
        administrator = doors(hub, session.at(hub), token)

    assert found == [302, 403, 403]
    assert (ada, bob) == (403, 302)
    assert administrator == [200, 200, 200]


def test_an_account_that_an_administrator_shuts_out_is_signed_out(tmp_path: Path) -> None:
    section = {"type": "native", "admin_users": ["root1"], "admin_password": PASSWORD}
    values = hub_values(make_settings(authentication=section), secrets=replace(SECRETS, sign_in=PASSWORD))
    with running_hub(at_each_request(values), tmp_path) as hub:
        hub.browser().sign_up("ada", "a-long-password-of-ada")
        admin, browser = hub.browser(), hub.browser()
        admin.sign_in_with_password("root1", PASSWORD)
        # The page lets an account in, and shuts it out the next time.
        admin.go("/hub/authorize/ada")
        browser.sign_in_with_password("ada", "a-long-password-of-ada")
        token = browser.make_token("ada")
        before = doors(hub, browser, token)
        admin.go("/hub/authorize/ada")
        after = doors(hub, browser, token)

    assert before == [200, 200, 200]
    assert after == [302, 403, 403]
