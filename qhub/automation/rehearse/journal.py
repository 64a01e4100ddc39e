"""What a rehearsal has seen so far, and who watches it."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from qhub.automation.rehearse.running import Seen
from qhub.rehearsal.clouds.clock import Clock
from qhub.rehearsal.report.recording import Failure, Operation, Picture, Step


class StepFailed(Exception):
    """A step has not shown what it was to show. `failures` say why, for people."""

    def __init__(self, *failures: Failure) -> None:
        super().__init__("; ".join(f"{one.what}: {one.message}" for one in failures))
        self.failures = failures

    @property
    def summary(self) -> str:
        """One line: the first failure, and how many more there are."""
        first, *more = self.failures
        line = f"{first.what}: {first.message.strip().partition(chr(10))[0]}"
        return f"{line} (and {len(more)} more)" if more else line


class Watcher(Protocol):
    """Shows a rehearsal while it runs."""

    def began(self, title: str) -> None:
        """A step has begun."""
        ...

    def ended(self, step: Step) -> None:
        """A step has ended."""
        ...

    def event(self, event: Seen) -> None:
        """The engine has told something."""
        ...

    def told(self, line: str) -> None:
        """What a step waits for, or sees."""
        ...


@dataclass
class Notes:
    """What a step tells at its end; set by the step."""

    told: str = ""


@dataclass
class Journal:
    """The record of one rehearsal, written step by step.

    Attributes:
        clock: the simulated clock.
        watcher: who watches.
    """

    clock: Clock
    watcher: Watcher
    steps: list[Step] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    resources: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, title: str) -> Generator[Notes]:
        """Time a step and note how it ended.

        Raises:
            StepFailed: as the step raised it; it is noted.
        """
        self.watcher.began(title)
        start, wall, notes = self.clock.now(), time.monotonic(), Notes()

        def end(*, passed: bool) -> None:
            step = Step(
                name=name, title=title, start=start, seconds=self.clock.now() - start,
                wall_seconds=time.monotonic() - wall, passed=passed, told=notes.told,
            )  # fmt: skip
            self.steps.append(step)
            self.watcher.ended(step)

        try:
            yield notes
        except StepFailed as error:
            self.fail(error.failures)
            notes.told = notes.told or error.summary
            end(passed=False)
            raise
        end(passed=True)

    def fail(self, failures: Iterable[Failure]) -> None:
        """Note why the rehearsal does not pass."""
        self.failures.extend(failures)
