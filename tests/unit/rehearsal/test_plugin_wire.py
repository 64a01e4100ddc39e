"""Property trees: what goes over the wire comes back, and secrets stay secret."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qhub.rehearsal.plugins.errors import PluginError
from qhub.rehearsal.plugins.wire import (
    UNKNOWN,
    FileAsset,
    Secret,
    from_struct,
    has_unknown,
    mark_containing,
    mark_like,
    mask,
    reveal,
    secret_strings,
    to_struct,
)

# A double carries whole numbers up to 2**53; the signature key and the unknown marker have a meaning of their own.
_KEYS = st.text(min_size=1, max_size=8).filter(lambda key: not key.startswith("4dabf"))
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not float(number).is_integer())
    | st.text(max_size=12)
    | st.just(UNKNOWN)
)
_TREES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(_KEYS, inner, max_size=3)
        | inner.filter(lambda node: not isinstance(node, Secret)).map(Secret)
    ),
    max_leaves=12,
)


@given(st.dictionaries(_KEYS, _TREES, max_size=4))
def test_a_tree_comes_back_as_it_was_sent(tree: dict[str, Any]) -> None:
    assert from_struct(to_struct(tree)) == tree


@given(st.dictionaries(_KEYS, _TREES, max_size=4))
def test_marking_by_its_own_pattern_marks_the_same_places(tree: dict[str, Any]) -> None:
    # Nested secrets collapse into the outermost, so the strings are compared and not the wrappers.
    marked = mark_like(reveal(tree), tree)
    assert reveal(marked) == reveal(tree)
    assert secret_strings(marked) == secret_strings(tree)


def test_numbers_are_whole_where_they_can_be() -> None:
    sent = from_struct(to_struct({"seconds": 3600, "ratio": 0.5, "yes": True}))
    assert sent == {"seconds": 3600, "ratio": 0.5, "yes": True}
    assert isinstance(sent["seconds"], int)
    assert sent["yes"] is True


def test_a_list_of_another_length_is_secret_as_a_whole() -> None:
    pattern = {"items": ["plain", Secret("hidden")]}
    assert mark_like({"items": ["a", "b", "c"]}, pattern) == {"items": Secret(["a", "b", "c"])}
    assert mark_like({"items": ["a"]}, {"items": ["x", "y"]}) == {"items": ["a"]}


def test_copies_of_a_secret_are_found_in_clear_and_in_base64() -> None:
    encoded = base64.b64encode(b"hunter2hunter2").decode()
    tree = {"copy": "x hunter2hunter2 y", "data": encoded, "other": "fine"}
    marked = mark_containing(tree, {"hunter2hunter2"})
    assert marked == {"copy": Secret(tree["copy"]), "data": Secret(encoded), "other": "fine"}


def test_unknown_is_seen_through_a_secret() -> None:
    assert has_unknown({"a": [Secret({"b": UNKNOWN})]})
    assert not has_unknown({"a": [Secret({"b": 1})]})


def test_assets_keep_their_digest_and_archives_are_refused() -> None:
    tree = {"file": FileAsset(path="values.yaml", digest="abc"), "text": FileAsset(text="a: 1")}
    assert from_struct(to_struct(tree)) == tree
    archive = to_struct({"archive": {"4dabf18193072939515e22adb298388d": "0def7320c3a5731c473e5ecbe6d01bc7"}})
    with pytest.raises(PluginError, match="no archive"):
        from_struct(archive)


@given(st.text(min_size=4, max_size=30), st.text(max_size=20), st.text(max_size=20))
def test_a_masked_text_never_holds_the_secret(secret: str, before: str, after: str) -> None:
    masked = mask(f"{before}{secret}{after}", {secret})
    # What is left may touch the mask's own letters, but the secret is not in what surrounds it.
    assert all(secret not in part for part in masked.split("[secret]"))


def test_lines_quotes_and_base64_of_a_secret_are_masked() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----"
    text = f'line MIIEvQIBADANBgkq, b64 {base64.b64encode(key.encode()).decode()}, "pass\\"word"'
    masked = mask(text, {key, 'pass"word'})
    assert "MIIE" not in masked
    assert "pass" not in masked
    assert mask("80 a yes", {"80", "a", "yes"}) == "80 a yes"
