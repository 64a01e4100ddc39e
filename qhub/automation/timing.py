"""How long the parts of `make up` took, told in one line at its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from qhub.rehearsal.toolchain.estimate import spell_seconds


class Parts:
    """Measures parts by name, also such as go on at the same time in other threads.

    Args:
        now: seconds, rising; another one is for tests.
    """

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._started = now()
        self._seconds: dict[str, float] = {}

    @contextmanager
    def measure(self, name: str) -> Generator[None]:
        """Count the time that the block takes for the part `name`."""
        started = self._now()
        self._seconds.setdefault(name, 0.0)  # parts are told in the order in which they began
        try:
            yield
        finally:
            self._seconds[name] += self._now() - started

    def __str__(self) -> str:
        """Return such as `Took 32 s: cluster 9 s, stack 21 s`; what took no time is left out."""
        told = [f"{name} {spell_seconds(seconds)}" for name, seconds in self._seconds.items() if round(seconds)]
        whole = f"Took {spell_seconds(self._now() - self._started)}"
        return f"{whole}: {', '.join(told)}" if told else whole
