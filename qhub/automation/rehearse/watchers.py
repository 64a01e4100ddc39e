"""Progress while a rehearsal runs: a live display on a terminal, plain lines anywhere else."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from qhub.automation.rehearse.journal import Watcher
from qhub.automation.rehearse.operations import IDLE, name_of, type_of
from qhub.automation.rehearse.running import Seen
from qhub.rehearsal.report.recording import Step
from qhub.rehearsal.report.words import duration, plural

#: Running operations that are shown: they fit beside the rest on a small terminal.
SHOWN = 6


@contextmanager
def live_watcher(console: Console) -> Generator[Watcher]:
    """Yield what shows a rehearsal on a console for as long as the context lasts."""
    if not console.is_terminal:
        yield PlainWatcher(console)
        return
    watcher = LiveWatcher(console)
    with Live(console=console, get_renderable=watcher.render, refresh_per_second=8, transient=True):
        yield watcher


class PlainWatcher:
    """A line at the end of each step: for logs."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def began(self, title: str) -> None:
        """Tell nothing: the line comes at the end."""

    def ended(self, step: Step) -> None:
        """Print the step's line."""
        mark = "ok" if step.passed else "FAILED"
        line = f"{mark:<6}  {step.title:<38} {duration(step.seconds):>12}  {step.told}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def event(self, event: Seen) -> None:
        """Tell nothing."""

    def told(self, line: str) -> None:
        """Tell nothing."""


class LiveWatcher:
    """The current step with what the engine is doing, below the steps that are over."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._spinner = Spinner("dots", style="cyan")
        self._title, self._line = "", ""
        self._began = time.monotonic()
        self._running: dict[str, float] = {}
        self._done = 0

    def began(self, title: str) -> None:
        """Show the step."""
        self._title, self._line, self._began = title, "", time.monotonic()
        self._running, self._done = {}, 0

    def ended(self, step: Step) -> None:
        """Leave the step's line above."""
        self._title = ""
        mark, style = ("✓", "green") if step.passed else ("✗", "bold red")
        line = Text.assemble((f"{mark} ", style), f"{step.title:<38} {duration(step.seconds):>12}  ")
        line.append(step.told, style="dim")
        self._console.print(line)

    def event(self, event: Seen) -> None:
        """Follow what the engine begins and ends."""
        if event.op in IDLE or type_of(event.urn).startswith(("pulumi:", "qhub:")) if event.urn else True:
            return
        if event.kind == "resourcePreEvent":
            self._running[event.urn] = time.monotonic()
        elif event.kind in ("resOutputsEvent", "resOpFailedEvent"):
            self._done += self._running.pop(event.urn, None) is not None

    def told(self, line: str) -> None:
        """Show what is waited for."""
        self._line = line

    def render(self) -> RenderableType:
        """Return the display as it is now."""
        if not self._title:
            return Text()
        head = f"{self._title}  {time.monotonic() - self._began:.0f} s"
        told = self._line or (f"{plural(self._done, 'resource')} done" if self._done else "")
        self._spinner.update(text=Text.assemble((head, "bold"), f"  {told}"))
        running = list(self._running)  # oldest first: what takes long stays in its place
        rows = [Text(f"    {name_of(urn)}  {type_of(urn).rpartition(':')[2]}", style="dim") for urn in running[:SHOWN]]
        if len(running) > SHOWN:
            rows.append(Text(f"    and {len(running) - SHOWN} more", style="dim"))
        return Group(self._spinner, *rows)
