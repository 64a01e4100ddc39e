"""A fresh checkout for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.main_job.project import Project, make_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A fresh checkout, and a folder of its own for temporary files."""
    for folder in ("checkout", "tmp"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    return make_project(tmp_path / "checkout")
