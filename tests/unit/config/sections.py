"""A `cluster` section by itself, with the plainest settings around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from qhub.config import Settings


def settings_with(cluster: Mapping[str, Any]) -> Settings:
    """Return settings with this section, checked as a whole."""
    return Settings.model_validate({"domain": "qhub.localhost", "cluster": dict(cluster)})


def problems_of(cluster: Mapping[str, Any]) -> dict[str, str]:
    """Return the problems of a section that is refused: key below `cluster` -> message."""
    with pytest.raises(ValidationError) as caught:
        settings_with(cluster)
    text = caught.value.errors()[0]["msg"].removeprefix("Value error, ").removeprefix("cluster.")
    return dict(part.split(": ", maxsplit=1) for part in text.split("; cluster."))
