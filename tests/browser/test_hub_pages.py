"""The hub's pages: who gets in, what they are offered, who may administer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.site import Site
from tests.browser.steps.hub import Hub
from tests.browser.steps.lab import Lab
from tests.browser.visits import Visit

NewVisit = Callable[[], Visit]
Screenshot = Callable[[Page, str], Path]
MEMORY_LIMIT = "/sys/fs/cgroup/memory.max"
MEMORY_LIMIT_V1 = "/sys/fs/cgroup/memory/memory.limit_in_bytes"


class TestSigningIn:
    def test_the_right_password_signs_in_and_out(self, site: Site, new_visit: NewVisit, screenshot: Screenshot) -> None:
        hub = Hub(new_visit().page, site)
        hub.page.goto(site.url)
        hub.expect_theme()
        screenshot(hub.page, "sign-in")
        hub.sign_in(site.member)
        hub.expect_signed_in(site.member)
        hub.expect_theme()
        hub.sign_out()

    def test_a_wrong_password_is_refused(self, site: Site, new_visit: NewVisit) -> None:
        if site.wrong_password is None:
            pytest.skip("NOT CHECKED: every password is right at this site")
        hub = Hub(new_visit().page, site)
        hub.sign_in(site.member, password=site.wrong_password)
        hub.expect_refused()


class TestProfiles:
    def test_everybody_is_offered_their_own(self, site: Site, new_visit: NewVisit, screenshot: Screenshot) -> None:
        if not site.member.offered:
            pytest.skip("NOT CHECKED: this site has no profiles")
        for person in (site.member, site.stranger):
            hub = Hub(new_visit().page, site)
            hub.sign_in(person)
            hub.expect_signed_in(person)
            hub.ensure_stopped()
            assert hub.open_profiles() == list(person.offered)
            assert not set(hub.open_profiles()) & set(person.hidden)
            screenshot(hub.page, f"profiles-{person.name}")

    def test_one_that_is_not_offered_cannot_be_had_by_asking_for_it(self, site: Site, new_visit: NewVisit) -> None:
        if not site.stranger.hidden:
            pytest.skip("NOT CHECKED: this site hides no profile")
        hub = Hub(new_visit().page, site)
        hub.sign_in(site.stranger)
        hub.expect_signed_in(site.stranger)
        hub.ensure_stopped()
        hub.expect_profile_refused(site.stranger.hidden[0])


class TestServers:
    def test_a_server_starts_with_the_chosen_profile_and_stops(self, site: Site, new_visit: NewVisit) -> None:
        hub = Hub(new_visit().page, site)
        hub.sign_in(site.member)
        hub.expect_signed_in(site.member)
        hub.ensure_stopped()
        profile = site.member.offered[-1] if site.member.offered else None
        hub.start(site.member, site.choice.profile if site.choice else profile, site.choice)
        if site.choice is not None:
            lab = Lab(hub.page, site, site.member)
            lab.open()
            # As the kernel has it, with control groups of either version.
            limit = lab.new_terminal().run(f"cat {MEMORY_LIMIT} 2>&- || cat {MEMORY_LIMIT_V1}")
            assert int(limit) == site.choice.memory
            lab.tidy()
        assert hub.is_running()
        hub.stop()


class TestAdminPage:
    def test_an_admin_sees_everybody(self, site: Site, new_visit: NewVisit, screenshot: Screenshot) -> None:
        member = Hub(new_visit().page, site)
        member.sign_in(site.member)
        member.expect_signed_in(site.member)
        hub = Hub(new_visit().page, site)
        hub.sign_in(site.admin)
        hub.expect_signed_in(site.admin)
        hub.expect_admin_page(site.member, site.admin)
        screenshot(hub.page, "admin")

    def test_nobody_else_may_open_it(self, site: Site, new_visit: NewVisit) -> None:
        hub = Hub(new_visit().page, site)
        hub.sign_in(site.stranger)
        hub.expect_signed_in(site.stranger)
        hub.expect_no_admin_page()
