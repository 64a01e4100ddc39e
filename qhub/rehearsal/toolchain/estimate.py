"""How long a build will still take: the durations once measured, corrected by how fast this machine turns out to be."""

from __future__ import annotations

from collections.abc import Mapping

#: Past its expected time a job is not done "any moment": count on this part of it again.
OVERRUN = 0.1


class Estimate:
    """Remaining time of several jobs that share the processors.

    Go keeps all processors busy on its own, so that jobs side by side each get a share of the machine: the work is the
    sum of the expected times, whichever way it is split.

    Args:
        expected: seconds of each job when it has the reference machine for itself.
        speed: of this machine, 1 for the reference machine, 2 for one twice as fast.
    """

    def __init__(self, expected: Mapping[str, float], *, speed: float = 1.0) -> None:
        self._expected = dict(expected)
        self._speed = speed
        self._spent: dict[str, float] = {}
        self._done: set[str] = set()

    def spend(self, seconds: float, *, on: list[str]) -> None:
        """Note that `seconds` went by while the jobs `on` were running."""
        for job in on:
            self._spent[job] = self._spent.get(job, 0.0) + seconds / len(on)

    def finish(self, job: str) -> None:
        """Note that a job is done."""
        self._done.add(job)

    def remaining(self) -> float:
        """Return the seconds that are left, never negative."""
        scale = self._scale()
        left = 0.0
        for job, expected in self._expected.items():
            if job not in self._done:
                whole = expected * scale
                left += max(whole - self._spent.get(job, 0.0), OVERRUN * whole if job in self._spent else 0.0)
        return left

    def _scale(self) -> float:
        """Return real seconds for each expected one: by the jobs done, else by those that take longer than expected."""
        done = sum(self._expected[job] for job in self._done)
        if done:
            return sum(self._spent.get(job, 0.0) for job in self._done) / done
        slow = [self._spent[job] / self._expected[job] for job in self._spent]
        return max([1 / self._speed, *slow])


def spell_seconds(seconds: float) -> str:
    """Return `8 s`, `1 min 20 s` or `1 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def spell_roughly(seconds: float) -> str:
    """Return `less than a minute`, or `about` so many whole minutes: an estimate has no seconds."""
    if seconds < 45:
        return "less than a minute"
    return f"about {spell_seconds(max(1, round(seconds / 60)) * 60)}"
