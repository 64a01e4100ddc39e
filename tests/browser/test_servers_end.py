"""What becomes of a running server: stopped when nobody uses it, kept when the hub restarts."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.browser.people import at_work, signed_in
from tests.browser.site import Site
from tests.browser.steps.hub import Hub
from tests.browser.steps.lab import Lab
from tests.browser.visits import Visit

NewVisit = Callable[[], Visit]
#: How much later than its limit an idle server may go: activity is told to the hub, and looked at, every so often.
CULL_DELAY = 4
#: Seconds within which a restarted hub is to answer.
HUB_START_SECONDS = 180


def test_a_notebook_outlives_a_restart_of_the_hub(site: Site, new_visit: NewVisit) -> None:
    if site.restart_hub is None:
        pytest.skip("NOT CHECKED: no command is known that restarts this site's hub")
    with at_work(new_visit, site, site.member) as lab:
        notebook = lab.new_notebook()
        notebook.run("kept = 41")
        subprocess.run(site.restart_hub, check=True, timeout=HUB_START_SECONDS)
        assert notebook.run("kept + 1") == "42", "the kernel does not answer while the hub restarts"
        hub = Hub(new_visit().page, site)
        hub.wait_until_answers(seconds=HUB_START_SECONDS)
        hub.sign_in(site.member)
        hub.expect_signed_in(site.member)
        assert hub.is_running(), "the restarted hub does not know that the server runs"
        Lab(hub.page, site, site.member).open()
        assert notebook.run("kept + 2") == "43"


def test_a_server_that_nobody_uses_is_stopped_and_one_in_use_is_not(culling_site: Site, new_visit: NewVisit) -> None:
    site = culling_site
    if site.culled_after is None:
        pytest.skip("NOT CHECKED: this site stops no idle server, or only after a long time")
    idle = signed_in(new_visit(), site, site.member)
    idle.ensure_stopped()
    idle.start(site.member)
    idle.open_home()
    with at_work(new_visit, site, site.stranger) as lab:
        notebook = lab.new_notebook()
        limit = CULL_DELAY * site.culled_after + site.start_timeout
        # Cells are run all the while, so that the stranger's server is in use.
        idle.wait_until_stopped(seconds=limit, meanwhile=lambda: notebook.run("1"))
        assert notebook.run("print('still here')") == "still here"
