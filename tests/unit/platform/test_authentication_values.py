"""What people would notice of how each way of signing in is configured; `tests/unit/hub` tries them in the real hub."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.platform.building import SECRETS, hub_values, make_settings
from tests.unit.platform.strategies import PROVIDERS

OAUTH = {"client_id": "id", "client_secret": "s"}
GROUPS = {"users": {"ada": {"secondary_groups": ["analyst"]}}, "groups": {"analyst": {"gid": 1100}}}


def config(**authentication: Any) -> dict[str, Any]:
    return hub_values(make_settings(authentication=authentication, **GROUPS))["hub"]["config"]


@pytest.mark.parametrize("kind", PROVIDERS)
def test_every_provider_gets_its_secret_as_a_leaf_and_the_callback(kind: str) -> None:
    made = config(type=kind, **OAUTH, **PROVIDERS[kind])
    [options] = [section for name, section in made.items() if name.endswith("OAuthenticator")]

    assert options["client_secret"] == SECRETS.sign_in
    assert options["oauth_callback_url"] == "https://qhub.localhost/hub/oauth_callback"
    assert str(made).count(str(SECRETS.sign_in)) == 1


def test_names_at_microsoft_are_not_what_people_call_themselves() -> None:
    made = config(type="azuread", **OAUTH, tenant="lab.org", allow_all=True)["AzureAdOAuthenticator"]

    assert made["username_claim"] == "preferred_username"
    # The older addresses know no such claim.
    assert made["token_url"] == "https://login.microsoftonline.com/lab.org/oauth2/v2.0/token"


def test_groups_of_the_settings_are_loaded_unless_the_provider_says_who_is_in_one() -> None:
    alone = config(type="oidc", **OAUTH, issuer="https://a.org", allow_all=True)
    asked = config(type="oidc", **OAUTH, issuer="https://a.org", allowed_groups=["data"])

    assert alone["JupyterHub"]["load_groups"] == {"analyst": {"users": ["ada"]}}
    # JupyterHub does not start with both.
    assert "load_groups" not in asked["JupyterHub"]
    assert asked["Authenticator"]["manage_groups"] is True


def test_groups_of_a_provider_have_names_that_none_of_ours_can_have() -> None:
    made = config(type="oidc", **OAUTH, issuer="https://a.org", allowed_groups=["analyst"], admin_groups=["ops"])

    assert made["GenericOAuthenticator"]["allowed_groups"] == ["provider:analyst"]
    assert made["GenericOAuthenticator"]["admin_groups"] == ["provider:ops"]


def test_a_name_at_google_does_not_depend_on_how_many_domains_there_are() -> None:
    one = config(type="google", **OAUTH, hosted_domains=["a.org"])["GoogleOAuthenticator"]
    two = config(type="google", **OAUTH, hosted_domains=["a.org", "b.org"])["GoogleOAuthenticator"]

    assert one["strip_domain"] is two["strip_domain"] is False


def test_gitlab_is_asked_for_no_more_than_is_needed() -> None:
    assert config(type="gitlab", **OAUTH, allow_all=True)["GitLabOAuthenticator"]["scope"] == ["read_user"]
    asked = config(type="gitlab", **OAUTH, allowed_groups=["a/b"])["GitLabOAuthenticator"]["scope"]
    assert asked == ["read_user", "read_api"]


def test_code_for_signing_in_is_sent_only_where_it_has_something_to_do() -> None:
    def sent(**authentication: Any) -> bool:
        values = hub_values(make_settings(authentication=authentication))
        return "20-qhub-sign-in" in values["hub"]["extraConfig"]

    assert not sent(password="p")
    assert not sent(type="github", **OAUTH, organizations=["a"])
    assert sent(type="github", **OAUTH, admin_groups=["a:b"])
    assert sent(type="oidc", **OAUTH, issuer="https://a.org", allow_all=True)
    assert sent(type="native", admin_users=["ada"], admin_password="correct-horse")
