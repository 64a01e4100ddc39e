"""The pure parts of a cluster on DigitalOcean."""

from __future__ import annotations

import json

import pytest

from qhub.clouds.digitalocean.cluster import control_plane_firewall, kubeconfig, upgrade_hint
from qhub.clouds.digitalocean.file_system import gibibytes
from qhub.clouds.digitalocean.registry import registry_address
from qhub.clouds.kubeconfig import minify


def test_the_kubeconfig_is_one_that_kubectl_reads() -> None:
    text = kubeconfig("team", endpoint="https://example.org", certificate="Y2E=", cluster_id="0a1b")
    loaded = json.loads(text)
    inner = {"clusters": "cluster", "users": "user", "contexts": "context"}
    by_name = {part: {one["name"]: one[key] for one in loaded[part]} for part, key in inner.items()}

    # Cut down to its current context it is the same.
    assert json.loads(minify({**loaded, **by_name}, None)) == loaded


def test_the_kubeconfig_is_the_same_each_time() -> None:
    one, other = (
        kubeconfig("team", endpoint="https://example.org", certificate="Y2E=", cluster_id="0a1b") for _ in range(2)
    )

    assert one == other == json.dumps(json.loads(one), sort_keys=True)


@pytest.mark.parametrize(
    ("ranges", "enabled"),
    [
        (("0.0.0.0/0",), False),
        (("203.0.113.0/24", "0.0.0.0/0"), False),
        (("203.0.113.0/24",), True),
    ],
)
def test_the_firewall_is_on_where_somebody_is_kept_out(ranges: tuple[str, ...], enabled: bool) -> None:
    assert control_plane_firewall(ranges) == {"enabled": enabled, "allowed_addresses": list(ranges)}


@pytest.mark.parametrize(("size", "gib"), [("50Gi", 50), ("1Ti", 1024), ("100G", 94), ("51201Mi", 51)])
def test_a_share_is_never_smaller_than_asked_for(size: str, gib: int) -> None:
    assert gibibytes(size) == gib


def test_a_registry_has_its_address_by_its_name() -> None:
    assert registry_address("my-team") == "registry.digitalocean.com/my-team"
    assert registry_address(None) is None


@pytest.mark.parametrize("wanted", ["1.34", "1.34.1-do.0"])
def test_a_version_that_runs_needs_no_word(wanted: str) -> None:
    assert upgrade_hint(wanted, "1.34.1-do.0") is None


@pytest.mark.parametrize("wanted", ["1.35", "1.3"])
def test_a_minor_version_that_would_change_nothing_is_told(wanted: str) -> None:
    hint = upgrade_hint(wanted, "1.34.1-do.0")

    assert hint is not None
    assert "write the new version in full" in hint
