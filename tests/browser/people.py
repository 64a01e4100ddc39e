"""A person of the site at work: signed in, with a server that runs and JupyterLab in front."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

from playwright.sync_api import Browser, Error

from tests.browser.site import Person, Site
from tests.browser.steps.hub import Hub
from tests.browser.steps.lab import Lab
from tests.browser.visits import Visit, visit

T = TypeVar("T")


def signed_in(visit: Visit, site: Site, person: Person) -> Hub:
    """Sign a person in and return the hub as they see it."""
    hub = Hub(visit.page, site)
    hub.sign_in(person)
    hub.expect_signed_in(person)
    return hub


def in_the_end(visit: Visit, site: Site, work: Callable[[], T], *, seconds: float) -> T:
    """Do something as somebody does who tries again until it works, when parts may be away. Each try begins signed out.

    Raises:
        Exception: what the last try ended in, when none worked that began within `seconds`.
    """
    end = time.monotonic() + seconds
    while True:
        # A try may have got as far as being signed in, and the form is for those who are not.
        visit.page.context.clear_cookies()
        try:
            Hub(visit.page, site).wait_until_answers(seconds=seconds)
            return work()
        except (Error, AssertionError, TimeoutError):
            if time.monotonic() > end:
                raise


def stop_servers(browser: Browser, site: Site) -> None:
    """Stop the servers of the people who start some in these tests."""
    for person in (site.member, site.stranger):
        with visit(browser) as last:
            signed_in(last, site, person).ensure_stopped()


@contextmanager
def at_work(new_visit: Callable[[], Visit], site: Site, person: Person, *, patience: float = 0) -> Generator[Lab]:
    """Give JupyterLab of a person. Their server goes on running for the next test; what was opened in it is shut down.

    When the work fails, all is left as it is, for the screenshot, until the server is stopped with the last test.

    Args:
        new_visit: makes the person's browser.
        site: the site.
        person: the person.
        patience: seconds for which to try again when parts may be away; 0 where none may.
    """
    visit = new_visit()

    def begin() -> Lab:
        signed_in(visit, site, person).ensure_running(person)
        lab = Lab(visit.page, site, person)
        lab.open()
        return lab

    lab = in_the_end(visit, site, begin, seconds=patience) if patience else begin()
    yield lab
    lab.tidy()
