"""The harness itself, on a page served here: it sees what is there, fails where it should, and keeps what it saw."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from qhub.rehearsal.paths import project_root
from tests.browser.chromium import find_chromium, net_log
from tests.browser.connections import connected_to, outside
from tests.browser.site import Person, Site
from tests.browser.steps.hub import Hub
from tests.browser.visits import Visit, visit

#: An address of a block that is for documents only (RFC 5737), and a name that can never exist (RFC 2606).
FOREIGN = ("http://192.0.2.1/", "http://example.invalid/")
PAGE = f"""<!doctype html><title>Served here</title><h1>Hello</h1>
<script>
  document.cookie = "seen=yes";
  fetch("{FOREIGN[0]}").catch(() => document.body.append("not reached"));
  new WebSocket("ws://example.invalid/");
</script>"""
PNG = b"\x89PNG"


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = (PAGE if self.path == "/asks-outside" else "<!doctype html><h1>Hello</h1>").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def served() -> Iterator[str]:
    """Address of a small site on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


class TestNothingOutside:
    def test_no_other_machine_is_reached_by_address_or_name(self, new_visit: Callable[[], Visit]) -> None:
        one = new_visit()
        for address in FOREIGN:
            with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
                one.page.goto(address)
        assert one.asked_outside == list(FOREIGN)
        one.asked_outside.clear()  # the fixture would fail this test for them

    def test_what_a_page_asks_of_other_machines_is_noted(self, browser: Browser, served: str) -> None:
        with visit(browser) as one:
            one.page.goto(f"{served}asks-outside")
            expect(one.page.get_by_text("not reached")).to_be_visible()
            assert set(one.asked_outside) == {FOREIGN[0], "ws://example.invalid/"}

    def test_names_that_end_in_localhost_are_this_machine(self, new_visit: Callable[[], Visit], served: str) -> None:
        page = new_visit().page
        page.goto(served.replace("127.0.0.1", "qhub.localhost"))
        expect(page.locator("h1")).to_have_text("Hello")

    def test_the_browsers_own_log_tells_where_it_connected(self, browser: Browser, served: str, tmp_path: Path) -> None:
        started = find_chromium().launch(browser.browser_type, tmp_path / "chromium")
        try:
            with visit(started) as one:
                one.page.goto(served)
        finally:
            started.close()
        reached = connected_to(net_log(tmp_path / "chromium"))
        assert "127.0.0.1" in reached
        assert outside(reached) == set()
        assert outside(reached | {"192.0.2.1"}) == {"192.0.2.1"}


def test_visits_share_no_cookies(new_visit: Callable[[], Visit], browser: Browser, served: str) -> None:
    with visit(browser) as one:
        one.page.goto(f"{served}asks-outside")
        assert one.page.evaluate("document.cookie") == "seen=yes"
    other = new_visit().page
    other.goto(served)
    assert other.evaluate("document.cookie") == ""


def test_a_named_screenshot_is_kept(
    new_visit: Callable[[], Visit], served: str, screenshot: Callable[[Page, str], Path]
) -> None:
    page = new_visit().page
    page.goto(served)
    picture = screenshot(page, "harness")
    assert picture.read_bytes().startswith(PNG)
    picture.unlink()  # it is for nobody's documents


def hub_of(page: Page, url: str) -> Hub:
    person = Person(name="ada", password="")
    return Hub(page, Site(url=url, member=person, stranger=person, admin=person))


class TestTheHubIsAway:
    @pytest.mark.parametrize("shown", ["<h1>503 : Service Unavailable</h1>", "<pre>Bad Gateway</pre>"])
    def test_an_error_on_the_way_ends_a_wait_at_once(self, new_visit: Callable[[], Visit], shown: str) -> None:
        page = new_visit().page
        page.set_content(shown)
        hub = hub_of(page, "http://127.0.0.1/")
        with pytest.raises(AssertionError, match=r"Service Unavailable|Bad Gateway"):
            hub.wait_until_started(hub.site.member)
        with pytest.raises(AssertionError, match=r"Service Unavailable|Bad Gateway"):
            hub.expect_signed_in(hub.site.member)

    def test_so_does_a_connection_that_fails(self, new_visit: Callable[[], Visit]) -> None:
        page = new_visit().page
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{free.getsockname()[1]}/"
            page.set_content(f"<a href={url!r}>there</a>")
            page.get_by_text("there").click()
            hub = hub_of(page, url)
            with pytest.raises(AssertionError, match="nothing answers"):
                hub.wait_until_started(hub.site.member)


FAILING = """
    from playwright.sync_api import expect

    def test_looks_for_what_is_not_there(new_visit):
        page = new_visit().page
        page.goto({address!r})
        expect(page.locator("h1")).to_have_text("Goodbye", timeout=500)

    def test_passes(new_visit):
        new_visit().page.goto({address!r})

    def test_asks_outside(new_visit):
        page = new_visit().page
        page.goto({address!r} + "asks-outside")
        expect(page.get_by_text("not reached")).to_be_visible()
"""


def test_a_test_that_fails_leaves_picture_and_trace(served: str, browser: Browser, tmp_path: Path) -> None:
    """Run pytest on three tests of its own: one must fail, one pass, one be told that its page asked outside."""
    (tmp_path / "test_inner.py").write_text(textwrap.dedent(FAILING.format(address=served)))
    root = project_root(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.browser.conftest", "--rootdir", tmp_path, "-q", tmp_path],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root), "QHUB_BROWSER_KEPT": str(tmp_path / "kept")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 failed, 2 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert "pages asked other machines: ['http://192.0.2.1/', 'ws://example.invalid/']" in done.stdout
    kept = tmp_path / "kept" / "failed"
    (failed,) = kept.iterdir()
    assert failed.name == "test_inner.py-test_looks_for_what_is_not_there"
    assert (failed / "visit-1" / "page-1.png").read_bytes().startswith(PNG)
    assert (failed / "visit-1" / "trace.zip").read_bytes().startswith(b"PK")
