"""Stand-ins for clouds: in a rehearsal's own Pulumi home and nowhere else, and never passed over for official ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from qhub.rehearsal import paths
from qhub.rehearsal.plugins.errors import PluginError
from qhub.rehearsal.plugins.install import (
    CLOUD_STAND_INS,
    PluginUse,
    engine_environment,
    install_cloud_stand_ins,
    install_stand_ins,
)
from qhub.rehearsal.plugins.sdk import plugin_version

PYTHON = Path(sys.executable)


def install(home: Path, *packages: str) -> list[PluginUse]:
    return install_cloud_stand_ins(pulumi_home=home, python=PYTHON, packages=packages)


def test_every_cloud_has_one(tmp_path: Path) -> None:
    uses = install(tmp_path)
    assert [use.package for use in uses] == ["aws", "azure-native", "cloudflare", "digitalocean", "gcp"]
    assert not any(use.official for use in uses)
    version = plugin_version("azure_native")
    launcher = tmp_path / "plugins" / f"resource-azure-native-v{version}" / "pulumi-resource-azure-native"
    assert os.access(launcher, os.X_OK)
    assert "-m qhub.rehearsal.clouds azure-native" in launcher.read_text()


def test_only_those_asked_for(tmp_path: Path) -> None:
    assert [use.package for use in install(tmp_path, "gcp")] == ["gcp"]
    with pytest.raises(PluginError, match=r"no stand-in for 'ibm'\. There is: aws"):
        install(tmp_path, "ibm")


def test_no_home_of_ordinary_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "user"))
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / paths.PROJECT_FILE).write_text("name: qhub\n")
    monkeypatch.chdir(tmp_path / "checkout")
    for home in (tmp_path / "user", paths.pulumi_home()):
        with pytest.raises(PluginError, match="a Pulumi home of its own"):
            install(home)
        assert not home.exists()
    # The ordinary stand-ins never bring those of clouds along.
    install_stand_ins(pulumi_home=paths.pulumi_home(), python=PYTHON, user_home=tmp_path / "nobody")
    made = {folder.name.split("-")[1] for folder in (paths.pulumi_home() / "plugins").iterdir()}
    assert not made & {package.split("-")[0] for package in CLOUD_STAND_INS}


def test_no_home_with_an_official_plugin_of_a_cloud(tmp_path: Path) -> None:
    program = tmp_path / "plugins" / f"resource-gcp-v{plugin_version('gcp')}" / "pulumi-resource-gcp"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho official\n")
    program.chmod(0o755)
    with pytest.raises(PluginError, match="holds the official plugin of a cloud"):
        install(tmp_path, "gcp")
    assert "official" in program.read_text()


def test_plugins_on_the_path_are_passed_over_in_a_rehearsal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    official = tmp_path / "bin" / "pulumi-resource-kubernetes"
    official.parent.mkdir()
    official.write_text("#!/bin/sh\necho official\n")
    official.chmod(0o755)
    monkeypatch.setenv("PATH", f"{official.parent}:/usr/bin:/bin")
    home = tmp_path / "home"
    assert "PULUMI_IGNORE_AMBIENT_PLUGINS" not in engine_environment(pulumi_home=home)
    uses = install_stand_ins(pulumi_home=home, python=PYTHON, user_home=tmp_path / "nobody", ambient=False)
    install(home, "aws")
    environment = engine_environment(pulumi_home=home)
    assert environment["PULUMI_IGNORE_AMBIENT_PLUGINS"] == "true"
    assert environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    # The official one for Kubernetes is used all the same: it only ever talks to the rehearsal's own clusters.
    assert uses[0].official
    linked = home / "plugins" / f"resource-kubernetes-v{plugin_version('kubernetes')}" / official.name
    assert linked.resolve() == official


def test_a_started_stand_in_prints_its_port(tmp_path: Path) -> None:
    install(tmp_path, "digitalocean")
    launcher = next((tmp_path / "plugins").glob("resource-*/pulumi-resource-digitalocean"))
    with subprocess.Popen([launcher, "127.0.0.1:1"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) > 0
        process.terminate()
    assert process.returncode == 0
