"""Sign-in as people live it: the real hub with our values, against a real provider on this machine."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.unit.hub.provider import Person, Provider, RunningProvider
from tests.unit.hub.running import UNKNOWN_OPTION, Hub, running_hub
from tests.unit.hub.signing_in import HTTPS, values_for

#: type -> what stands in the stack file besides client_id and client_secret; the options that lead to the server of the
#: test where the stack file names no address; ada's claims, and the groups there of a member, an administrator, and of
#: somebody who may not come in.
CASES: dict[str, tuple[dict[str, Any], dict[str, str], dict[str, Any], tuple[tuple[str, ...], ...]]] = {
    "github": (
        {
            "organizations": ["lab:data"],
            "admin_groups": ["lab:ops"],
            "group_mapping": {"lab:data": "analyst"},
        },
        {"github_url": ""},
        {"login": "Ada", "email": "ada@lab.org", "id": 7},
        (("lab:data",), ("lab:ops",), ("lab",)),
    ),
    "gitlab": (
        {
            "url": HTTPS,
            "allowed_groups": ["lab/data"],
            "admin_groups": ["lab/ops"],
            "group_mapping": {"lab/data": "analyst"},
        },
        {},
        {"username": "ada", "id": 7, "email": "ada@lab.org"},
        (("other", "lab/data"), ("other", "lab/ops"), ("other", "analyst")),
    ),
    "azuread": (
        {
            "tenant": "lab.org",
            "username_claim": "nickname",
            "allowed_groups": ["1-data"],
            "admin_groups": ["1-ops"],
            "group_mapping": {"1-data": "analyst"},
        },
        {"authorize_url": "/authorize", "token_url": "/token"},
        {"name": "Grace", "nickname": "ada"},
        (("1-data",), ("1-ops",), ("analyst",)),
    ),
    "auth0": (
        {
            "domain": "lab.eu.auth0.com",
            "username_claim": "nickname",
            "groups_claim": "https://lab.org/groups",
            "allowed_groups": ["data"],
            "admin_groups": ["ops"],
            "group_mapping": {"data": "analyst"},
        },
        {"authorize_url": "/authorize", "token_url": "/token", "userdata_url": "/userinfo"},
        {"nickname": "ada", "email": "ada@lab.org", "email_verified": True},
        (("data",), ("ops",), ("analyst",)),
    ),
    "oidc": (
        {
            "issuer": HTTPS,
            "allowed_groups": ["data"],
            "admin_groups": ["ops"],
            "group_mapping": {"data": "analyst"},
        },
        {},
        {"preferred_username": "ada", "sub": "7"},
        (("data",), ("ops",), ("analyst",)),
    ),
}


def person(kind: str, claims: dict[str, Any], groups: tuple[str, ...]) -> Person:
    """Return somebody, with their groups where this provider tells them."""
    claim = {"azuread": "groups", "auth0": "https://lab.org/groups", "oidc": "groups"}.get(kind)
    return Person({**claims, claim: list(groups)} if claim else claims, groups)


@pytest.fixture(scope="module")
def provider() -> Generator[Provider]:
    with RunningProvider() as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_fails(provider: Provider) -> None:
    provider.failure, provider.issuer, provider.failure_status = None, None, 400


@pytest.fixture(scope="module", params=CASES)
def case(
    request: pytest.FixtureRequest, provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Generator[tuple[str, Hub, dict[str, Any], tuple[tuple[str, ...], ...]]]:
    """Run a hub for each provider that tells groups."""
    kind = request.param
    written, options, claims, groups = CASES[kind]
    with running_hub(values_for(kind, written, options, provider), tmp_path_factory.mktemp(kind)) as hub:
        yield kind, hub, claims, groups


class TestProvidersWithGroups:
    def test_a_member_of_an_allowed_group_comes_in(self, case: Any, provider: Provider) -> None:
        kind, hub, claims, (member, _, _) = case
        provider.person = person(kind, claims, member)
        answer = hub.browser().sign_in()
        ada = hub.user("ada")

        assert (answer.status_code, urlsplit(answer.headers["Location"]).path) == (302, "/hub/spawn")
        assert ada is not None
        assert ada["admin"] is False
        # One of the provider by the mapping, one of the settings.
        assert {"analyst", "developer"} <= set(ada["groups"])

    def test_a_member_of_an_admin_group_is_an_administrator_while_that_lasts(
        self, case: Any, provider: Provider
    ) -> None:
        kind, hub, claims, (member, admin, _) = case
        provider.person = person(kind, claims, admin)
        hub.browser().sign_in()
        first = hub.user("ada")
        provider.person = person(kind, claims, member)
        hub.browser().sign_in()
        then = hub.user("ada")

        assert first is not None
        assert then is not None
        assert first["admin"] is True
        assert "analyst" not in first["groups"]
        assert then["admin"] is False

    def test_others_stay_outside_also_with_a_group_that_is_called_like_one_of_ours(
        self, case: Any, provider: Provider
    ) -> None:
        kind, hub, claims, (_, _, outsider) = case
        key = next(key for key, value in claims.items() if str(value).lower() == "ada")
        provider.person = person(kind, {**claims, key: "mallory"}, outsider)
        answer = hub.browser().sign_in()

        assert answer.status_code == 403
        assert "not currently authorized" in answer.text
        assert hub.user("mallory") is None

    def test_an_answer_to_a_question_that_another_browser_asked_is_refused(self, case: Any, provider: Provider) -> None:
        kind, hub, claims, (member, _, _) = case
        provider.person = person(kind, claims, member)
        victim, attacker = hub.browser(), hub.browser()
        victim.to_provider()
        stolen = attacker.go(attacker.to_provider()).headers["Location"]
        answer = victim.go(stolen)

        assert answer.status_code == 400
        assert "OAuth state mismatch" in answer.text
        # And without any question at all.
        assert "OAuth state missing from cookies" in hub.browser().go(stolen).text

    def test_what_the_provider_says_against_it_is_told(self, case: Any, provider: Provider) -> None:
        _, hub, _, _ = case
        denied = hub.browser().go("/hub/oauth_callback?error=access_denied&error_description=You+said+no")

        assert denied.status_code == 400
        assert "You said no" in denied.text

    def test_a_token_that_is_not_given_is_told(self, case: Any, provider: Provider) -> None:
        kind, hub, _, _ = case
        provider.failure = ("invalid_client", "the secret has expired")
        provider.failure_status = 200 if kind == "github" else 400
        answer = hub.browser().sign_in()

        assert answer.status_code in (403, 500)
        assert "the secret has expired" in (answer.text if kind == "github" else hub.log.read_text())

    def test_the_hub_knows_every_option(self, case: Any) -> None:
        assert UNKNOWN_OPTION not in case[1].log.read_text()
