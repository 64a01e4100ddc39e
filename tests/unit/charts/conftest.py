"""What the tests of the hub's configuration share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.charts.hub_program import ENVIRONMENT, Configuration, run, unpack_hub
from tests.unit.charts.rendering import render


@pytest.fixture
def configure_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that takes values and returns what the hub's configuration sets."""

    def configured(values: dict[str, Any], environment: dict[str, str] | None = None) -> Configuration:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        unpack_hub(render("jupyterhub", values, namespace="team"), folder)
        variables = dict(ENVIRONMENT) if environment is None else environment
        return run(folder / "jupyterhub_config.py", variables, monkeypatch)

    return configured
