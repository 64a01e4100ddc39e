"""Inside the program, the settings are those that the engine gives; places are told where the file says the same."""

from __future__ import annotations

import contextvars
import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import pulumi
import pytest
from pulumi.runtime import config, settings
from pydantic import SecretStr

from qhub.config import Settings, SettingsError, load_stack_settings
from qhub.config.authentication import DummyAuthentication
from tests.unit.config.files import Folder

Load = Callable[..., Settings]


@pytest.fixture
def load(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Return a function that loads settings as the engine would give them to a program in the test's folder."""
    (folder.path / "stacks").mkdir()
    monkeypatch.chdir(folder.path / "stacks")
    monkeypatch.delenv("PULUMI_CONFIG", raising=False)

    def _load(*, secret: tuple[str, ...] = (), others: Mapping[str, str] = {}, **values: Any) -> Settings:
        texts = {
            f"qhub:{name.replace('__', '-')}": value if isinstance(value, str) else json.dumps(value)
            for name, value in values.items()
        }

        def run() -> Settings:
            settings.configure(settings.Settings(project="qhub", stack="prod"))
            config.set_all_config({**texts, "aws:region": "x", **others}, [f"qhub:{name}" for name in secret])
            return load_stack_settings()

        return contextvars.copy_context().run(run)

    return _load


def test_they_are_read_from_the_engine(load: Load, folder: Folder) -> None:
    loaded = load(domain="a.localhost", dask={"enabled": "false"}, users={}, charts={})

    assert loaded.domain == "a.localhost"
    assert not loaded.dask.enabled
    assert loaded.stack == "prod"
    assert loaded.root == folder.path


def test_an_encrypted_secret_arrives_decrypted(load: Load) -> None:
    loaded = load(domain="a.localhost", authentication={"password": "pass-word"}, secret=("authentication",))

    assert isinstance(loaded.authentication, DummyAuthentication)
    assert loaded.authentication.password == SecretStr("pass-word")
    assert "pass-word" not in repr(loaded)


def test_a_secret_in_plain_text_is_refused(load: Load) -> None:
    with pytest.raises(SettingsError) as caught:
        load(domain="a.localhost", authentication={"password": "pass-word"})

    assert "pulumi config set --path --secret qhub:authentication.password --stack prod" in str(caught.value)
    assert "pass-word" not in str(caught.value)


def test_the_engine_shows_the_error_without_a_traceback(load: Load) -> None:
    with pytest.raises(pulumi.RunError, match="1 mistake in the settings of stack prod"):
        load(domain="A.localhost")


def test_an_unknown_key_is_refused(load: Load) -> None:
    with pytest.raises(SettingsError, match='storag: unknown key; did you mean "storage"'):
        load(domain="a.localhost", storag={"size": "5Gi"})


def test_a_section_that_is_not_one(load: Load) -> None:
    with pytest.raises(SettingsError, match='storage: found "5Gi"; expected a section'):
        load(domain="a.localhost", storage="5Gi")


class TestPlaces:
    FILE = """
        config:
          qhub:domain: a.localhost
          qhub:dask:
            max_workers_per_cluster: none
            image: {name: a/b, tag: x}
          qhub:authentication:
            type: dummy
            password: {secure: v1:abc}
            alow_all: true
        """
    DASK: ClassVar[dict[str, Any]] = {"max_workers_per_cluster": "none", "image": {"name": "a/b", "tag": "x"}}

    def test_a_line_is_told_where_the_file_says_the_same(self, load: Load, folder: Folder) -> None:
        folder.write(self.FILE)
        authentication = {"type": "dummy", "password": "pass-word", "alow_all": True}
        with pytest.raises(SettingsError) as caught:
            load(domain="a.localhost", dask=self.DASK, authentication=authentication, secret=("authentication",))

        assert [mistake.place for mistake in caught.value.mistakes] == ["Pulumi.prod.yaml:4:30", "Pulumi.prod.yaml:9:5"]
        assert "pass-word" not in str(caught.value)

    def test_no_line_is_told_where_another_value_is_in_force(self, load: Load, folder: Folder) -> None:
        folder.write(self.FILE)
        with pytest.raises(SettingsError) as caught:
            load(domain="a.localhost", dask={**self.DASK, "enabled": True})

        assert caught.value.mistakes[0].place == ""
        assert caught.value.mistakes[0].excerpt is None

    def test_no_file_is_told_where_nothing_of_it_is_in_force(self, load: Load, folder: Folder) -> None:
        folder.write(self.FILE)
        with pytest.raises(SettingsError) as caught:
            load(domain="B.localhost")

        assert caught.value.mistakes[0].file is None

    def test_without_a_file_the_mistake_is_told_all_the_same(self, load: Load) -> None:
        with pytest.raises(SettingsError, match=r"^1 mistake.*\ndask.max_workers_per_cluster: found "):
            load(domain="a.localhost", dask=self.DASK)


class TestWhatNothingReads:
    """The engine passes over it; a stack without its cluster would be another stack."""

    def test_is_told_with_its_line_where_the_file_is_in_force(self, load: Load, folder: Folder) -> None:
        folder.write("config:\n  qhub:domain: a.localhost\n  qub:dask: {}\nqhub:cluster: {provider: aws}\n")
        with pytest.raises(SettingsError) as caught:
            load(domain="a.localhost")

        assert [mistake.place for mistake in caught.value.mistakes] == ["Pulumi.prod.yaml:3:3", "Pulumi.prod.yaml:4:1"]

    def test_is_told_of_the_keys_that_are_in_force_where_it_is_not(self, load: Load, folder: Folder) -> None:
        folder.write("config:\n  qhub:domain: b.localhost\nqhub:cluster: {provider: aws}\n")

        assert load(domain="a.localhost").domain == "a.localhost"
        with pytest.raises(SettingsError, match=r"\nqub:dask: nothing reads it"):
            load(domain="a.localhost", others={"qub:dask": "{}"})

    def test_is_told_of_a_base(self, load: Load, folder: Folder) -> None:
        (folder.path / "base.yaml").write_text("qhub:cluster: {provider: aws}\n")
        with pytest.raises(SettingsError, match=r"base\.yaml:1:1: qhub:cluster: nothing reads it"):
            load(domain="a.localhost", base="base.yaml")


class TestAnEncryptedValueOfAChart:
    """The engine gives it decrypted, and would write it so into the state."""

    VALUES: ClassVar[dict[str, Any]] = {"jupyterhub": {"overrides": {"hub": {"password": "hunter2"}}}}

    def test_is_told_with_its_line_where_the_file_is_in_force(self, load: Load, folder: Folder) -> None:
        folder.write("""
            config:
              qhub:domain: a.localhost
              qhub:charts: {jupyterhub: {overrides: {hub: {password: {secure: v1:a}}}}}
            """)
        with pytest.raises(SettingsError) as caught:
            load(domain="a.localhost", charts=self.VALUES, secret=("charts",))

        (mistake,) = caught.value.mistakes
        assert (mistake.key, mistake.line) == ("charts.jupyterhub.overrides.hub.password", 3)
        assert "hunter2" not in str(caught.value)

    def test_is_told_without_a_file(self, load: Load) -> None:
        with pytest.raises(SettingsError, match=r"\ncharts: something in it is encrypted"):
            load(domain="a.localhost", charts=self.VALUES, secret=("charts",))

    def test_is_right_where_a_release_takes_it_as_a_secret(self, load: Load, folder: Folder) -> None:
        folder.add_chart("a")
        release = {"chart": "./a", "values": {"b": 1}, "secret_values": {"auth.password": "hunter2"}}

        assert load(domain="a.localhost", extra_releases={"a": release}, secret=("extra_releases",))
