"""What holds for every test."""

from __future__ import annotations

import signal

# First of all: a stand-in plugin's module enters `pulumi` by half, to start quickly, and tests run programs as well.
import pulumi as pulumi  # noqa: PLC0414
from hypothesis import HealthCheck, settings

# A busy machine is no failure: hypothesis would otherwise judge by the clock.
settings.register_profile("qhub", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("qhub")


def pytest_sessionstart() -> None:
    """Have `kill`, too, stop what tests have started, as a Ctrl-C does: clusters outlive their test otherwise."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
