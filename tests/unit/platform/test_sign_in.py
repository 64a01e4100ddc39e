"""The code that runs in the hub when somebody signs in; `tests/unit/hub` tries it in the real hub."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qhub.platform.hub import qhub_sign_in
from qhub.platform.hub.qhub_sign_in import SignInError, discover, groups_of

ISSUER = "https://login.lab.org/realms/team"
TOLD = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/auth",
    "token_endpoint": f"{ISSUER}/token",
    "userinfo_endpoint": f"{ISSUER}/userinfo",
}
SETTINGS: dict[str, Any] = {
    "type": "oidc",
    "groups_claim": "groups",
    "known_groups": ["data"],
    "group_mapping": {"data": "analyst"},
    "members": {"analyst": [], "developer": ["ada"]},
}


def state(groups: Any, name: str = "grace") -> dict[str, Any]:
    return {"qhub": {"name": name, "claims": {"groups": groups}}}


class TestGroups:
    @pytest.mark.parametrize(
        ("name", "groups", "known"),
        [
            ("grace", ["data"], ["analyst", "provider:data"]),
            ("ada", ["data"], ["analyst", "developer", "provider:data"]),
            ("ada", [], ["developer"]),
            ("grace", "data", ["analyst", "provider:data"]),
            ("grace", None, []),
            ("grace", [7, "other"], []),
        ],
    )
    def test_are_those_of_the_mapping_and_of_the_settings(self, name: str, groups: Any, known: list[str]) -> None:
        assert groups_of(state(groups, name), SETTINGS) == known

    @given(st.lists(st.text() | st.sampled_from(["analyst", "developer", "data", "provider:data"])))
    def test_nobody_gets_into_a_group_by_the_name_of_theirs(self, groups: list[str]) -> None:
        found = groups_of(state(groups), SETTINGS)

        assert set(found) <= {"analyst", "provider:data"}
        assert ("analyst" in found) == ("data" in groups)


class TestDiscovery:
    def test_finds_the_addresses(self) -> None:
        asked: list[str] = []

        def read(address: str) -> dict[str, str]:
            asked.append(address)
            return TOLD

        assert discover(ISSUER, read=read) == {
            "authorize_url": f"{ISSUER}/auth",
            "token_url": f"{ISSUER}/token",
            "userdata_url": f"{ISSUER}/userinfo",
        }
        assert asked == [f"{ISSUER}/.well-known/openid-configuration"]

    def test_waits_for_one_that_restarts(self) -> None:
        waits: list[float] = []
        answers: list[Any] = [OSError("refused"), ValueError("no JSON"), TOLD]

        def read(_: str) -> Any:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        assert discover(ISSUER, read=read, wait=waits.append)
        assert waits == [qhub_sign_in.PAUSE] * 2

    def test_gives_up_with_the_reason(self) -> None:
        def read(_: str) -> Any:
            raise OSError("name or service not known")

        with pytest.raises(
            SignInError, match=r"^authentication\.issuer: .* cannot be read: name or service not known$"
        ):
            discover(ISSUER, read=read, wait=lambda _: None)

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"issuer": "https://evil.org"}, r"is of another issuer, https://evil\.org: write that one"),
            ({"userinfo_endpoint": None}, "does not say its userinfo_endpoint"),
        ],
    )
    def test_does_not_take_what_does_not_fit(self, changes: dict[str, Any], words: str) -> None:
        told = {key: value for key, value in {**TOLD, **changes}.items() if value is not None}

        with pytest.raises(SignInError, match=words):
            discover(ISSUER, read=lambda _: told)

    def test_a_slash_at_the_end_is_no_difference(self) -> None:
        assert discover(ISSUER, read=lambda _: {**TOLD, "issuer": f"{ISSUER}/"})


def test_importing_it_elsewhere_does_nothing() -> None:
    assert not hasattr(qhub_sign_in, "get_config")
