"""What the stack's outputs tell people."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from qhub.clouds.cluster import DnsZone, NodePool
from qhub.config.certificates import Certificates
from qhub.platform.cert_manager import CertManager, CertManagerArgs, DnsError, issuer_spec
from qhub.platform.helm import ChartStore
from qhub.platform.namespace import quota_hard
from qhub.platform.outputs import login_hint, release_status
from tests.unit.platform.building import make_settings


class TestLoginHint:
    def test_it_says_where_and_how(self) -> None:
        settings = make_settings(domain="hub.team.org", authentication={"password": "a-password"})

        assert login_hint(settings, "192.0.2.1") == (
            "Open https://hub.team.org and sign in with any name and the password of authentication.password. "
            "hub.team.org has to lead to 192.0.2.1."
        )

    def test_a_name_of_this_machine_needs_no_dns(self) -> None:
        hint = login_hint(make_settings(authentication={"password": "a-password"}), "192.0.2.1")

        assert hint.endswith("the password of authentication.password.")

    def test_it_names_who_may(self) -> None:
        settings = make_settings(authentication={"password": "p", "allowed_users": ["bob"], "admin_users": ["alice"]})

        assert "one of the names alice, bob and the password" in login_hint(settings, "")

    def test_it_tells_github_apps_owners_the_callback(self) -> None:
        settings = make_settings(
            domain="hub.team.org",
            authentication={"type": "github", "client_id": "i", "client_secret": "s", "organizations": ["team"]},
        )

        assert "https://hub.team.org/hub/oauth_callback" in login_hint(settings, "")

    def test_it_never_holds_a_secret(self) -> None:
        assert "a-password" not in login_hint(make_settings(authentication={"password": "a-password"}), "")


def test_the_status_of_a_release_is_short() -> None:
    status = SimpleNamespace(version="4.4.0", app_version="5.5.0", status="deployed", revision=2, manifest="long")

    assert release_status(status) == {"version": "4.4.0", "app_version": "5.5.0", "status": "deployed", "revision": 2}


class TestIssuer:
    def test_staging_is_another_directory(self) -> None:
        specs = [
            issuer_spec(
                Certificates(issuer=issuer, email="ops@example.org"),
                name=f"qhub-{issuer}",
                ingress_class="qhub",
                dns01={},
            )
            for issuer in ("letsencrypt", "letsencrypt-staging")
        ]

        assert [spec["acme"]["server"] for spec in specs] == [
            "https://acme-v02.api.letsencrypt.org/directory",
            "https://acme-staging-v02.api.letsencrypt.org/directory",
        ]
        # Accounts of the two directories are not the same.
        assert specs[0]["acme"]["privateKeySecretRef"] != specs[1]["acme"]["privateKeySecretRef"]
        assert specs[0]["acme"]["solvers"] == [{"http01": {"ingress": {"ingressClassName": "qhub"}}}]

    def test_self_signed(self) -> None:
        assert issuer_spec(Certificates(), name="x", ingress_class="qhub", dns01={}) == {"selfSigned": {}}


def test_dns01_without_a_zone_is_not_taken_for_http01() -> None:
    certificates = Certificates(issuer="letsencrypt", email="ops@example.org", challenge="dns01")
    settings = make_settings()
    charts = ChartStore(
        settings=settings.charts, images=settings.images, project_root=Path.cwd(), working_dir=Path.cwd()
    )
    args = CertManagerArgs(
        certificates=certificates, ingress_class="qhub", issuer_name="x", dns=DnsZone(), pool=NodePool(), charts=charts
    )

    with pytest.raises(DnsError, match="the cluster says of no zone"):
        CertManager("x", args)


def test_a_quota_counts_what_is_set_only() -> None:
    assert quota_hard(cpu="32", memory=None, pods=100, storage="1Ti") == {
        "requests.cpu": "32",
        "pods": "100",
        "requests.storage": "1Ti",
    }
