"""What becomes of somebody who is signed in: in the real hub, with their session and a token of theirs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.hub.provider import Person, Provider, RunningProvider
from tests.unit.hub.running import NO_CLUSTER, Browser, Hub, running_hub
from tests.unit.hub.signing_in import HTTPS, values_for

OIDC = {"issuer": HTTPS, "allowed_users": ["ada"]}
WITH_GROUPS = {"issuer": HTTPS, "allowed_groups": ["data"], "group_mapping": {"data": "analyst"}}
GITHUB = {"organizations": ["lab"], "group_mapping": {"lab:data": "analyst"}}
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
