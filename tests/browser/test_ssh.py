"""Terminals over SSH, as somebody at home has them: a token from the hub's page, and an SSH client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncssh
import pytest

from tests.browser.people import signed_in
from tests.browser.site import Person, Site
from tests.browser.visits import Visit

NewVisit = Callable[[], Visit]


@pytest.fixture(autouse=True)
def _needs_ssh(site: Site) -> None:
    if site.ssh is None:
        pytest.skip("NOT CHECKED: this site has no terminals over SSH")


def apart(work: Coroutine[Any, Any, Any]) -> Any:
    """Run it in a thread of its own: the browser's driver has the event loop of this one."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()


async def terminal(site: Site, name: str, token: str, typed: str) -> str:
    """Sign in, type into the terminal, and return what it showed until it ended."""
    assert site.ssh is not None
    host, port = site.ssh
    connection = asyncssh.connect(
        host, port, username=name, password=token, known_hosts=None, client_keys=None, config=None
    )
    async with asyncio.timeout(site.start_timeout + 60), connection as signed:
        done = await signed.run(input=typed, term_type="xterm", term_size=(200, 50))
    assert done.exit_status == 0, done.stderr
    return str(done.stdout)


def line_after(mark: str, shown: str) -> str:
    """Return the rest of the line that a command printed after a mark, which the echo of the command has in quotes."""
    return shown.partition(f"{mark}=")[2].partition("\r\n")[0]


class TestTerminal:
    def test_it_is_of_ones_own_server_which_starts_for_it(self, site: Site, new_visit: NewVisit) -> None:
        hub = signed_in(new_visit(), site, site.member)
        hub.ensure_stopped()
        token = hub.new_token()

        typed = "echo 'me'=$(id -un) $(id -u) $(id -G); echo 'size'=$(stty size); exit\n"
        shown = apart(terminal(site, site.member.name, token, typed))

        name, uid, *gids = line_after("me", shown).split()
        assert name == site.member.name
        assert site.member.uid is None or int(uid) == site.member.uid
        assert set(site.member.groups.values()) <= {int(gid) for gid in gids}
        assert line_after("size", shown) == "50 200"
        assert hub.is_running()

    @pytest.mark.parametrize("owner", ["stranger", "admin"])
    def test_nobody_elses_token_opens_it(self, site: Site, new_visit: NewVisit, owner: str) -> None:
        person: Person = getattr(site, owner)
        token = signed_in(new_visit(), site, person).new_token()

        with pytest.raises(asyncssh.PermissionDenied):
            apart(terminal(site, site.member.name, token, "id\n"))
