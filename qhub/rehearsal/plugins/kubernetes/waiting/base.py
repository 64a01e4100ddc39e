"""The loop that waits, whatever for."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from typing import Any

from qhub.rehearsal.plugins.errors import Interrupted, NotReadyError
from qhub.rehearsal.plugins.kubernetes.client import Api
from qhub.rehearsal.plugins.kubernetes.discovery import Served
from qhub.rehearsal.plugins.server import Engine

#: First and longest pause between two looks: a simulated pod is ready in half a second, a real one takes minutes.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What one look at an object says.

    Attributes:
        ready: nothing more to wait for.
        message: what is being waited for, for the progress line and the error.
        failed: it will never be ready; no use waiting for the timeout.
    """

    ready: bool
    message: str = ""
    failed: bool = False


READY = Verdict(ready=True)


@dataclasses.dataclass(frozen=True)
class Look:
    """What a readiness rule may look at besides the object itself."""

    api: Api
    namespace: str | None
    name: str

    def items(self, path: str, *, selector: dict[str, str] | None = None, fields: str = "") -> list[dict[str, Any]]:
        """Return the objects of a collection that carry all these labels."""
        query = {}
        if selector:
            query["labelSelector"] = ",".join(f"{key}={value}" for key, value in selector.items())
        if fields:
            query["fieldSelector"] = fields
        return self.api.get(path, **query).get("items") or []


Rule = Callable[[dict[str, Any], Look], Verdict]


class Waiter:
    """Waits for one resource.

    Args:
        api: the API server.
        engine: shows what is waited for, in the resource's line.
        cancelled: ends the wait.
        urn: the resource.
    """

    def __init__(self, *, api: Api, engine: Engine, cancelled: threading.Event, urn: str) -> None:
        self._api = api
        self._engine = engine
        self._cancelled = cancelled
        self._urn = urn
        self._said = ""

    def sleep(self, seconds: float) -> None:
        """Pause.

        Raises:
            Interrupted: the run was cancelled.
        """
        if self._cancelled.wait(seconds):
            raise Interrupted("cancelled")

    def say(self, message: str) -> None:
        """Show a progress message, if it is a new one; an empty one clears the line."""
        if message != self._said:
            self._said = message
            self._engine.status(message, self._urn)

    def until_ready(
        self, served: Served, namespace: str | None, name: str, rule: Rule, *, first: dict[str, Any], seconds: float
    ) -> dict[str, Any]:
        """Return the object once `rule` calls it ready.

        Raises:
            NotReadyError: it failed, vanished, or is not ready after `seconds`; carries the latest object.
            Interrupted: cancelled; the caller knows what exists.
        """
        look = Look(self._api, namespace, name)
        path, live = served.path(namespace, name), first
        deadline, pause = time.monotonic() + seconds, _FIRST_PAUSE
        while True:
            verdict = rule(live, look)
            if verdict.ready:
                self.say("")
                return live
            if verdict.failed:
                raise NotReadyError(verdict.message, state=live)
            if time.monotonic() >= deadline:
                raise NotReadyError(f"{verdict.message} (waited {seconds:.0f} s)", state=live)
            self.say(verdict.message)
            self.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
            found = self._api.find(path)
            if found is None:
                raise NotReadyError("it was deleted by somebody else while it was waited for", state=live)
            live = found

    def until_gone(self, path: str, uid: str, *, seconds: float) -> None:
        """Return once no object with this uid lies at the path.

        Raises:
            NotReadyError: still there after `seconds`; the message names what holds it.
            Interrupted: cancelled.
        """
        deadline, pause = time.monotonic() + seconds, _FIRST_PAUSE
        while True:
            live = self._api.find(path)
            if live is None or (uid and live["metadata"].get("uid") != uid):
                self.say("")
                return
            held = _held_by(live)
            if time.monotonic() >= deadline:
                raise NotReadyError(f"still there {seconds:.0f} s after its deletion was asked for{held}", state=live)
            self.say(f"waiting until it is deleted{held}")
            self.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(pause * 1.5, _LONGEST_PAUSE)


def _held_by(live: dict[str, Any]) -> str:
    """Return what keeps an object from going: its finalizers and, for a namespace, what is left in it."""
    finalizers = [*(live["metadata"].get("finalizers") or []), *((live.get("spec") or {}).get("finalizers") or [])]
    notes = [f"finalizers {', '.join(map(str, finalizers))}"] if finalizers else []
    for condition in (live.get("status") or {}).get("conditions") or []:
        told = condition.get("type") in ("NamespaceContentRemaining", "NamespaceFinalizersRemaining")
        if told and condition.get("status") == "True":
            notes.append(str(condition.get("message")))
    return f": held by {'; '.join(notes)}" if notes else ""
