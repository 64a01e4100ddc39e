"""The hub's own pages: signing in, choosing a profile, starting and stopping a server, the admin page."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from playwright.sync_api import Error, Locator, Page, expect

from tests.browser.site import Choice, Person, Site
from tests.browser.steps.waiting import until
from tests.browser.visits import PATIENCE

#: Address of the page that Chromium shows when a connection fails.
BROWSERS_ERROR = "chrome-error:"
#: The heading of an error that the hub, its proxy or nginx makes a page of.
STATUS = re.compile(r"^\s*5\d\d\b")
#: All that Traefik says of one.
GATEWAYS_WORDS = re.compile(r"^\s*(Bad Gateway|Service Unavailable|Gateway Timeout|no available server)\s*$")


class Hub:
    """The hub as one person sees it on one page."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page = page
        self.site = site

    def sign_in(self, person: Person, *, password: str | None = None) -> None:
        """Fill in the sign-in form with the person's password, or another one, and send it."""
        # Straight to the home page: without it, whoever has a server lands there, and whoever has none starts one.
        self.page.goto(self.site.at(f"hub/login?next={quote(urlsplit(self.site.at('hub/home')).path)}"))
        self.page.locator("input[name=username]").fill(person.name)
        self.page.locator("input[name=password]").fill(person.password if password is None else password)
        self.page.locator("#login_submit").click()

    def expect_signed_in(self, person: Person) -> None:
        """Wait until the page knows the person."""
        self._expect(self.page.locator("#logout"))
        expect(self.page.locator(".navbar")).to_contain_text(person.name)

    def expect_refused(self) -> None:
        """Wait for the form again, with the reason, and no way further: home sends back to the form."""
        expect(self.page.locator(".login_error")).to_contain_text(re.compile("invalid", re.IGNORECASE))
        self.page.goto(self.site.at("hub/home"))
        expect(self.page.locator("#login_submit")).to_be_visible()

    def sign_out(self) -> None:
        """Sign out, from any of the hub's pages."""
        self.page.locator("#logout").click()
        expect(self.page.locator("#login_submit, #login-main")).to_have_count(2)

    def open_home(self) -> None:
        """Open the page with the buttons that start and stop one's server."""
        self.page.goto(self.site.at("hub/home"))
        self._expect(self.page.locator("#start"))

    def is_running(self) -> bool:
        """Say whether one's server runs or is being started or stopped, by the home page as it is now."""
        self.open_home()
        return self.page.locator("#stop").is_visible()

    def open_profiles(self) -> list[str]:
        """Open the page that starts a server and return the slugs of the profiles it offers, in order."""
        self.page.goto(self.site.at("hub/spawn"))
        expect(self.page.locator("#spawn_form")).to_be_visible()
        choices = self.page.locator("input[name=profile]")
        return [str(choice.get_attribute("value")) for choice in choices.all()]

    def expect_theme(self) -> None:
        """Find the hub's name and its welcome on the page, as they were written."""
        if self.site.title is not None:
            expect(self.page).to_have_title(self.site.title)
            expect(self.page.locator(".navbar")).to_contain_text(self.site.title)
        if self.site.welcome is not None:
            expect(self.page.get_by_text(self.site.welcome)).to_be_visible()

    def start(self, person: Person, profile: str | None = None, choice: Choice | None = None) -> None:
        """Start one's server and wait until it shows its own page.

        Args:
            person: whose it is.
            profile: one of the list; None for the default.
            choice: what to choose in that profile; None for what is chosen beforehand.
        """
        self.page.goto(self.site.at("hub/spawn"))
        form = self.page.locator("#spawn_form")
        # Without profiles there is no form: the server starts when the page is opened.
        self._expect(form.or_(self.page.locator("#progress-bar, #jupyterlab-splash, .jp-LabShell")))
        if form.is_visible():
            if profile:
                form.locator(f"input[name=profile][value={profile!r}]").check()
            if choice:
                form.locator(f"select[name='profile-option-{profile}--{choice.option}']").select_option(choice.value)
            form.locator("[type=submit]").click()
        self.wait_until_started(person)

    def expect_profile_refused(self, slug: str) -> None:
        """Send the form with a profile that it does not offer, which must start nothing."""
        self.open_profiles()
        self.page.locator("input[name=profile]").first.evaluate("(choice, slug) => { choice.value = slug }", slug)
        self.page.locator("input[name=profile]").first.check()
        self.page.locator("#spawn_form [type=submit]").click()
        # In the form, by a page of its own, or after the start was tried: which one depends on the spawner.
        failed = self.page.locator("h1").filter(has_text=re.compile(r"Spawn failed|^\s*[45]\d\d\b"))
        expect(failed.or_(self.page.locator(".spawn-error-msg")).first).to_be_visible()
        assert not self.is_running(), f"a server runs with the profile {slug}, which is not offered"

    def wait_until_started(self, person: Person, *, otherwise: Locator | None = None) -> bool:
        """Wait until the browser is on one's own server, and return True; False when it shows `otherwise` instead.

        Raises:
            AssertionError: the hub says that the start failed, or it cannot be reached; with what the page says.
        """
        own = urlsplit(self.site.server(person)).path
        # A page of its own when the start failed at once, else a line on the page that shows the progress.
        failed = self.page.locator("h1, #progress-message").filter(has_text="Spawn failed")

        def look() -> bool:
            assert not failed.first.is_visible(), self.page.locator("body").inner_text()
            self._expect_no_error()
            return (otherwise is not None and otherwise.is_visible()) or urlsplit(self.page.url).path.startswith(own)

        until(self.page, look, seconds=self.site.start_timeout, what=f"the server of {person.name} started")
        return otherwise is None or not otherwise.is_visible()

    def _expect(self, wanted: Locator) -> None:
        """Wait until some of what is wanted is on the page.

        Raises:
            AssertionError: the page says that the hub cannot be reached: nothing more comes of it.
            TimeoutError: it did not come.
        """

        def look() -> bool:
            self._expect_no_error()
            return wanted.first.is_visible()

        until(self.page, look, seconds=PATIENCE / 1000, what=f"{wanted} is there")

    def _expect_no_error(self) -> None:
        """Fail when the page is what the browser, or a part on the way to the hub, shows in place of the hub's."""
        page = self.page
        assert not page.url.startswith(BROWSERS_ERROR), "nothing answers"
        error = page.locator("h1").filter(has_text=STATUS).or_(page.locator("body").filter(has_text=GATEWAYS_WORDS))
        assert not error.first.is_visible(), page.locator("body").inner_text()

    def stop(self) -> None:
        """Stop one's running server by the button on the home page, and wait until it is gone."""
        self.open_home()
        self._press_stop()

    def wait_until_stopped(self, *, seconds: float, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Wait until the home page offers to start a server. Looking there does not count as using the server.

        Args:
            seconds: the longest wait.
            meanwhile: called between two looks.
        """

        def look() -> bool:
            meanwhile()
            return not self.is_running()

        until(self.page, look, seconds=seconds, what="the server stopped")
        expect(self.page.locator("#start")).to_contain_text("Start")

    def wait_until_answers(self, *, seconds: float) -> None:
        """Wait until the hub answers, when it may be down."""

        def look() -> bool:
            try:
                answer = self.page.goto(self.site.at("hub/login"))
            except Error:  # nothing listens
                return False
            return answer is not None and answer.ok

        until(self.page, look, seconds=seconds, what="the hub answers")

    def ensure_running(self, person: Person) -> None:
        """See to it that one's server runs, whichever profile it has. One may be stopped for idleness this moment."""
        if self.is_running():
            self.page.locator("#start").click()
            if self.wait_until_started(person, otherwise=self.page.get_by_text("Your server is not running")):
                return
        self.start(person)

    def ensure_stopped(self) -> None:
        """See to it that one's server does not run. One may be stopped for idleness this moment."""
        if self.is_running():
            # On the page that had the button: opened again, it has none once the server was stopped for idleness.
            self._press_stop()

    def _press_stop(self) -> None:
        self.page.locator("#stop").click()
        self.wait_until_stopped(seconds=self.site.start_timeout)

    def new_token(self) -> str:
        """Make a token on the page for them, and return it."""
        self.page.goto(self.site.at("hub/token"))
        self.page.locator("#request-token-form [type=submit]").click()
        result = self.page.locator("#token-result")
        expect(result).not_to_be_empty()
        return result.inner_text().strip()

    def expect_admin_page(self, *people: Person) -> None:
        """Open the admin page by its link and wait until it lists these people."""
        self.open_home()
        self.page.locator(".navbar a[href$='hub/admin']").click()
        for person in people:
            exactly = re.compile(rf"^\s*{re.escape(person.name)}\s*$")
            expect(self.page.get_by_test_id("user-row-name").filter(has_text=exactly)).to_be_visible()

    def expect_no_admin_page(self) -> None:
        """Look for the link, which must not be there, and open the page by hand, which must be refused."""
        self.open_home()
        expect(self.page.locator(".navbar a[href$='hub/admin']")).to_have_count(0)
        answer = self.page.goto(self.site.at("hub/admin"))
        assert answer is not None
        assert answer.status == 403, f"the admin page answers {answer.status} to somebody who is no admin"
