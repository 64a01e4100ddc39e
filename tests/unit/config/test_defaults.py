"""What somebody gets who writes little."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from qhub.config import Settings


class TestDefaults:
    def test_a_domain_is_enough_where_nobody_else_can_reach_the_hub(self) -> None:
        settings = Settings(domain="qhub.localhost")

        assert settings.storage.kind == "nfs-server"
        assert settings.storage.protect
        assert settings.authentication.type == "dummy"
        assert settings.certificates.issuer == "self-signed"
        assert settings.ingress.service.type == "LoadBalancer"
        assert settings.jupyterhub.default_profile.name == "small"
        assert settings.charts.cert_manager.version == "v1.21.1"
        assert set(settings.cluster.pools) == {"general", "user", "worker"}

    def test_the_cluster_is_named_after_the_stack(self) -> None:
        assert Settings(domain="localhost", stack="prod").cluster.name == "qhub-prod"
        assert Settings(domain="localhost", stack="PR_12.x").cluster.name == "qhub-pr-12-x"
        assert Settings(domain="localhost", stack="prod", cluster={"name": "mine"}).cluster.name == "mine"

    def test_a_section_keeps_its_other_defaults(self) -> None:
        settings = Settings(domain="localhost", charts={"jupyterhub": {"timeout": 60}}, storage={"size": "5Gi"})

        assert settings.charts.jupyterhub.version == "4.4.0"
        assert settings.storage.kind == "nfs-server"

    def test_pools_of_ones_own_stand_beside_the_standard_ones(self) -> None:
        pools = Settings(domain="localhost", cluster={"node_pools": {"gpu": {"gpu": {}}}}).cluster.pools

        assert set(pools) == {"general", "user", "worker", "gpu"}
        assert pools["gpu"].gpu is not None
        assert pools["gpu"].gpu.resource == "nvidia.com/gpu"

    @pytest.mark.parametrize(("cores", "threads"), [(1, 1), (0.5, 1), (1.5, 2), (4, 4)])
    def test_a_worker_has_a_thread_for_each_core(self, cores: float, threads: int) -> None:
        profile = {"name": "a", "cores": cores}

        assert Settings(domain="localhost", dask={"profiles": [profile]}).dask.profiles[0].threads == threads

    @pytest.mark.parametrize(("timeout", "every"), [(3600, 600), (300, 300)])
    def test_idle_servers_are_looked_for_at_least_once_per_timeout(self, timeout: int, every: int) -> None:
        assert Settings(domain="localhost", jupyterhub={"cull": {"timeout": timeout}}).jupyterhub.cull.every == every

    def test_dummy_sign_in_lets_everyone_in_unless_some_are_named(self) -> None:
        def lets_all_in(**authentication: object) -> bool:
            return Settings(domain="localhost", authentication=authentication).authentication.allow_all

        assert lets_all_in()
        assert lets_all_in(admin_users=["root"])
        assert not lets_all_in(allowed_users=["alice"])

    def test_text_from_the_command_line_is_read_as_numbers_and_switches(self) -> None:
        settings = Settings(
            domain="localhost", jupyterhub={"cull": {"timeout": "900", "enabled": "false"}}, dask={"idle_timeout": "0"}
        )

        assert settings.jupyterhub.cull.timeout == 900
        assert not settings.jupyterhub.cull.enabled
        assert settings.dask.idle_timeout == 0

    def test_the_callback_is_made_of_the_domain(self) -> None:
        settings = Settings(domain="hub.lab.org", certificates={"issuer": "none"}, authentication={"password": "x"})

        assert settings.address == "http://hub.lab.org"
        assert settings.oauth_callback_url == "https://hub.lab.org/hub/oauth_callback"


class TestSecrets:
    @given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N"]), min_size=6, max_size=30))
    def test_no_text_made_of_the_settings_holds_a_secret(self, text: str) -> None:
        secret = f"q7-{text}"  # no default value starts like this
        settings = Settings(domain="localhost", authentication={"password": secret})

        assert secret not in repr(settings) + str(settings) + str(settings.model_dump())
        assert settings.authentication.model_dump()["password"] == SecretStr(secret)

    def test_an_error_holds_no_secret(self) -> None:
        with pytest.raises(ValidationError) as caught:
            Settings(domain="localhost", authentication={"type": "github", "client_secret": "hunter2-hunter2"})

        assert "hunter2" not in str(caught.value) + repr(caught.value)

    def test_settings_cannot_be_changed(self) -> None:
        settings = Settings(domain="localhost")

        with pytest.raises(ValidationError):
            setattr(settings, "domain", "other")  # noqa: B010 - written plainly, the type checker refuses it


class TestImport:
    @pytest.mark.parametrize("module", ["pulumi", "kubernetes", "pulumi_kubernetes", "ruamel.yaml"])
    def test_it_brings_in_nothing_that_is_slow_to_load(self, module: str) -> None:
        program = (
            f"import sys, qhub.config; qhub.config.Settings(domain='a.localhost'); print({module!r} in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

        assert done.stdout.strip() == "False"
