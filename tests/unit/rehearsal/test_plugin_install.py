"""Which plugin is used: an official one wherever there is one, else the stand-in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from qhub.rehearsal.plugins.install import PluginUse, engine_environment, install_stand_ins
from qhub.rehearsal.plugins.sdk import plugin_version

VERSION = plugin_version("kubernetes")
PROGRAM = "pulumi-resource-kubernetes"
FOLDER = f"resource-kubernetes-v{VERSION}"


@pytest.fixture(autouse=True)
def no_official_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")


def official(folder: Path) -> Path:
    folder.mkdir(parents=True)
    program = folder / PROGRAM
    program.write_text("#!/bin/sh\necho official\n")
    program.chmod(0o755)
    return program


def kubernetes(home: Path, user: Path, python: Path = Path(sys.executable)) -> PluginUse:
    uses = install_stand_ins(pulumi_home=home, python=python, user_home=user)
    assert [use.package for use in uses] == ["kubernetes", "random"]
    return uses[0]


def test_a_stand_in_is_put_where_the_engine_looks_and_said_so(tmp_path: Path) -> None:
    home, user = tmp_path / "home", tmp_path / "user"
    use = kubernetes(home, user)
    assert not use.official
    assert str(use).startswith(f"kubernetes {VERSION}: rehearsal stand-in")
    launcher = home / "plugins" / FOLDER / PROGRAM
    assert os.access(launcher, os.X_OK)
    assert engine_environment(pulumi_home=home)["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"

    # The second time nothing is written; another interpreter is taken over.
    before = launcher.stat().st_mtime_ns
    kubernetes(home, user)
    assert launcher.stat().st_mtime_ns == before
    kubernetes(home, user, python=Path("/opt/another python/bin/python"))
    assert "'/opt/another python/bin/python' -I -m qhub.rehearsal.plugins.kubernetes" in launcher.read_text()
    assert not list((home / "plugins").glob(".stand-in-*"))


def test_a_launched_stand_in_prints_its_port_and_ends_with_whoever_started_it(tmp_path: Path) -> None:
    kubernetes(tmp_path / "home", tmp_path / "user")
    launcher = tmp_path / "home" / "plugins" / FOLDER / PROGRAM
    # The shell is the plugin's parent, as the engine is; it ends at once.
    script = f"{launcher} 127.0.0.1:1 & read -r line; exit"
    with subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as shell:
        assert shell.stdout is not None
        assert shell.stdin is not None
        assert int(shell.stdout.readline()) > 0
        shell.stdin.write("go\n")
        shell.stdin.close()
        # The plugin holds the other end of the pipe: end of file means that it is gone.
        assert shell.stdout.read() == ""


def test_an_official_plugin_of_the_cache_is_linked(tmp_path: Path) -> None:
    home, user = tmp_path / "home", tmp_path / "user"
    kubernetes(home, user)
    program = official(user / "plugins" / FOLDER)
    for _ in range(2):
        use = kubernetes(home, user)
        assert use.official
        assert (home / "plugins" / FOLDER / PROGRAM).resolve() == program
    assert "official" in str(use)
    program.unlink()
    assert not kubernetes(home, user).official


def test_an_official_plugin_on_the_path_replaces_the_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, user = tmp_path / "home", tmp_path / "user"
    kubernetes(home, user)
    program = official(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    use = kubernetes(home, user)
    assert use.official
    assert use.origin == str(program)
    assert not (home / "plugins" / FOLDER).exists()


def test_an_official_plugin_in_our_own_home_is_kept(tmp_path: Path) -> None:
    home = tmp_path / "home"
    program = official(home / "plugins" / FOLDER)
    assert kubernetes(home, tmp_path / "user").official
    assert "official" in program.read_text()
    assert kubernetes(home, home).official


def test_without_a_stand_in_plugins_may_be_fetched(tmp_path: Path) -> None:
    assert "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION" not in engine_environment(pulumi_home=tmp_path)
