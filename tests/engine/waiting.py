"""Waiting for what something else does: a controller, another process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


def eventually(look: Callable[[], T], holds: Callable[[T], Any] = bool, *, seconds: float = 60) -> T:
    """Look again and again until what is seen holds; fail with the last sight."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if holds(seen):
            return seen
        if time.monotonic() > deadline:
            pytest.fail(f"still not so: {seen}")
        time.sleep(0.1)
