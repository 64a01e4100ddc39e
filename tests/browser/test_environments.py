"""An environment of the settings: its kernel in a notebook, and the same packages in the Dask cluster started there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.people import at_work
from tests.browser.site import Site
from tests.browser.steps.dask import DaskCluster
from tests.browser.visits import Visit

WHERE = "import sys, numpy; print(sys.prefix)"
WORKERS_WHERE = (
    "import sys; print({*client.run(lambda: sys.prefix).values()}, client.run_on_scheduler(lambda: sys.prefix))"
)
WRITE = "import pathlib; pathlib.Path(sys.prefix, 'mine').write_text('x')"


def test_a_notebook_and_its_dask_cluster_have_the_same_packages(site: Site, new_visit: Callable[[], Visit]) -> None:
    if site.environment is None:
        pytest.skip("NOT CHECKED: this site has no environment")
    with at_work(new_visit, site, site.member) as lab:
        notebook = lab.new_notebook(site.environment)
        place = notebook.run(WHERE)
        assert place.startswith(f"/environments/{site.environment}-")
        assert "Read-only file system" in notebook.run(f"try:\n    {WRITE}\nexcept OSError as error:\n    print(error)")
        if not site.dask:
            return
        cluster = DaskCluster(notebook)
        cluster.start()
        try:
            cluster.scale(1)
            assert notebook.run(WORKERS_WHERE) == f"{{'{place}'}} {place}"
        finally:
            cluster.stop()
