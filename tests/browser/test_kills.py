"""Parts of the platform are killed while people work: what `docs/failures.md` says of each is so."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest
from playwright.sync_api import WebSocket

from tests.browser.people import at_work, in_the_end, signed_in
from tests.browser.site import Site
from tests.browser.steps.dask import DaskCluster
from tests.browser.steps.lab import Lab
from tests.browser.visits import Visit

NewVisit = Callable[[], Visit]

#: Parts that no connection of a user goes through, and those that carry them all.
BESIDE = ("kubelet", "containerd", "kube-apiserver", "etcd", "hub")
CARRIERS = ("proxy", "ingress")
#: Seconds within which a killed part is to do its work again: a new proxy waits for its routes, which the hub looks
#: after once a minute.
BACK_SECONDS = 240


@pytest.mark.parametrize("part", [*BESIDE, *CARRIERS])
def test_work_goes_on_and_others_begin(site: Site, new_visit: NewVisit, part: str) -> None:
    command = kill_command(site, part)
    other = new_visit()
    # The part that was killed before may not be back for everybody yet.
    in_the_end(other, site, lambda: signed_in(other, site, site.stranger).ensure_stopped(), seconds=BACK_SECONDS)
    with at_work(new_visit, site, site.member, patience=BACK_SECONDS) as lab:
        lab.dismiss_complaints()
        connections = connections_of(lab)
        notebook = lab.new_notebook()
        notebook.run("kept = 41")
        subprocess.run(command, check=True, timeout=BACK_SECONDS)
        if part in CARRIERS:
            lab.wait_until_reached(seconds=BACK_SECONDS)
            assert any(each.is_closed() for each in connections)
            lab.reload(notebook)
        assert notebook.run("kept + 1") == "42", "the kernel is another one"

        late = new_visit()
        in_the_end(
            late,
            site,
            lambda: signed_in(late, site, site.stranger).ensure_running(site.stranger),
            seconds=BACK_SECONDS,
        )

        assert notebook.run("kept + 2") == "43"
        if part not in CARRIERS:
            assert [each.url for each in connections if each.is_closed()] == [], "connections of the notebook were cut"


def test_a_dask_cluster_computes_while_its_gateway_is_away(site: Site, new_visit: NewVisit) -> None:
    command = kill_command(site, "gateway")
    with at_work(new_visit, site, site.member, patience=BACK_SECONDS) as lab:
        cluster = DaskCluster(lab.new_notebook())
        cluster.start()
        try:
            cluster.scale(1)
            cluster.compute()
            subprocess.run(command, check=True, timeout=BACK_SECONDS)
            cluster.compute()
            cluster.wait_until_gateway_answers(seconds=BACK_SECONDS)
            cluster.scale(site.dask_workers)
            cluster.compute()
        finally:
            cluster.stop()


def kill_command(site: Site, part: str) -> tuple[str, ...]:
    """Return the command that kills a part of the site; without one, nothing is tested."""
    if part not in site.kills:
        pytest.skip(f"NOT CHECKED: no command is known that kills this site's {part}")
    return site.kills[part]


def connections_of(lab: Lab) -> list[WebSocket]:
    """Return a list that gets every WebSocket which the page opens from now on."""
    opened: list[WebSocket] = []

    def note(socket: WebSocket) -> None:  # Playwright takes no built-in method
        opened.append(socket)

    lab.page.on("websocket", note)
    return opened
