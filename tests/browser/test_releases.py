"""What new releases do to people at work, and the way back. `docs/upgrades.md` says it for everything that can change.

Its name puts it before the test that lets idle servers be stopped: while a new release comes, people look on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.browser.people import at_work, signed_in
from tests.browser.releases import (
    EDITION,
    dismiss_failed_saves,
    history,
    image_of_server,
    new_charts,
    new_notebook_image,
    pod_of,
    running,
    up_while,
)
from tests.browser.site import Site
from tests.browser.steps.dask import DaskCluster
from tests.browser.visits import Visit
from tests.engine.main_job.project import Project

#: Between two cells, so that a long `up` does not make a notebook of hundreds.
PAUSE_MILLISECONDS = 3000
IMAGE = "quay.io/jupyter/scipy-notebook"
#: What a server says whose image is not the next edition.
AS_BUILT = "as built"
NEWER = {"jupyterhub": "4.4.1", "dask-gateway": "2026.3.1"}


# Three runs of `up`, four servers and a Dask cluster; the first test of a run also waits for the platform.
@pytest.mark.timeout(1800)
def test_people_work_on_through_new_releases_and_back(
    platform: tuple[Project, Site] | None, new_visit: Callable[[], Visit], tmp_path: Path
) -> None:
    if platform is None:
        pytest.skip("NOT CHECKED: the settings of this site are not ours to change")
    project, site = platform
    file = project.folder / "Pulumi.local.yaml"
    settings, before = file.read_text(), running(project)
    with at_work(new_visit, site, site.member) as lab:
        dismiss_failed_saves(lab.page)
        notebook = lab.new_notebook()
        notebook.run("kept = 0")
        cluster = DaskCluster(notebook)
        cluster.start()
        cluster.scale(1)
        first_image = image_of_server(project, site.member.name)

        def work() -> None:
            """Run a cell that needs what the kernel remembers, as people do who know nothing of any release."""
            notebook.page.wait_for_timeout(PAUSE_MILLISECONDS)
            count.append(notebook.run("kept += 1\nprint(kept)"))
            assert count[-1] == str(len(count)), "the kernel was lost"

        count: list[str] = []
        # A new image of notebooks: for servers that are started from now on.
        project.cluster.import_images([new_notebook_image(tmp_path, f"{IMAGE}:next")])
        project.set(jupyterhub={"image": {"name": IMAGE, "tag": "next"}})
        up_while(project, work)
        assert image_of_server(project, site.member.name) == first_image
        assert edition_of_a_new_server(project, site, new_visit) == ("next", f"{IMAGE}:next")
        cluster.compute()

        # New charts: the hub and the gateway are started anew, what they started goes on.
        hub = pod_of(project, "hub")
        mirror = project.folder / charts_of(project)
        versions = {name.replace("-", "_"): {"version": version} for name, version in NEWER.items()}
        project.set(charts={"mirror": str(new_charts(tmp_path, mirror, NEWER)), **versions})
        up_while(project, work)
        assert pod_of(project, "hub") != hub
        after = running(project)
        assert {name: after.charts[name] for name in NEWER} == {name: f"{name}-{NEWER[name]}" for name in NEWER}
        assert signed_in(new_visit(), site, site.member).is_running()
        # The way to the cluster led through the gateway that was replaced; the cluster itself is where it was.
        notebook.run("client.close()\nclient = cluster.get_client()")
        cluster.compute()
        cluster.stop()

        # And back, by the settings of before.
        file.write_text(settings)
        up_while(project, work)
        assert running(project) == before
        assert history(project, "jupyterhub")[-3:] == [f"jupyterhub-{v}" for v in ("4.4.0", "4.4.1", "4.4.0")]
        assert edition_of_a_new_server(project, site, new_visit) == (AS_BUILT, first_image)
        assert signed_in(new_visit(), site, site.member).is_running()
        work()


def edition_of_a_new_server(project: Project, site: Site, new_visit: Callable[[], Visit]) -> tuple[str, str]:
    """Have the stranger start a server anew; return what it says of its image, and the image's name."""
    signed_in(new_visit(), site, site.stranger).ensure_stopped()
    with at_work(new_visit, site, site.stranger) as lab:
        said = lab.new_notebook().run(f"import os; print(os.environ.get('{EDITION}', '{AS_BUILT}'))")
        return said, image_of_server(project, site.stranger.name)


def charts_of(project: Project) -> str:
    """Return the folder that the charts of the running platform come from."""
    return YAML().load(project.folder / "Pulumi.local.yaml")["config"]["qhub:charts"]["mirror"]
