"""Files are written whole or not at all: on a full disk, at Ctrl-C, and where a file system has no hard links."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from qhub import commands_migrate
from qhub.cli import main
from qhub.whole_file import write_new, write_over
from tests.unit.init.answering import CLOUDS, init

NEBARI = "project_name: lab\nprovider: local\ndomain: a.localhost\n"


@contextmanager
def room_for(size: int) -> Generator[None]:
    """Let no file become larger than so many bytes, as a quota does."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


def test_a_new_project_has_no_cut_file_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with room_for(8192):
        done = init("aws", CLOUDS["aws"], output=tmp_path)

    assert done.exit_code == 1
    assert f"{tmp_path}/stack.schema.json cannot be written: File too large" in done.output
    assert "base.yaml" in names(tmp_path)
    assert not any(name == "stack.schema.json" or name.startswith(".qhub-") for name in names(tmp_path))

    again = init("aws", CLOUDS["aws"], output=tmp_path)
    assert f"kept  {tmp_path}/base.yaml" in again.output
    assert f"wrote {tmp_path}/stack.schema.json" in again.output


def test_what_moves_in_is_not_cut(tmp_path: Path) -> None:
    old, new = tmp_path / "nebari-config.yaml", tmp_path / "new"
    old.write_text(NEBARI)
    with room_for(100):
        done = CliRunner().invoke(main, ["migrate", str(old), "--output", f"{new}/"])

    assert done.exit_code == 1
    assert f"{new}/Pulumi.prod.yaml cannot be written: File too large" in done.output
    assert not names(new)


def test_what_is_upgraded_in_place_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "Pulumi.prod.yaml"
    file.write_text("config: {qhub:domain: a.localhost}\n")
    monkeypatch.setattr(commands_migrate, "upgraded_text", lambda _: ("#" * 200, ["a change"]))
    with room_for(100):
        done = CliRunner().invoke(main, ["migrate", "--in-place", str(file)])

    assert done.exit_code == 1
    assert f"{file} cannot be written: File too large" in done.output
    assert file.read_text() == "config: {qhub:domain: a.localhost}\n"
    assert names(tmp_path) == {file.name}


@pytest.mark.parametrize("moment", ["fsync", "link"])
def test_nothing_is_left_at_ctrl_c(moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, moment, interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_new(tmp_path / "a", "text")

    assert not names(tmp_path)


def test_a_file_system_without_hard_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def impossible(*_: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", impossible)
    write_new(tmp_path / "a", "text")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "a", "other")

    assert (tmp_path / "a").read_text() == "text"
    assert names(tmp_path) == {"a"}


def test_writing_over_keeps_permissions_and_links(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("old")
    (tmp_path / "there").chmod(0o600)
    (tmp_path / "link").symlink_to("there")
    write_over(tmp_path / "link", "new")

    assert (tmp_path / "there").read_text() == "new"
    assert (tmp_path / "link").is_symlink()
    assert stat.S_IMODE((tmp_path / "there").stat().st_mode) == 0o600
