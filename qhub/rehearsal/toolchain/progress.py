"""What is told while something is built: one live line on a terminal, else a line for each step and a sign of life."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

from qhub.rehearsal.toolchain.estimate import spell_seconds

#: A log without a line for this long looks as if it hung; more often would bury the lines that say something.
HEARTBEAT_SECONDS = 30


class Lines:
    """The live lines of a terminal, one for each work that goes on: all that go on at a time share them.

    Args:
        console: where they are; rich lets only one display be live there at a time.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._states: dict[object, str] = {}
        self._live: Live | None = None
        self._shown = ""
        self._lock = threading.Lock()

    def show(self, owner: object, state: str | None) -> None:
        """Show the state of one of the works as its line; None takes the line away."""
        with self._lock:
            if state is None:
                self._states.pop(owner, None)
            else:
                self._states[owner] = state  # a dict keeps the place of what it has: no line changes places
            shown = "\n".join(self._states.values())
            if not self._states and self._live:
                self._live.stop()
                self._live = None
            elif self._states and shown != self._shown:
                if self._live is None:
                    self._live = Live(console=self.console, transient=True, auto_refresh=False)
                    self._live.start()
                self._live.update(Text(shown, no_wrap=True, overflow="ellipsis"), refresh=True)
            self._shown = shown


class Progress:
    """Tells steps on a console. Use as a context; `now` (seconds, rising) is for tests.

    On a terminal the current state is one line that is replaced and vanishes in the end. Elsewhere (a log of CI) the
    state is written again only every `HEARTBEAT_SECONDS`.

    Args:
        console: where; or the lines of it that are shared with other work going on meanwhile.
    """

    def __init__(self, console: Console | Lines, *, now: Callable[[], float] = time.monotonic) -> None:
        self._lines = console if isinstance(console, Lines) else Lines(console)
        self._console = self._lines.console
        self._now = now
        self._started = now()
        self._told = now()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.show(self, None)

    @property
    def elapsed(self) -> float:
        """Seconds since this began."""
        return self._now() - self._started

    def say(self, line: str) -> None:
        """Write a line that stays."""
        self._told = self._now()
        tell(self._console, line)

    def state(self, line: str) -> None:
        """Tell what is going on; the time gone by is put before it, because a narrow terminal cuts off the end."""
        line = f"  {spell_seconds(self.elapsed)}: {line}"
        if self._console.is_terminal:
            self._lines.show(self, line)
        elif self._now() - self._told >= HEARTBEAT_SECONDS:
            self.say(line)


def tell(console: Console, line: str) -> None:
    """Write one line as it is: a path is neither broken, coloured nor taken for markup."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)
