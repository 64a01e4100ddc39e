"""Simulated time: it runs faster than a clock on the wall, and the same in every plugin of a rehearsal."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock

from qhub.rehearsal.clouds.files import write_atomically
from qhub.rehearsal.plugins.errors import Interrupted, PluginError

#: Simulated seconds per real second.
SPEED_VARIABLE = "QHUB_REHEARSAL_SPEED"
#: A minute of the cloud in a second: an EKS cluster with its nodes (15 minutes) takes no longer than starting a real
#: API server, so the rehearsal waits for the cloud about as long as for Kubernetes.
DEFAULT_SPEED = 60.0
_FILE = "clock.json"


class Clock:
    """Simulated seconds since the world began.

    Args:
        folder: the world's folder; the first clock of a world writes its beginning and its speed there.
        speed: simulated seconds per real second, for a world that has no clock yet.
        cancelled: ends every wait when set.
    """

    def __init__(self, folder: Path, *, speed: float = DEFAULT_SPEED, cancelled: threading.Event | None = None) -> None:
        self._cancelled = cancelled or threading.Event()
        self._began, self.speed = _beginning(folder, speed)

    def now(self) -> float:
        """Return simulated seconds since the world began."""
        # The wall clock, because several processes and runs share it.
        return self.moment(time.time())

    def moment(self, wall: float) -> float:
        """Return the simulated moment of one on the wall clock (seconds since 1970)."""
        return (wall - self._began) * self.speed

    def sleep(self, seconds: float) -> None:
        """Wait for that many simulated seconds.

        Raises:
            Interrupted: the run was cancelled meanwhile.
        """
        self.sleep_until(self.now() + seconds)

    def sleep_until(self, moment: float) -> None:
        """Wait until a simulated moment; not at all where it is past.

        Raises:
            Interrupted: the run was cancelled before or meanwhile.
        """
        left = max(0.0, moment - self.now()) / self.speed
        if self._cancelled.wait(left):
            raise Interrupted("the run was cancelled")


def speed_of(environment: Mapping[str, str] = os.environ) -> float:
    """Return the speed that `QHUB_REHEARSAL_SPEED` asks for, 60 without it.

    Raises:
        PluginError: not a positive number.
    """
    text = environment.get(SPEED_VARIABLE, "")
    if not text:
        return DEFAULT_SPEED
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise PluginError(f"{SPEED_VARIABLE} must be simulated seconds per real second, for example 60, not {text!r}")
    return speed


def _beginning(folder: Path, speed: float) -> tuple[float, float]:
    file = folder / _FILE
    with FileLock(folder / f"{_FILE}.lock"):
        if not file.exists():
            write_atomically(file, json.dumps({"began": time.time(), "speed": speed}))
        written = json.loads(file.read_text(encoding="utf-8"))
    return float(written["began"]), float(written["speed"])
