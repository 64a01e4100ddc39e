"""Fixtures: a project folder of a test's own, and one in which the platform is up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.main_job.project import Project, make_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A fresh folder for one test; whatever the test started is stopped."""
    made = make_project(tmp_path)
    yield made
    made.cluster.delete()


@pytest.fixture(scope="class")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A folder in which `qhub up` has brought the platform up, for the tests of one class in their order."""
    made = make_project(tmp_path_factory.mktemp("platform"), protect=True)
    made.qhub("up")
    made.shell()
    yield made
    made.cluster.delete()
