"""Random values: as many characters of each class as asked for, and inputs that are refused."""

from __future__ import annotations

import base64
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qhub.rehearsal.plugins.errors import PluginError
from qhub.rehearsal.plugins.random.draw import SPECIAL, SPECS, characters, check
from qhub.rehearsal.plugins.wire import UNKNOWN, Secret

STRING = SPECS["random:index/randomString:RandomString"]
BYTES = SPECS["random:index/randomBytes:RandomBytes"]
PASSWORD = SPECS["random:index/randomPassword:RandomPassword"]
IDENTIFIER = SPECS["random:index/randomId:RandomId"]
CLASSES = {
    "Lower": string.ascii_lowercase,
    "Upper": string.ascii_uppercase,
    "Numeric": string.digits,
    "Special": SPECIAL,
}


@given(st.integers(12, 60), st.fixed_dictionaries({name: st.integers(0, 3) for name in CLASSES}))
def test_a_string_has_its_length_and_its_minima(length: int, minima: dict[str, int]) -> None:
    inputs = check(STRING, {"length": length, **{f"min{name}": least for name, least in minima.items()}})
    drawn = characters(inputs)
    assert len(drawn) == length
    for name, letters in CLASSES.items():
        assert sum(letter in letters for letter in drawn) >= minima[name]
    assert set(drawn) <= set("".join(CLASSES.values()))


@given(st.sets(st.sampled_from(["lower", "upper", "numeric", "special"]), min_size=1))
def test_a_class_that_is_off_does_not_appear(on: set[str]) -> None:
    switches = {name: name in on for name in ("lower", "upper", "numeric", "special")}
    drawn = characters(check(STRING, {"length": 80, **switches}))
    for name, letters in CLASSES.items():
        if name.lower() not in on:
            assert not set(drawn) & set(letters)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "'length' is missing"),
        ({"length": 0}, "length must be a whole number, 1 or more"),
        ({"length": "8"}, "length must be a whole number"),
        ({"length": 8, "lenght": 8}, "Did you mean 'length'?"),
        ({"length": 8, "upper": "yes"}, "upper must be true or false"),
        ({"length": 8, "keepers": "x"}, "keepers must be an object"),
    ],
)
def test_inputs_that_are_refused(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(PluginError) as error:
        check(STRING, inputs)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"length": 3, "minLower": 2, "minUpper": 2}, "more than length 3"),
        ({"length": 3, "special": False, "minSpecial": 1}, "'special' is false"),
        ({"length": 3, "lower": False, "upper": False, "numeric": False, "special": False}, "switched off"),
    ],
)
def test_what_cannot_be_drawn(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(PluginError, match=message):
        characters(check(STRING, inputs))


def test_unknown_inputs_pass_the_check() -> None:
    assert check(STRING, {"length": UNKNOWN})["length"] is UNKNOWN


def test_bytes_and_passwords_are_secret() -> None:
    outputs = BYTES.draw({"length": 32})[1]
    assert isinstance(outputs["hex"], Secret)
    assert base64.b64decode(outputs["base64"].value).hex() == outputs["hex"].value
    resource_id, outputs = PASSWORD.draw(check(PASSWORD, {"length": 20}))
    assert isinstance(outputs["result"], Secret)
    assert resource_id == "none"


def test_an_id_says_the_same_in_every_notation() -> None:
    plain, outputs = IDENTIFIER.draw({"byteLength": 8, "prefix": "hub-"})
    raw = bytes.fromhex(outputs["hex"].removeprefix("hub-"))
    assert int(outputs["dec"].removeprefix("hub-")) == int.from_bytes(raw, "big")
    assert base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4)) == raw
    assert outputs["b64Url"] == f"hub-{plain}"
