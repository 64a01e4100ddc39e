"""The critical path: a chain of dependencies that nothing can be faster than."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from qhub.rehearsal.report.critical_path import critical_path
from qhub.rehearsal.report.recording import Operation
from tests.unit.rehearsal.recordings import OPERATIONS, operation


@st.composite
def runs(draw: st.DrawFn) -> list[Operation]:
    """Return what an engine could have done: each operation begins when all that it needs is done, or later."""
    made: list[Operation] = []
    for number in range(draw(st.integers(1, 12))):
        before = draw(st.lists(st.sampled_from(made), unique_by=lambda one: one.urn, max_size=4)) if made else []
        start = max((one.end for one in before), default=0.0) + draw(st.integers(0, 30))
        names = [one.name for one in before]
        made.append(operation(f"r{number}", start, start + draw(st.integers(0, 600)), *names))
    return draw(st.permutations(made))


class TestCriticalPath:
    @given(runs())
    def test_each_member_needs_the_one_before(self, run: list[Operation]) -> None:
        for before, after in itertools.pairwise(critical_path(run)):
            assert before.urn in after.depends_on

    @given(runs())
    def test_it_takes_no_longer_than_the_whole_and_at_least_as_long_as_the_longest(self, run: list[Operation]) -> None:
        length = sum(one.seconds for one in critical_path(run))
        assert length <= max(one.end for one in run) - min(one.start for one in run)
        assert length >= max(one.seconds for one in run)

    @given(runs(), st.data())
    def test_no_other_chain_takes_longer(self, run: list[Operation], data: st.DataObject) -> None:
        by_urn = {one.urn: one for one in run}
        chain = [data.draw(st.sampled_from(run))]
        while chain[-1].depends_on:
            chain.append(by_urn[data.draw(st.sampled_from(chain[-1].depends_on))])
        assert sum(one.seconds for one in chain) <= sum(one.seconds for one in critical_path(run))

    def test_it_is_the_one_a_person_would_name(self) -> None:
        up = [one for one in OPERATIONS if one.step == "up"]
        assert [one.name for one in critical_path(up)] == ["network", "control-plane", "pool-general", "hub"]

    def test_nothing_done_has_none(self) -> None:
        assert critical_path([]) == ()

    def test_what_is_not_in_the_run_does_not_count(self) -> None:
        assert [one.name for one in critical_path([operation("a", 0, 1, "gone")])] == ["a"]
