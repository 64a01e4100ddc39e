"""The stack's file as it is rehearsed: its sections are read as the program reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from qhub.automation.rehearse.stack_file import StackFile, read_stack_file
from qhub.config import SettingsError

BASE = "config: {qhub:dask: {enabled: false, idle_timeout: 600}}\n"


def read(folder: Path, config: str) -> StackFile:
    (folder / "Pulumi.yaml").write_text("name: qhub\n")
    (folder / "base.yaml").write_text(BASE)
    file = folder / "Pulumi.prod.yaml"
    file.write_text(f"config:\n  qhub:domain: a.localhost\n{config}")
    return read_stack_file(file, stack="prod", root=folder, project="qhub")


def test_a_section_that_is_json_text_is_laid_over_the_base(tmp_path: Path) -> None:
    found = read(tmp_path, """  qhub:base: base.yaml\n  qhub:dask: '{"enabled": true}'\n  aws:region: '5'\n""")

    assert found.settings.dask.enabled
    assert found.written["config"]["qhub:dask"] == {"enabled": True, "idle_timeout": 600}
    assert found.written["config"]["aws:region"] == "5"


@pytest.mark.parametrize("base", ["~nobody-here/base.yaml", "a" * 300])
def test_a_base_that_cannot_be_found_is_a_mistake(tmp_path: Path, base: str) -> None:
    with pytest.raises(SettingsError, match="base: there is no file"):
        read(tmp_path, f"  qhub:base: {base}\n")


def test_a_file_without_keys_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text("config: [domain]\n")
    with pytest.raises(SettingsError, match="should be a map of keys"):
        read_stack_file(tmp_path / "Pulumi.prod.yaml", stack="prod", root=tmp_path, project="qhub")
