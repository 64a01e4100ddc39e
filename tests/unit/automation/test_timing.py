"""What `make up` says about how long its parts took."""

from __future__ import annotations

from qhub.automation.timing import Parts


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_parts_are_told_in_their_order_with_the_whole_and_without_what_took_no_time() -> None:
    clock = Clock()
    parts = Parts(now=clock)
    with parts.measure("tools"):
        clock.seconds += 0.2
    with parts.measure("cluster"):
        clock.seconds += 9
        with parts.measure("images beside it"):
            clock.seconds += 61
    clock.seconds += 2
    with parts.measure("stack"):
        clock.seconds += 21
    assert str(parts) == "Took 1 min 33 s: cluster 1 min 10 s, images beside it 1 min 1 s, stack 21 s"


def test_nothing_that_took_time() -> None:
    clock = Clock()
    parts = Parts(now=clock)
    with parts.measure("tools"):
        pass
    assert str(parts) == "Took 0 s"
