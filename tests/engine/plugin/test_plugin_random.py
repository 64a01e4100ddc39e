"""Random values in a real update: drawn once, drawn again when a keeper changes, secret where they should be."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.engine.plugin.stack import Stack


def test_values_are_drawn_once_and_kept(make_stack: Callable[[str], Stack]) -> None:
    stack = make_stack("random_values")
    said = stack.preview() + stack.up()
    first = json.loads(stack.pulumi("stack", "output", "--json", "--show-secrets"))
    assert len(bytes.fromhex(first["hex"])) == 32
    assert len(first["password"]) == 16
    assert sum(letter.isdigit() for letter in first["password"]) >= 3
    assert first["identifier"].startswith("hub-")
    assert stack.steps() == {}
    said += stack.refresh() + stack.up()
    assert json.loads(stack.pulumi("stack", "output", "--json", "--show-secrets")) == first

    stack.config(round="2")
    assert "replace" in stack.steps()["data"]
    said += stack.up()
    second = json.loads(stack.pulumi("stack", "output", "--json", "--show-secrets"))
    assert second["hex"] != first["hex"]
    assert {**second, "hex": ""} == {**first, "hex": ""}

    for secret in (first["hex"], second["hex"], first["password"]):
        assert secret not in said + stack.state_text()
    stack.destroy()
