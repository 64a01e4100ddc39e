"""Work in JupyterLab: notebook, terminal, who one is on disk, shared folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.people import at_work, signed_in
from tests.browser.site import Site
from tests.browser.steps.notebook import CellError
from tests.browser.visits import Visit

NewVisit = Callable[[], Visit]
Screenshot = Callable[[Page, str], Path]

#: What a firewall drops is never answered; where nothing is dropped, a node without a way out says at once that there
#: is none, and a cloud answers.
CONNECT = """import socket
try:
    socket.create_connection(("{}", 80), timeout=3)
except TimeoutError:
    print("nobody answers")
"""


class TestNotebook:
    def test_cells_run_and_show_their_output(self, site: Site, new_visit: NewVisit, screenshot: Screenshot) -> None:
        with at_work(new_visit, site, site.member) as lab:
            notebook = lab.new_notebook()
            assert notebook.run("numbers = range(10)\nfor n in numbers[:2]:\n    print('n is', n)") == "n is 0\nn is 1"
            assert notebook.run("sum(numbers)") == "45"
            with pytest.raises(CellError, match="ZeroDivisionError"):
                notebook.run("1 / 0")
            assert notebook.run("sum(numbers) + 1") == "46"
            screenshot(lab.page, "notebook")
            if site.blocked:
                assert notebook.run(CONNECT.format(site.blocked)) == "nobody answers"

    def test_two_people_work_at_once_and_apart(self, site: Site, new_visit: NewVisit) -> None:
        with at_work(new_visit, site, site.member) as one, at_work(new_visit, site, site.stranger) as other:
            notebooks = [lab.new_notebook() for lab in (one, other)]
            # Both kernels wait for one another's end: each cell runs until the other person's has begun.
            cells = [
                notebook.begin(f"import time\nmine = {number}\ntime.sleep(2)\nprint(mine)")
                for number, notebook in enumerate(notebooks)
            ]
            assert [notebook.finish(cell) for notebook, cell in zip(notebooks, cells, strict=True)] == ["0", "1"]
            homes = [notebook.run("import pathlib; print(pathlib.Path.home().stat().st_uid)") for notebook in notebooks]
            assert homes[0] != homes[1]

    def test_nobody_gets_at_the_server_of_another(self, site: Site, new_visit: NewVisit) -> None:
        with at_work(new_visit, site, site.member):
            page = signed_in(new_visit(), site, site.stranger).page
            answer = page.goto(site.server(site.member, "lab"))
            assert answer is not None
            assert answer.status == 403


class TestWhoOneIs:
    def test_a_member_has_their_name_number_and_groups(
        self, site: Site, new_visit: NewVisit, screenshot: Screenshot
    ) -> None:
        with at_work(new_visit, site, site.member) as lab:
            terminal = lab.new_terminal()
            name, uid, group_names, gids, umask, home = terminal.run(
                "id -un; id -u; id -Gn; id -G; umask; stat -c '%a %U' ~"
            ).splitlines()
            assert name == site.member.name
            assert site.member.uid in {None, int(uid)}
            groups = dict(zip(group_names.split(), map(int, gids.split()), strict=True))
            assert site.member.groups.items() <= groups.items()
            assert umask == site.umask
            assert home == f"700 {site.member.name}"
            terminal.run("id")
            screenshot(lab.page, "terminal")
            notebook = lab.new_notebook()
            assert notebook.run("import os; mask = os.umask(0); os.umask(mask); print(f'{mask:04o}')") == site.umask

    def test_a_stranger_has_a_name_and_a_number_of_their_own(self, site: Site, new_visit: NewVisit) -> None:
        with at_work(new_visit, site, site.stranger) as lab:
            terminal = lab.new_terminal()
            name, uid, group_names = terminal.run("id -un; id -u; id -Gn").splitlines()
            assert name == site.stranger.name
            assert int(uid) not in {0, 1000, site.member.uid}
            assert not set(site.member.groups) & set(group_names.split())


class TestSharedFolders:
    def test_those_of_ones_groups_are_shared_and_others_are_closed(self, site: Site, new_visit: NewVisit) -> None:
        for person in (site.member, site.stranger):
            if not (person.writable or person.closed):
                pytest.skip("NOT CHECKED: this site has no shared folders")
            with at_work(new_visit, site, person) as lab:
                terminal = lab.new_terminal()
                for folder in person.writable:
                    file = f"{site.shared}/{folder}/browser-test-{person.name}"
                    said = terminal.run(f"rm -f {file}; echo hello > {file} && stat -c '%a %U %G' {file}; rm -f {file}")
                    assert said == f"{expected_mode(site)} {person.name} {folder}"
                for folder in person.readable:
                    assert terminal.run(f"ls -d {site.shared}/{folder}") == f"{site.shared}/{folder}"
                    said = terminal.run(f"echo hello > {site.shared}/{folder}/x || echo refused")
                    assert said.endswith("refused"), said
                    assert "Read-only file system" in said
                for folder in person.closed:
                    assert cannot_write(terminal.run(f"echo hello > {site.shared}/{folder}/x || echo refused")), person


def expected_mode(site: Site) -> str:
    """Return the mode of a new file."""
    return f"{0o666 & ~int(site.umask, 8):o}"


def cannot_write(said: str) -> bool:
    """Say whether the shell refused, because it may not or because there is no such folder for this person."""
    return said.endswith("refused") and ("Permission denied" in said or "No such file" in said)
