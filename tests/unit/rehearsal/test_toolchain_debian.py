"""Debian packages without installing them, with stand-ins for `apt-get` and `dpkg` on PATH."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qhub.rehearsal.toolchain import debian
from qhub.rehearsal.toolchain.errors import ToolchainError

#: Knows `runc`, which brings a library along, once its lists were renewed; writes down how it was called.
APT = """#!/bin/sh
while [ "$1" = -o ]; do shift 2; done
echo "$@" >> "$CALLS"
case "$1" in
  update) touch "$CALLS.lists";;
  install)
    test -e "$CALLS.lists" || { echo "E: Unable to locate package runc"; exit 100; }
    for name; do case "$name" in runc|install|--*);; *) echo "E: Unable to locate package $name"; exit 100;; esac; done
    echo "Inst libseccomp2 (2.5.4-1 Debian:12/oldstable [amd64])"
    echo "Inst runc [1.0] (1:1.1.5+ds1-1 Debian:12/oldstable, Debian-Security:12 [amd64])"
    echo "Conf runc (1:1.1.5+ds1-1 Debian:12/oldstable [amd64])";;
  download) shift; for package; do echo "$package" > "${package%%=*}.deb"; done;;
esac
"""
#: Unpacks a program, or for a `lib...` a library.
DPKG = """#!/bin/sh
name=$(basename "$2" .deb)
case "$name" in
  lib*) mkdir -p "$3/usr/lib/x86_64-linux-gnu/xtables" "$3/usr/lib/cni";;
  *) mkdir -p "$3/usr/sbin"; cp "$2" "$3/usr/sbin/$name"; chmod 755 "$3/usr/sbin/$name";;
esac
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file in which the stand-in notes its calls."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, script in (("apt-get", APT), ("dpkg", DPKG)):
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    status = tmp_path / "status"
    status.write_text("nothing is installed")
    noted = tmp_path / "calls"
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("CALLS", str(noted))
    monkeypatch.setenv("QHUB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(debian, "DPKG_STATUS", status)
    return noted


def test_a_tree_has_the_packages_and_what_they_need(calls: Path) -> None:
    said: list[str] = []

    root = debian.ensure_packages(["runc"], report=said.append)

    assert debian.find_program("runc", root) == root / "usr/sbin/runc"
    assert (root / "usr/lib/x86_64-linux-gnu").is_dir()
    assert said == [
        "Fetching Debian's package lists, for runc",
        "Fetching 2 Debian packages: libseccomp2=2.5.4-1, runc=1:1.1.5+ds1-1",
    ]
    assert "download libseccomp2=2.5.4-1 runc=1:1.1.5+ds1-1" in calls.read_text().splitlines()


def test_the_second_time_nobody_is_asked(calls: Path) -> None:
    root = debian.ensure_packages(["runc"])
    before = calls.read_text()

    assert debian.ensure_packages(iter(["runc", "runc"])) == root
    assert calls.read_text() == before


def test_a_change_of_the_system_is_noticed(calls: Path) -> None:
    root = debian.ensure_packages(["runc"])
    debian.DPKG_STATUS.write_text("a library was removed, or another version of it installed")
    before = len(calls.read_text().splitlines())

    assert debian.ensure_packages(["runc"]) == root  # the same packages would be installed: the same tree
    assert calls.read_text().splitlines()[before:] == ["install --simulate --no-install-recommends runc"]


@pytest.mark.usefixtures("calls")
def test_a_package_that_is_not_there() -> None:
    with pytest.raises(ToolchainError, match=r"(?s)runcc: apt cannot fetch them\..*Unable to locate package runcc"):
        debian.ensure_packages(["runcc"])


@pytest.mark.usefixtures("calls")
def test_without_apt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))

    with pytest.raises(ToolchainError, match="runc: apt-get and dpkg is not on PATH: this is no Debian or Ubuntu"):
        debian.ensure_packages(["runc"])


@pytest.mark.usefixtures("calls")
def test_a_tree_that_was_cut_short_is_made_anew() -> None:
    root = debian.ensure_packages(["runc"])
    root.rename(root.with_name(".new-killed"))

    assert debian.ensure_packages(["runc"]) == root
    assert [path.name for path in root.parent.iterdir()] == [root.name]


def test_the_systems_program_comes_first(calls: Path) -> None:
    root = debian.ensure_packages(["runc"])
    own = calls.parent / "programs" / "runc"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)

    assert debian.find_program("runc", root) == own


@pytest.mark.usefixtures("calls")
def test_a_program_that_is_nowhere() -> None:
    root = debian.ensure_packages(["runc"])

    with pytest.raises(ToolchainError, match="containerd is neither on PATH nor in the packages unpacked at"):
        debian.find_program("containerd", root)


@pytest.mark.usefixtures("calls")
def test_the_environment_names_the_trees_folders_after_the_systems() -> None:
    root = debian.ensure_packages(["runc"])

    environment = debian.program_environment(root)

    path = environment["PATH"].split(os.pathsep)
    assert path.index("/usr/bin") < path.index(f"{root}/usr/sbin")
    assert environment["LD_LIBRARY_PATH"] == f"{root}/usr/lib/x86_64-linux-gnu{os.pathsep}{root}/usr/lib"
    assert environment["XTABLES_LIBDIR"] == f"{root}/usr/lib/x86_64-linux-gnu/xtables"
