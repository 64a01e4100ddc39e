"""Fixtures for tests of the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.config.files import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Return an empty project folder."""
    return Folder(tmp_path)
