"""Differences, path by path, and what of them replaces."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qhub.rehearsal.plugins._proto import provider_pb2
from qhub.rehearsal.plugins.treediff import (
    Change,
    Difference,
    covers,
    differences,
    format_path,
    parse_path,
    response,
    with_value_of,
    without,
)
from qhub.rehearsal.plugins.wire import UNKNOWN, Secret

_STEPS = st.integers(0, 20) | st.text(min_size=1, max_size=10)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(_STEPS, min_size=1, max_size=5).filter(lambda steps: isinstance(steps[0], str)))
def test_a_path_is_read_as_it_was_written(steps: list[str | int]) -> None:
    assert parse_path(format_path(tuple(steps))) == tuple(steps)


def test_paths_look_like_the_engines() -> None:
    assert format_path(("spec", "containers", 0, "image")) == "spec.containers[0].image"
    assert format_path(("metadata", "labels", "app.kubernetes.io/name")) == 'metadata.labels["app.kubernetes.io/name"]'
    assert parse_path('a["b.c"][*].d') == ("a", "b.c", "*", "d")
    with pytest.raises(ValueError, match="at character 2"):
        parse_path("a.[")


@given(_JSON)
def test_a_tree_does_not_differ_from_itself(tree: Any) -> None:
    assert differences(tree, tree) == []
    assert differences(tree, Secret(tree)) == []


@given(_JSON, _JSON)
def test_two_trees_differ_exactly_when_they_are_not_equal(one: Any, other: Any) -> None:
    # True == 1 in Python; a manifest tells them apart.
    assert (differences(one, other) == []) == (repr(one) == repr(other) or _equal(one, other))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_equal(*pair) for pair in zip(one, other, strict=True))
    return type(one) is type(other) and one == other


def test_each_change_is_named_where_it_is() -> None:
    old = {"values": {"cull": {"timeout": 3600, "every": 600}, "list": [1, 2]}, "gone": 1}
    new = {"values": {"cull": {"timeout": 1800, "every": 600}, "list": [1]}, "new": UNKNOWN}
    assert {(str(one), one.change) for one in differences(old, new)} == {
        ("values.cull.timeout", Change.UPDATE),
        ("values.list[1]", Change.DELETE),
        ("gone", Change.DELETE),
        ("new", Change.ADD),
    }


def test_ignored_paths_cover_what_lies_below() -> None:
    found = differences({"spec": {"replicas": 1, "a": 1}}, {"spec": {"replicas": 2, "a": 2}})
    assert [str(one) for one in without(found, ["spec.replicas"])] == ["spec.a"]
    assert without(found, ["spec"]) == []
    assert covers(("spec", "*", "image"), ("spec", 0, "image", "tag"))


def test_a_change_at_below_or_above_a_fixed_place_replaces() -> None:
    fixed = [parse_path("spec.selector")]
    for path in ("spec.selector.matchLabels.app", "spec.selector", "spec"):
        answer = response([Difference(parse_path(path), Change.UPDATE)], replaced_by=fixed, delete_first=True)
        assert list(answer.replaces) == [path]
        assert answer.deleteBeforeReplace
        assert answer.detailedDiff[path].kind == provider_pb2.PropertyDiff.UPDATE_REPLACE
    answer = response([Difference(parse_path("spec.replicas"), Change.ADD)], replaced_by=fixed, delete_first=True)
    assert not answer.replaces
    assert not answer.deleteBeforeReplace
    assert answer.changes == provider_pb2.DiffResponse.DIFF_SOME


def test_nothing_found_is_said_so() -> None:
    assert response([], replaced_by=[], delete_first=True).changes == provider_pb2.DiffResponse.DIFF_NONE


def test_a_value_is_taken_over_only_where_both_have_one() -> None:
    tree = {"spec": {"replicas": 2, "list": [{"a": 1}, {"a": 2}]}}
    other = {"spec": {"replicas": 5, "list": [{"a": 7}], "more": 1}}
    assert with_value_of(tree, other, parse_path("spec.replicas"))["spec"]["replicas"] == 5
    assert with_value_of(tree, other, parse_path("spec.list[*].a"))["spec"]["list"] == [{"a": 7}, {"a": 2}]
    assert with_value_of(tree, other, parse_path("spec.more")) == tree
