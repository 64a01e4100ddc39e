"""A Dask cluster, started and used from a notebook as the gateway's documentation says."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.steps.notebook import Notebook
from tests.browser.steps.waiting import until

#: Seconds within which a scheduler or workers are to start: an image may have to be pulled.
START_SECONDS = 180

START = """
from dask_gateway import Gateway
gateway = Gateway()
cluster = gateway.new_cluster()
client = cluster.get_client()
cluster
"""
#: Workers come and go as they like; the loop ends when there are as many as were asked for.
SCALE = """
import time
cluster.scale({workers})
end = time.monotonic() + {seconds}
while len(client.ncores()) != {workers} and time.monotonic() < end:
    time.sleep(0.1)
print(len(client.ncores()))
"""
#: Each task names the worker that did it, so that it is seen that workers compute and not the notebook.
COMPUTE = """
import dask.array as da
from distributed import get_worker
print(int(da.arange(1_000_001, chunks=100_000).sum().compute()))
done_by = client.gather(client.map(lambda n: get_worker().address, range(50), pure=False))
print(set(done_by) <= set(client.ncores()))
"""
#: Any error means not yet: the gateway's address leads nowhere, or to a proxy that does not know it yet.
ANSWERS = """
import time
end = time.monotonic() + {seconds}
while True:
    try:
        print(cluster.name in [one.name for one in gateway.list_clusters()])
        break
    except Exception:
        if time.monotonic() > end:
            raise
        time.sleep(0.2)
"""
#: The gateway goes on listing a cluster until its pods are gone.
STOP = """
import time
client.close()
cluster.shutdown()
end = time.monotonic() + {seconds}
while (left := [one.name for one in gateway.list_clusters() if one.name == cluster.name]) and time.monotonic() < end:
    time.sleep(0.2)
print(left)
gateway.close()
"""


class DaskCluster:
    """The cluster of one notebook."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook

    def start(self) -> None:
        """Start a cluster without workers. The notebook shows it, with the link to its dashboard."""
        self._shown = self.notebook.begin(START)
        self.notebook.finish(self._shown, seconds=START_SECONDS)

    def scale(self, workers: int) -> None:
        """Ask for a number of workers and wait until there are just as many."""
        said = self.notebook.run(SCALE.format(workers=workers, seconds=START_SECONDS), seconds=2 * START_SECONDS)
        assert said == str(workers), f"{said} workers came of {workers}"

    def compute(self) -> None:
        """Add up numbers on the workers and look at the result."""
        total, on_workers = self.notebook.run(COMPUTE).splitlines()
        assert int(total) == 1_000_000 * 1_000_001 // 2
        assert on_workers == "True"

    def wait_until_gateway_answers(self, *, seconds: float) -> None:
        """Wait until the gateway answers, when it may be down. It must know the cluster."""
        assert self.notebook.run(ANSWERS.format(seconds=seconds), seconds=2 * seconds) == "True"

    def open_dashboard(self) -> Page:
        """Click on the link to the dashboard, and wait until the page that opens shows live figures."""
        link = self._shown.locator("a[href*='/clusters/']").first
        with self.notebook.page.context.expect_page() as opened:
            link.click()
        dashboard = opened.value
        expect(dashboard).to_have_title("Dask: Status")
        _wait_for_figures(dashboard)
        return dashboard

    def stop(self) -> None:
        """Shut the cluster down; after a while the gateway must not list it any more."""
        assert self.notebook.run(STOP.format(seconds=START_SECONDS), seconds=2 * START_SECONDS) == "[]"


def expect_workers(dashboard: Page, workers: int) -> None:
    """Wait until the dashboard's list of workers, which changes by itself, has so many."""
    if dashboard.title() != "Dask: Workers":
        dashboard.get_by_role("link", name="Workers", exact=True).click()
        expect(dashboard).to_have_title("Dask: Workers")
        _wait_for_figures(dashboard)
    expect(dashboard.get_by_text(f"Total ({workers})", exact=True).first).to_be_visible()


def _wait_for_figures(page: Page) -> None:
    """Wait until the dashboard has its document, which comes over a WebSocket, and has drawn it."""
    drawn = "() => window.Bokeh?.documents?.length > 0 && window.Bokeh.documents.every(one => one.is_idle)"
    until(page, lambda: page.evaluate(drawn), seconds=60, what="the dashboard is drawn")
