"""What may stand in the section `authentication`, way by way."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from qhub.config import Settings

OAUTH = {"client_id": "id", "client_secret": "a-secret-nobody-may-see"}


def settings_of(**authentication: Any) -> Settings:
    return Settings.model_validate({"domain": "hub.lab.org", "authentication": authentication})


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"type": "gitlab", "url": "http://git.lab.org"}, "passwords cross it: write https://"),
        ({"type": "gitlab", "url": "git.lab.org"}, "is not an address"),
        ({"type": "oidc", "issuer": "https://login.lab.org/?tenant=1"}, 'has a part after "?"'),
        ({"type": "azuread", "tenant": "my tenant"}, "is not a tenant"),
        ({"type": "auth0", "domain": "https://lab.eu.auth0.com"}, "write the host name alone: lab.eu.auth0.com"),
        ({"type": "google", "hosted_domains": ["@lab.org"]}, "is not a DNS name"),
        ({"type": "github", "admin_groups": ["lab"]}, "write organization:team"),
        ({"type": "github", "group_mapping": {"lab": "analyst"}}, "write organization:team"),
        ({"type": "cilogon", "identity_providers": []}, "at least 1"),
        ({"type": "cilogon", "identity_providers": [{"entity_id": "uni.edu"}]}, "is not an EntityID"),
        ({"type": "cilogon", "identity_providers": [{"entity_id": "urn:a", "prefix": "uni:"}]}, "is not a prefix"),
        ({"type": "cilogon", "identity_providers": [{"entity_id": "urn:a", "allowed_domains": ["*"]}]}, "not a domain"),
    ],
)
def test_a_value_of_the_wrong_form_is_told_with_the_right_one(written: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as told:
        settings_of(**OAUTH, allow_all=True, **written)

    assert words in str(told.value)
    assert "nobody-may-see" not in str(told.value)


def test_accounts_of_the_hosted_domains_may_sign_in_unless_some_are_named() -> None:
    def lets_all_in(**written: Any) -> bool:
        return settings_of(type="google", **OAUTH, **written).authentication.allow_all

    assert lets_all_in(hosted_domains=["lab.org"])
    assert not lets_all_in(hosted_domains=["lab.org"], allowed_users=["ada@lab.org"])
    assert not lets_all_in(allowed_users=["ada@lab.org"])


@pytest.mark.parametrize(("written", "warned"), [({"hosted_domains": ["lab.org"]}, False), ({"allow_all": True}, True)])
def test_only_a_door_that_is_open_to_the_world_is_warned_of(written: dict[str, Any], warned: bool) -> None:
    told = [warning.key for warning in settings_of(type="google", **OAUTH, **written).warnings()]

    assert ("authentication.allow_all" in told) is warned


def test_accounts_of_the_hub_itself_come_in_through_an_administrator_only() -> None:
    # Whoever signed up first under a listed name would be let in.
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        settings_of(type="native", admin_users=["ada"], admin_password="a-long-password", allowed_users=["bob"])


def test_a_user_of_an_institution_may_be_named_with_its_prefix() -> None:
    written = settings_of(
        type="cilogon",
        **OAUTH,
        identity_providers=[{"entity_id": "urn:a", "prefix": "uni", "allow_all": True}],
        admin_users=["uni:ada"],
    )

    assert written.authentication.admin_users == ("uni:ada",)


def test_addresses_have_no_slash_at_their_end() -> None:
    written = settings_of(type="oidc", **OAUTH, allow_all=True, issuer="https://login.lab.org/realms/team/")

    assert written.authentication.model_dump()["issuer"] == "https://login.lab.org/realms/team"
