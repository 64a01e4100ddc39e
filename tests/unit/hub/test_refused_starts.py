"""Starts of servers that the hub refuses, one after the other: in the real hub."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.unit.hub.running import NO_CLUSTER, running_hub
from tests.unit.platform.building import SECRETS, hub_values, make_settings

#: One more than the chart's limit of failed starts in a row.
STARTS = 6
SIZES = [{"name": "small", "default": True}, {"name": "large"}]


@pytest.mark.parametrize(
    ("profile", "chosen"),
    [({"sizes": SIZES}, {"profile": "nope"}), ({"groups": ["staff"]}, {})],
    ids=["no such profile", "none is open to them"],
)
def test_nobody_ends_the_hub_with_starts_that_it_refuses(
    profile: dict[str, Any], chosen: dict[str, Any], tmp_path: Path
) -> None:
    settings = make_settings(
        authentication={"password": "p", "allow_all": True},
        groups={"staff": {"gid": 1100}},
        jupyterhub={"profiles": [{"name": "only", "default": True, **profile}]},
    )
    values = hub_values(settings)
    values["hub"]["extraConfig"]["99-no-cluster"] = NO_CLUSTER
    with running_hub(values, tmp_path) as hub:
        browser = hub.browser()
        browser.sign_in_with_password("eve", str(SECRETS.sign_in))
        for refused in range(1, STARTS + 1):
            browser.press("users/eve/server", chosen)
            deadline = time.monotonic() + 60
            while (log := hub.log.read_text()).count("rror starting eve's server") < refused:
                assert time.monotonic() < deadline, log
                time.sleep(0.1)
        # It announces its end before it exits.
        assert "consecutive spawn" not in hub.log.read_text()
        assert browser.go("/hub/home").status_code == 200
