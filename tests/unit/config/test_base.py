"""A file of settings that several environments share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qhub.config import Settings, SettingsError, load_settings_file
from qhub.config.base import lay_over

BASE: dict[str, Any] = {
    "qhub:authentication": {"type": "dummy", "admin_users": ["ada"]},
    "qhub:storage": {"kind": "nfs-server", "size": "50Gi", "protect": True},
    "qhub:jupyterhub": {"cull": {"timeout": 3600}},
}
OWN: dict[str, Any] = {"qhub:base": "shared/base.yaml", "qhub:domain": "qhub.localhost"}
VALUES = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda below: st.dictionaries(st.sampled_from("abc"), below, max_size=3) | st.lists(below, max_size=2),
    max_leaves=6,
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: qhub\nruntime: python\n")
    (tmp_path / "shared").mkdir()
    return tmp_path


def load(project: Path, *, base: dict[str, Any] | str = BASE, **own: Any) -> Settings:
    text = base if isinstance(base, str) else json.dumps({"config": base}, indent=1)
    (project / "shared" / "base.yaml").write_text(text)
    written = OWN | {f"qhub:{key}": value for key, value in own.items()}
    (project / "Pulumi.prod.yaml").write_text(json.dumps({"config": written}, indent=1))
    return load_settings_file(project / "Pulumi.prod.yaml")


def mistakes(project: Path, **arguments: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(project, **arguments)
    return [str(mistake) for mistake in caught.value.mistakes]


class TestWhatHolds:
    def test_the_base_where_the_stack_says_nothing(self, project: Path) -> None:
        settings = load(project)
        assert settings.jupyterhub.cull.timeout == 3600
        assert settings.authentication.admin_users == ("ada",)

    def test_the_stack_key_by_key(self, project: Path) -> None:
        storage = load(project, storage={"size": "80Gi"}).storage
        assert storage.kind == "nfs-server"
        assert (storage.size, storage.protect) == ("80Gi", True)

    def test_a_section_of_another_kind_as_a_whole(self, project: Path) -> None:
        storage = load(project, storage={"kind": "existing-claim", "claim_name": "homes"}).storage
        assert storage.kind == "existing-claim"

    @given(base=VALUES, own=VALUES)
    def test_every_value_of_the_stack(self, base: Any, own: Any) -> None:
        merged = lay_over(base, own)

        def holds(written: Any, found: Any) -> bool:
            if isinstance(written, dict) and isinstance(found, dict):
                return all(key in found and holds(value, found[key]) for key, value in written.items())
            return written == found

        assert holds(own, merged)
        assert lay_over(merged, own) == merged


class TestAMistake:
    def test_in_the_base_is_told_with_its_file_and_line(self, project: Path) -> None:
        [told] = mistakes(project, base={**BASE, "qhub:jupyterhub": {"cull": {"timout": 60}}})
        assert told.startswith("shared/base.yaml:")
        assert "jupyterhub.cull.timout" in told

    def test_in_the_stack_is_told_there_although_the_base_has_the_section(self, project: Path) -> None:
        [told] = mistakes(project, jupyterhub={"cull": {"timeout": "soon"}})
        assert told.startswith("Pulumi.prod.yaml:")

    def test_a_secret_in_the_base(self, project: Path) -> None:
        github = {"type": "github", "client_id": "a", "client_secret": {"secure": "v1:abc"}, "organizations": ["b"]}
        [told] = mistakes(project, base={"qhub:authentication": github})
        assert told.startswith("shared/base.yaml:")
        assert "own file" in told

    def test_a_base_of_a_base(self, project: Path) -> None:
        [told] = mistakes(project, base={**BASE, "qhub:base": "other.yaml"})
        assert "no base of its own" in told

    def test_a_base_that_is_no_yaml(self, project: Path) -> None:
        told = mistakes(project, base="config: [")
        assert any(one.startswith("shared/base.yaml") for one in told)


def test_a_missing_base_is_named(project: Path) -> None:
    (project / "Pulumi.prod.yaml").write_text(json.dumps({"config": {**OWN, "qhub:base": "shared/nothing.yaml"}}))
    with pytest.raises(SettingsError) as caught:
        load_settings_file(project / "Pulumi.prod.yaml")
    [mistake] = caught.value.mistakes
    assert 'there is no file "shared/nothing.yaml"' in str(mistake)
