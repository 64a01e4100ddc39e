"""Waiting for what cannot be seen without asking again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from playwright.sync_api import Page

T = TypeVar("T")

#: Milliseconds between two looks.
PAUSE = 250


def until(page: Page, look: Callable[[], T | None], *, seconds: float, what: str) -> T:
    """Look again and again until something other than None or False is there, and return it.

    Between looks the page lives on. The clock only ends a wait that would never end.

    Raises:
        TimeoutError: it did not come; the message says what.
    """
    end = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} s, at {page.url}")
        page.wait_for_timeout(PAUSE)
    return seen
