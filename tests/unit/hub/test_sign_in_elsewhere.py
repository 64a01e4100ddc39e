"""Sign-in at the providers that tell no groups, and accounts of the hub's own: the real hub with our values."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from qhub.platform.jupyterhub_values import JupyterHubSecrets
from tests.unit.hub.provider import Person, Provider, RunningProvider
from tests.unit.hub.running import UNKNOWN_OPTION, Hub, running_hub
from tests.unit.hub.signing_in import HTTPS, values_for
from tests.unit.platform.building import hub_values, make_settings

GOOGLE = "http://google.com/accounts/o8/id"
ADDRESSES = {
    "authorize_url": f"{HTTPS}/authorize",
    "token_url": f"{HTTPS}/token",
    "userinfo_url": f"{HTTPS}/userinfo",
}
UNIVERSITY = "https://idp.uni.edu/shibboleth"
PASSWORD = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def provider() -> Generator[Provider]:
    with RunningProvider() as running:
        yield running


class TestGoogle:
    @pytest.fixture(scope="class")
    @staticmethod
    def hub(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Generator[Hub]:
        written = {"hosted_domains": ["lab.org"], "strip_domain": True, "admin_users": ["ada"]}
        options = {"google_api_url": "", "authorize_url": "/authorize"}
        with running_hub(values_for("google", written, options, provider), tmp_path_factory.mktemp("google")) as hub:
            yield hub

    def account(self, address: str, hosted: str | None, *, verified: bool = True) -> Person:
        claims: dict[str, Any] = {"email": address, "verified_email": verified}
        return Person(claims if hosted is None else {**claims, "hd": hosted})

    def test_an_account_of_the_hosted_domain_comes_in_without_its_domain(self, hub: Hub, provider: Provider) -> None:
        provider.person = self.account("grace@lab.org", "lab.org")
        answer = hub.browser().sign_in()
        grace = hub.user("grace")

        assert answer.status_code == 302
        assert grace is not None
        assert grace["admin"] is False

    def test_an_administrator_of_the_settings_is_one(self, hub: Hub, provider: Provider) -> None:
        provider.person = self.account("ada@lab.org", "lab.org")
        hub.browser().sign_in()
        ada = hub.user("ada")

        assert ada is not None
        assert ada["admin"] is True

    @pytest.mark.parametrize(("address", "hosted"), [("ada@other.org", "other.org"), ("eve@lab.org", None)])
    def test_an_account_of_another_domain_stays_outside_whatever_its_address_looks_like(
        self, hub: Hub, provider: Provider, address: str, hosted: str | None
    ) -> None:
        provider.person = self.account(address, hosted)

        assert hub.browser().sign_in().status_code == 403

    def test_an_address_that_is_not_verified_stays_outside(self, tmp_path: Path, provider: Provider) -> None:
        options = {"google_api_url": "", "authorize_url": "/authorize"}
        with running_hub(values_for("google", {"allowed_users": ["ada@lab.org"]}, options, provider), tmp_path) as hub:
            provider.person = self.account("ada@lab.org", None, verified=False)

            assert "unverified email" in hub.browser().sign_in().text

    def test_the_hub_knows_every_option(self, hub: Hub) -> None:
        assert UNKNOWN_OPTION not in hub.log.read_text()


class TestCILogon:
    @pytest.fixture(scope="class")
    @staticmethod
    def hub(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Generator[Hub]:
        institutions = [
            {"entity_id": UNIVERSITY, "username_claim": "eppn", "strip_domain": "uni.edu", "allow_all": True},
            {"entity_id": GOOGLE, "prefix": "google", "allowed_domains": ["*.lab.org"], "default": True},
        ]
        written = {"identity_providers": institutions, "admin_users": ["google:ada@lab.org"]}
        options = {"authorize_url": "/authorize", "token_url": "/token", "userdata_url": "/userinfo"}
        with running_hub(values_for("cilogon", written, options, provider), tmp_path_factory.mktemp("cilogon")) as hub:
            yield hub

    def test_the_default_institution_is_chosen_beforehand(self, hub: Hub) -> None:
        assert "selected_idp=http%3A%2F%2Fgoogle.com%2Faccounts%2Fo8%2Fid%2C" in hub.browser().to_provider()

    @pytest.mark.parametrize(
        ("claims", "name", "admin"),
        [
            ({"idp": UNIVERSITY, "eppn": "Grace@uni.edu"}, "grace", False),
            ({"idp": GOOGLE, "email": "eve@bio.lab.org"}, "google:eve@bio.lab.org", False),
            ({"idp": GOOGLE, "email": "ada@lab.org"}, "google:ada@lab.org", True),
        ],
    )
    def test_each_institution_names_its_people(
        self, hub: Hub, provider: Provider, claims: dict[str, Any], name: str, admin: bool
    ) -> None:
        provider.person = Person(claims)
        answer, user = hub.browser().sign_in(), hub.user(name)

        assert answer.status_code == 302
        assert user is not None
        assert user["admin"] is admin

    @pytest.mark.parametrize(
        "claims",
        [
            {"idp": "https://idp.elsewhere.edu/shibboleth", "eppn": "grace@uni.edu"},
            {"idp": GOOGLE, "email": "grace@uni.edu"},
        ],
    )
    def test_others_stay_outside(self, hub: Hub, provider: Provider, claims: dict[str, Any]) -> None:
        provider.person = Person(claims)

        assert hub.browser().sign_in().status_code == 403

    def test_the_hub_knows_every_option(self, hub: Hub) -> None:
        assert UNKNOWN_OPTION not in hub.log.read_text()


class TestOpenIdConnect:
    def values(self, provider: Provider, **written: Any) -> dict[str, Any]:
        given = {
            key: value.replace(HTTPS, provider.address) if isinstance(value, str) else value
            for key, value in written.items()
        }
        return values_for("oidc", given, {}, provider)

    def test_three_addresses_do_without_an_issuer_and_the_settings_give_groups(
        self, tmp_path: Path, provider: Provider
    ) -> None:
        values = self.values(provider, **ADDRESSES, username_claim="email", allow_all=True)
        with running_hub(values, tmp_path) as hub:
            provider.person = Person({"email": "ada", "email_verified": True, "groups": ["analyst"]})
            answer = hub.browser().sign_in()
            ada = hub.user("ada")
            provider.person = Person({"email": "grace", "email_verified": False})
            unverified = hub.browser().sign_in()

            assert answer.status_code == 302
            assert ada is not None
            assert ada["groups"] == ["developer"]
            assert unverified.status_code == 403
            assert "grace is not a verified address" in unverified.text
            assert hub.user("grace") is None
            assert UNKNOWN_OPTION not in hub.log.read_text()

    def test_an_issuer_that_is_another_keeps_the_hub_from_starting(self, tmp_path: Path, provider: Provider) -> None:
        provider.issuer = "https://login.elsewhere.org"
        try:
            with (
                pytest.raises(
                    AssertionError, match=r"is of another issuer, https://login\.elsewhere\.org: write that one"
                ),
                running_hub(self.values(provider, issuer=HTTPS, allow_all=True), tmp_path),
            ):
                raise NotImplementedError("the hub started")
        finally:
            provider.issuer = None


class TestAccountsOfTheHubsOwn:
    @pytest.fixture(scope="class")
    @staticmethod
    def hub(tmp_path_factory: pytest.TempPathFactory) -> Generator[Hub]:
        section = {"type": "native", "admin_users": ["ada"], "admin_password": PASSWORD}
        secrets = JupyterHubSecrets(
            cookie_secret="c0" * 32,
            crypt_key="c1" * 32,
            proxy_token="c2" * 32,
            dask_gateway_token="c3" * 32,
            sign_in=PASSWORD,
        )
        values = hub_values(make_settings(authentication=section), secrets=secrets)
        with running_hub(values, tmp_path_factory.mktemp("native")) as hub:
            yield hub

    def test_the_administrator_has_an_account_from_the_start(self, hub: Hub) -> None:
        answer = hub.browser().sign_in_with_password("ada", PASSWORD)
        ada = hub.user("ada")

        assert answer.status_code == 302
        assert ada is not None
        assert ada["admin"] is True

    def test_nobody_else_becomes_administrator_by_signing_up_under_that_name(self, hub: Hub) -> None:
        hub.browser().sign_up("ada", "another-password-of-mine")

        assert hub.browser().sign_in_with_password("ada", "another-password-of-mine").status_code != 302

    def test_an_account_waits_until_the_administrator_lets_it_in(self, hub: Hub) -> None:
        hub.browser().sign_up("grace", "a-long-password-of-grace")
        before = hub.browser().sign_in_with_password("grace", "a-long-password-of-grace")
        admin = hub.browser()
        admin.sign_in_with_password("ada", PASSWORD)
        admin.go("/hub/authorize/grace")
        after = hub.browser().sign_in_with_password("grace", "a-long-password-of-grace")

        assert before.status_code != 302
        assert after.status_code == 302

    def test_the_hub_knows_every_option(self, hub: Hub) -> None:
        assert UNKNOWN_OPTION not in hub.log.read_text()


def test_an_option_that_no_class_has_would_be_noticed(tmp_path: Path, provider: Provider) -> None:
    values = values_for("google", {"allowed_users": ["ada"]}, {"hosted_domains": ""}, provider)
    with running_hub(values, tmp_path) as hub:
        assert UNKNOWN_OPTION in hub.log.read_text()
