"""Run the engine while reading its event log, so that a rehearsal sees each resource begin and end."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from qhub.automation.rehearse.workspace import Workspace

#: The engine shows `--event-log` only with this set; its own Automation API uses both.
DEBUG_COMMANDS = {"PULUMI_DEBUG_COMMANDS": "true"}

#: Seconds between two looks at the event log: finer than anything that a picture of minutes can show.
POLL = 0.05
#: Seconds that an interrupted engine gets to end its plugins; nothing that it has made outlives the rehearsal.
PATIENCE = 5.0


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One event of the engine.

    Attributes:
        moment: when it was seen, on the simulated clock.
        kind: the engine's word: `resourcePreEvent`, `resOutputsEvent`, `resOpFailedEvent`, `diagnosticEvent`, ...
        body: the rest.
    """

    moment: float
    kind: str
    body: dict[str, Any]

    @property
    def urn(self) -> str:
        """The resource that it is about; "" for none."""
        return self.body.get("metadata", {}).get("urn") or self.body.get("urn") or ""

    @property
    def op(self) -> str:
        """The operation that it is about; "" for none."""
        return self.body.get("metadata", {}).get("op", "")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of the engine that has ended.

    Attributes:
        command: its words.
        returncode: the engine's own.
        events: what was seen, in order.
        printed: what it printed.
    """

    command: str
    returncode: int
    events: tuple[Seen, ...]
    printed: str

    @property
    def changes(self) -> dict[str, int]:
        """How many resources were created, deleted, left the same and so on."""
        return next((one.body["resourceChanges"] or {} for one in self.events if one.kind == "summaryEvent"), {})

    @property
    def errors(self) -> Iterator[tuple[str, str]]:
        """URN ("" for none) and text of each error that the engine told."""
        for one in self.events:
            if one.kind == "diagnosticEvent" and one.body.get("severity") == "error":
                yield one.urn, str(one.body.get("message", "")).strip()


def run_engine(workspace: Workspace, *words: str, on_event: Callable[[Seen], None]) -> Run:
    """Run `pulumi WORDS` on the stack of the workspace until it ends.

    An interrupt ends the engine with everything that it has started before it goes on.

    Args:
        workspace: the rehearsal's.
        words: for instance `up --yes --skip-preview`.
        on_event: called with each event as it comes.
    """
    engine = workspace.engine
    log, output = (workspace.folder / f"{words[0]}.{end}" for end in ("events", "output"))
    for file in (log, output):
        file.unlink(missing_ok=True)
    command = [str(engine.pulumi), *words, "--stack", engine.stack, "--non-interactive", "--color", "never",
               "--event-log", str(log)]  # fmt: skip
    events: list[Seen] = []

    def take(one: Seen) -> None:
        events.append(one)
        on_event(one)

    with output.open("wb") as stream:
        # A session of its own: Ctrl-C reaches this process alone, which then ends the engine in its own way.
        child = subprocess.Popen(
            command, cwd=engine.root, env={**engine.environment, **DEBUG_COMMANDS},
            stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            _follow(child, log, workspace, take)
        except BaseException:
            _end(child)
            raise
    return Run(
        command=" ".join(words[:1]),
        returncode=child.returncode,
        events=tuple(events),
        printed=output.read_text(encoding="utf-8", errors="replace"),
    )


def _follow(child: subprocess.Popen[bytes], log: Path, workspace: Workspace, take: Callable[[Seen], None]) -> None:
    while not log.exists():
        if child.poll() is not None:
            return
        time.sleep(POLL)
    with log.open("rb") as stream:
        rest = b""
        while True:
            over = child.poll() is not None  # asked before reading: what it wrote last is then there
            rest = _read(stream, rest, workspace, take)
            if over:
                return
            time.sleep(POLL)


def _read(stream: BinaryIO, rest: bytes, workspace: Workspace, take: Callable[[Seen], None]) -> bytes:
    """Hand on the whole lines that are there; return the beginning of the next one."""
    *lines, rest = (rest + stream.read()).split(b"\n")
    moment = workspace.clock.now()
    for line in filter(None, lines):
        event = json.loads(line)
        kind = next((key for key in event if key.endswith("Event")), "")
        if not (kind == "diagnosticEvent" and event[kind].get("severity") == "debug"):
            take(Seen(moment=moment, kind=kind, body=event.get(kind) or {}))
    return rest


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the engine and all that it has started: language host, plugins, helm."""
    started = _descendants(child.pid)
    child.send_signal(signal.SIGINT)
    try:
        child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        started += _descendants(child.pid)
        child.kill()
        child.wait()
    for process in started:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(started, timeout=PATIENCE)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
