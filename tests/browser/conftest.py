"""The browser, the site under test, and a visit for each person of a test.

A test that fails leaves screenshots and traces in `build/browser/failed/<test>/`.

`pytest tests/browser --times 20` runs the tests of the platform 20 times on one that is brought up once, each time in a
browser of its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from qhub.rehearsal import images, node
from qhub.rehearsal.paths import project_root
from qhub.rehearsal.toolchain.errors import ToolchainError
from tests.browser.chromium import Chromium, find_chromium, net_log
from tests.browser.connections import connected_to, outside
from tests.browser.people import stop_servers
from tests.browser.platform import keep_idle_servers, platform_up, stop_idle_servers
from tests.browser.site import VARIABLE, Site, read_site
from tests.browser.visits import Visit, visit
from tests.engine.main_job.project import Project

_FAILED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--times`."""
    parser.addoption(
        "--times", type=int, default=1, help="how often every test of the platform is run, one round after another"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make rounds of the tests of the platform: pytest orders them by round, and names each by its number."""
    times = _times(metafunc.config)
    if times > 1 and "platform" in metafunc.fixturenames:
        metafunc.parametrize("round_number", range(1, times + 1), indirect=True, scope="package")


def _times(config: pytest.Config) -> int:
    """Return how many rounds there are. The option is known only to a run that names this folder."""
    return config.getoption("times", default=1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let fixtures know, when they end, that the test failed."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture(scope="session")
def kept() -> Path:
    """Where screenshots and traces are kept: `build/browser`, or what QHUB_BROWSER_KEPT names."""
    return Path(os.environ.get("QHUB_BROWSER_KEPT") or project_root(Path(__file__).parent) / "build" / "browser")


@pytest.fixture(scope="package")
def chromium() -> Chromium:
    """The browser that can be started."""
    try:
        return find_chromium()
    except ToolchainError as error:
        pytest.skip(f"NOT CHECKED in a browser: {error}")


@pytest.fixture(scope="package")
def round_number(request: pytest.FixtureRequest) -> int:
    """Which round of the tests it is, from 1 on."""
    return getattr(request, "param", 1)


@pytest.fixture(scope="package")
def browser(chromium: Chromium, round_number: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One Chromium for all tests of a round. Its own log must show that it connected to this machine alone."""
    folder = tmp_path_factory.mktemp(f"chromium-{round_number}-")
    with sync_playwright() as playwright:
        started = chromium.launch(playwright.chromium, folder)
        try:
            yield started
        finally:
            started.close()
    reached = outside(connected_to(net_log(folder)))
    assert not reached, f"the browser connected to {', '.join(sorted(reached))}"


@pytest.fixture(scope="package")
def platform(chromium: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Site] | None]:
    """The platform, brought up for these tests, whatever the number of rounds; None where another site is named.

    It needs the browser first: where there is none, nothing has to be brought up.
    """
    if os.environ.get(VARIABLE):
        yield None
    elif why := node.why_not() or images.why_not():
        pytest.skip(f"NOT CHECKED in a browser: {why}")
    else:
        with platform_up(tmp_path_factory.mktemp("platform")) as up:
            yield up


@pytest.fixture(scope="package")
def site(platform: tuple[Project, Site] | None, browser: Browser) -> Iterator[Site]:
    """The site under test. Where it is not ours, the servers in it are stopped at the end of a round."""
    if platform:
        yield platform[1]
        return
    named = read_site(Path(os.environ[VARIABLE]))
    yield named
    stop_servers(browser, named)


@pytest.fixture
def culling_site(
    platform: tuple[Project, Site] | None, site: Site, round_number: int, request: pytest.FixtureRequest
) -> Iterator[Site]:
    """The site under test, made to stop idle servers soon where it is ours, and left so after the last round."""
    if platform is None:
        yield site
        return
    with ExitStack() as stack:
        if round_number < _times(request.config):
            stack.callback(keep_idle_servers, platform[0])
        yield stop_idle_servers(*platform)


@pytest.fixture
def new_visit(browser: Browser, kept: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[], Visit]]:
    """Call it for each person who takes part in the test."""
    visits: list[Visit] = []
    with ExitStack() as stack:

        def new() -> Visit:
            visits.append(stack.enter_context(visit(browser)))
            return visits[-1]

        yield new
        if request.node.stash.get(_FAILED, False):
            name = re.sub(r"[^\w.-]+", "-", request.node.nodeid.rpartition("/")[2])
            for number, one in enumerate(visits, start=1):
                one.keep(kept / "failed" / name / f"visit-{number}")
    asked = [url for one in visits for url in one.asked_outside]
    assert not asked, f"pages asked other machines: {asked}"


@pytest.fixture
def screenshot(kept: Path) -> Callable[[Page, str], Path]:
    """Call it with a page and a name to keep a picture of it for the documents, in `screenshots/<name>.png`."""

    def take(page: Page, name: str) -> Path:
        path = kept / "screenshots" / f"{name}.png"
        page.screenshot(path=path, animations="disabled")
        return path

    return take
