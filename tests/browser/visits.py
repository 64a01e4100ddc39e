"""Visits to a site: a browser context for each person, and what is kept of a visit that went wrong."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

#: What waiting for anything on a page may take, in milliseconds: a page loads in 2 s on two idle cores, and they are
#: seldom idle. Starting things has limits of its own.
PATIENCE = 60_000
#: Two thirds of a laptop's screen: readable in the README.
WINDOW: ViewportSize = {"width": 1280, "height": 800}


class Visit:
    """One person's browser: cookies of its own, shared with no other visit.

    Attributes:
        context: Playwright's.
        page: the first page.
        asked_outside: addresses of other machines that pages asked for. None of them is reached.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.asked_outside: list[str] = []
        context.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        context.on("request", lambda request: self._note(request.url))
        context.on("page", lambda page: page.on("websocket", lambda socket: self._note(socket.url)))
        self.page: Page = context.new_page()

    def _note(self, url: str) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme not in ("data", "blob", "about") and not re.fullmatch(r"(.*\.)?localhost|127\.0\.0\.1", host):
            self.asked_outside.append(url)

    def keep(self, folder: Path) -> None:
        """Store a screenshot of every open page and the trace of the visit, for `playwright show-trace`."""
        folder.mkdir(parents=True, exist_ok=True)
        for number, page in enumerate(self.context.pages, start=1):
            page.screenshot(path=folder / f"page-{number}.png")
        self.context.tracing.stop(path=folder / "trace.zip")


@contextmanager
def visit(browser: Browser) -> Generator[Visit]:
    """Open a browser context and close it at the end, with all its pages."""
    # A service worker's requests would be seen by nobody.
    context = browser.new_context(
        viewport=WINDOW, ignore_https_errors=True, service_workers="block", locale="en-GB", timezone_id="UTC"
    )
    try:
        # What pages held, without a film of them, which is a seventh of what the tests make this machine compute.
        context.tracing.start(snapshots=True)
        yield Visit(context)
    finally:
        context.close()
