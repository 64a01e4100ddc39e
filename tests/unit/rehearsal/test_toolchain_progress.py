"""What a person sees while something is built, and how long it says it will take."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from qhub.rehearsal.toolchain.estimate import Estimate, spell_roughly, spell_seconds
from qhub.rehearsal.toolchain.progress import HEARTBEAT_SECONDS, Lines, Progress


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class TestInALog:
    def lines(self, seconds: range) -> list[str]:
        clock, told = Clock(), io.StringIO()
        with Progress(Console(file=told, width=40), now=clock) as progress:
            for clock.seconds in seconds:
                progress.state("building etcd")
        return told.getvalue().splitlines()

    def test_a_short_step_is_silent(self) -> None:
        assert self.lines(range(HEARTBEAT_SECONDS)) == []

    def test_a_long_one_gives_a_sign_of_life_now_and_then(self) -> None:
        assert self.lines(range(HEARTBEAT_SECONDS * 3)) == [
            "  30 s: building etcd",
            "  1 min: building etcd",
        ]

    def test_a_line_is_written_as_it_is(self) -> None:
        told = io.StringIO()
        with Progress(Console(file=told, width=20)) as progress:
            progress.say("built [bold] into /a/rather/long/path/that/is/not/broken")
        assert told.getvalue() == "built [bold] into /a/rather/long/path/that/is/not/broken\n"


class TestOnATerminal:
    def test_the_state_is_one_line_that_is_replaced_and_goes(self) -> None:
        told = io.StringIO()
        console = Console(file=told, force_terminal=True, width=30, color_system=None)
        with Progress(console) as progress:
            progress.state("building etcd")
            progress.say("built helm")
            progress.state("building kwok and a line that is too long for it")
        text = told.getvalue()
        assert "  0 s: building etcd" in text
        assert "built helm\n" in text
        assert "  0 s: building kwok and a li…" in text
        assert text.endswith("\x1b[2K")  # the last thing done is to clear the line

    def test_each_work_that_goes_on_has_its_line(self) -> None:
        told = io.StringIO()
        lines = Lines(Console(file=told, force_terminal=True, width=80, color_system=None))
        with Progress(lines) as tools, Progress(lines) as images:
            tools.state("building etcd")
            images.state("building hub")
            both = told.getvalue()
            tools.say("built etcd")
        assert "  0 s: building etcd\n  0 s: building hub" in both
        assert "built etcd\n" in told.getvalue()


JOBS = st.dictionaries(st.sampled_from("abcdef"), st.integers(min_value=1, max_value=500), min_size=1)


class TestTheEstimate:
    @given(jobs=JOBS, speed=st.sampled_from([0.5, 1.0, 4.0]))
    def test_begins_with_all_of_it(self, jobs: dict[str, int], speed: float) -> None:
        assert Estimate(jobs, speed=speed).remaining() == pytest.approx(sum(jobs.values()) / speed)

    @given(jobs=JOBS, factor=st.floats(min_value=0.05, max_value=20), data=st.data())
    def test_learns_the_speed_from_what_is_done(self, jobs: dict[str, int], factor: float, data: st.DataObject) -> None:
        done = data.draw(st.lists(st.sampled_from(sorted(jobs)), unique=True, min_size=1))
        estimate = Estimate(jobs)
        for job in done:
            estimate.spend(jobs[job] * factor, on=[job])
            estimate.finish(job)
        left = sum(jobs.values()) - sum(jobs[job] for job in done)
        assert estimate.remaining() == pytest.approx(left * factor)

    @given(jobs=JOBS, spent=st.lists(st.floats(min_value=0, max_value=1000), max_size=20))
    def test_is_never_negative_nor_nothing_while_something_runs(self, jobs: dict[str, int], spent: list[float]) -> None:
        estimate = Estimate(jobs)
        for seconds in spent:
            estimate.spend(seconds, on=sorted(jobs)[:2])
            assert estimate.remaining() > 0
        for job in jobs:
            estimate.finish(job)
        assert estimate.remaining() == 0

    def test_jobs_side_by_side_share_the_machine(self) -> None:
        estimate = Estimate({"a": 100, "b": 100})
        estimate.spend(100, on=["a", "b"])
        assert estimate.remaining() == pytest.approx(100)

    @pytest.mark.parametrize(
        ("seconds", "exactly", "roughly"),
        [
            (0.2, "0 s", "less than a minute"),
            (59.4, "59 s", "about 1 min"),
            (80, "1 min 20 s", "about 1 min"),
            (120, "2 min", "about 2 min"),
            (707, "11 min 47 s", "about 12 min"),
            (3900, "1 h 5 min", "about 1 h 5 min"),
            (7200, "2 h", "about 2 h"),
        ],
    )
    def test_is_spelled(self, seconds: float, exactly: str, roughly: str) -> None:
        assert (spell_seconds(seconds), spell_roughly(seconds)) == (exactly, roughly)
