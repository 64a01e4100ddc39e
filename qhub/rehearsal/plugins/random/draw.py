"""Drawing random values: pure functions of their inputs and of the operating system's randomness."""

from __future__ import annotations

import base64
import dataclasses
import secrets
import string
from collections.abc import Callable
from typing import Any

from qhub.rehearsal.plugins.errors import PluginError, listing, nearest
from qhub.rehearsal.plugins.wire import UNKNOWN, Secret, reveal

#: Special characters of the provider's documentation for RandomString and RandomPassword.
SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
_CLASSES = {"lower": string.ascii_lowercase, "upper": string.ascii_uppercase, "numeric": string.digits}


@dataclasses.dataclass(frozen=True)
class Spec:
    """One resource type of the package.

    Attributes:
        required: whole-number inputs that must be given, with their least value.
        switches: true/false inputs with their defaults.
        numbers: other whole-number inputs, with their defaults.
        texts: string inputs with their defaults.
        draw: inputs -> (id, outputs beside the inputs).
    """

    required: dict[str, int]
    draw: Callable[[dict[str, Any]], tuple[str, dict[str, Any]]]
    switches: dict[str, bool] = dataclasses.field(default_factory=dict)
    numbers: dict[str, int] = dataclasses.field(default_factory=dict)
    texts: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def known(self) -> tuple[str, ...]:
        """Names of all inputs."""
        return (*self.required, *self.switches, *self.numbers, *self.texts, "keepers")


def check(spec: Spec, inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs with their defaults.

    Raises:
        PluginError: an input that the type does not have, a missing one, a wrong type.
    """
    given = {key: value for key, value in inputs.items() if value is not None}
    for key, value in given.items():
        if key not in spec.known:
            raise PluginError(f"it has no input '{key}'.{nearest(key, spec.known)} It has: {listing(spec.known)}")
        if problem := _problem(spec, key, reveal(value)):
            raise PluginError(f"{key} must be {problem}")
    for key in spec.required:
        if key not in given:
            raise PluginError(f"'{key}' is missing")
    return {**spec.switches, **spec.numbers, **spec.texts, **given}


def _problem(spec: Spec, key: str, value: Any) -> str | None:
    if value is UNKNOWN:
        return None
    whole = isinstance(value, int) and not isinstance(value, bool)
    if key in spec.required and not (whole and value >= spec.required[key]):
        return f"a whole number, {spec.required[key]} or more"
    if key in spec.numbers and not (whole and value >= 0):
        return "a whole number, 0 or more"
    if key in spec.switches and not isinstance(value, bool):
        return "true or false"
    if key in spec.texts and not isinstance(value, str):
        return "a string"
    return "an object of strings" if key == "keepers" and not isinstance(value, dict) else None


def _bytes(inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    value = secrets.token_bytes(inputs["length"])
    text = base64.b64encode(value).decode()
    return "none", {"base64": Secret(text), "hex": Secret(value.hex())}


def _identifier(inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    value, prefix = secrets.token_bytes(inputs["byteLength"]), inputs.get("prefix") or ""
    plain = base64.urlsafe_b64encode(value).decode().rstrip("=")
    outputs = {
        "b64Std": prefix + base64.b64encode(value).decode(),
        "b64Url": prefix + plain,
        "dec": f"{prefix}{int.from_bytes(value, 'big')}",
        "hex": prefix + value.hex(),
    }
    return plain, outputs


def characters(inputs: dict[str, Any]) -> str:
    """Return a string of `length` characters that has at least as many of each class as asked for.

    Raises:
        PluginError: the minima do not fit into the length, or ask for a class that is switched off.
    """
    classes = dict(_CLASSES)
    classes["special"] = inputs.get("overrideSpecial") or SPECIAL
    allowed = {name: letters for name, letters in classes.items() if inputs[name]}
    drawn: list[str] = []
    for name, letters in classes.items():
        least = inputs.get(f"min{name.capitalize()}") or 0
        if least and name not in allowed:
            raise PluginError(f"min{name.capitalize()} is {least}, but '{name}' is false")
        drawn += [secrets.choice(letters) for _ in range(least)]
    if len(drawn) > inputs["length"]:
        raise PluginError(f"the minima add up to {len(drawn)} characters, more than length {inputs['length']}")
    if not allowed:
        raise PluginError(
            "every class of characters is switched off: set one of lower, upper, numeric, special to true"
        )
    pool = "".join(allowed.values())
    drawn += [secrets.choice(pool) for _ in range(inputs["length"] - len(drawn))]
    secrets.SystemRandom().shuffle(drawn)
    return "".join(drawn)


def _string(inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    value = characters(inputs)
    return value, {"result": value, "number": inputs["numeric"]}


def _password(inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    # The id is shown everywhere, so it says nothing, as the official plugin's.
    return "none", {"result": Secret(characters(inputs)), "number": inputs["numeric"]}


_TEXT = {
    "required": {"length": 1},
    "switches": {"lower": True, "upper": True, "numeric": True, "special": True},
    "numbers": {"minLower": 0, "minUpper": 0, "minNumeric": 0, "minSpecial": 0},
    "texts": {"overrideSpecial": ""},
}
SPECS = {
    "random:index/randomBytes:RandomBytes": Spec(required={"length": 1}, draw=_bytes),
    "random:index/randomId:RandomId": Spec(required={"byteLength": 1}, texts={"prefix": ""}, draw=_identifier),
    "random:index/randomPassword:RandomPassword": Spec(**_TEXT, draw=_password),
    "random:index/randomString:RandomString": Spec(**_TEXT, draw=_string),
}
