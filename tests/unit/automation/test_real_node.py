"""What a real node without a network cannot run is told before anything is made."""

from __future__ import annotations

from typing import Any

import pytest

from qhub.automation import real_node
from qhub.config.mistakes import SettingsError
from tests.unit.platform.building import make_settings

#: What such a node runs.
CAN_BE_RUN: dict[str, Any] = {
    "ingress": {"controller": "traefik"},
    "certificates": {"issuer": "none"},
    "storage": {"kind": "storage-class"},
}


@pytest.mark.parametrize(
    ("key", "section"),
    [
        ("ingress.controller", {"ingress": {"controller": "ingress-nginx"}}),
        ("certificates.issuer", {"certificates": {"issuer": "self-signed"}}),
        ("storage.kind", {"storage": {"kind": "nfs-server"}}),
        (
            "authentication.type",
            {"authentication": {"type": "native", "admin_users": ["ada"], "admin_password": "x" * 12}},
        ),
    ],
)
def test_what_cannot_be_run_is_told_with_what_can(key: str, section: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as told:
        real_node.check(make_settings(**(CAN_BE_RUN | section)), file="Pulumi.local.yaml")
    [mistake] = told.value.mistakes
    assert mistake.key == key
    assert "write " in mistake.message
    assert "make up NODES=simulated" in mistake.message


def test_what_can_be_run_is_let_through() -> None:
    real_node.check(make_settings(**CAN_BE_RUN), file="Pulumi.local.yaml")
