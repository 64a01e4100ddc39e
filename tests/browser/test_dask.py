"""A Dask cluster from a notebook: start, dashboard, compute, scale up and down, stop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.people import at_work
from tests.browser.site import Site
from tests.browser.steps.dask import DaskCluster, expect_workers
from tests.browser.visits import Visit


def test_a_cluster_computes_and_grows_and_shrinks(
    site: Site, new_visit: Callable[[], Visit], screenshot: Callable[[Page, str], Path]
) -> None:
    if not site.dask:
        pytest.skip("NOT CHECKED: this site has no Dask gateway")
    with at_work(new_visit, site, site.member) as lab:
        cluster = DaskCluster(lab.new_notebook())
        cluster.start()
        try:
            cluster.scale(1)
            cluster.compute()
            dashboard = cluster.open_dashboard()
            cluster.scale(site.dask_workers)
            cluster.compute()
            screenshot(lab.page, "dask-notebook")
            screenshot(dashboard, "dask-dashboard")
            expect_workers(dashboard, site.dask_workers)
            cluster.scale(1)
            expect_workers(dashboard, 1)
            cluster.compute()
        finally:
            cluster.stop()
