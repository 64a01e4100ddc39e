"""Which tool is used: a suitable official one on PATH, else the one that was built."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qhub.rehearsal.toolchain import ToolchainError, tool_path
from qhub.rehearsal.toolchain.folders import Platform, built_dir
from qhub.rehearsal.toolchain.locate import Found, Toolchain, check_names, find
from qhub.rehearsal.toolchain.modules import read_module
from qhub.rehearsal.toolchain.probe import VersionMemory
from qhub.rehearsal.toolchain.table import TOOLS, Tool


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of the toolchain, empty."""
    monkeypatch.setenv("QHUB_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "toolchain"


@pytest.fixture
def bin_dir(tmp_path: Path) -> Path:
    """A folder for PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def put(folder: Path, name: str, *, says: str = "", code: int = 0) -> Path:
    """Write an executable that prints `says`."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    file.chmod(0o755)
    return file


def put_built(root: Path, name: str) -> Path:
    """Put a tool where a build would."""
    tool = TOOLS[name]
    folder = built_dir(tool, read_module(tool.module), root=root, target=Platform.here())
    for script in tool.scripts:
        put(folder, Path(script).name)
    return put(folder, name)


def look(*names: str, on: Path) -> Found:
    return find(check_names(names), search=str(on))


class TestAnOfficialToolOnPathIsUsed:
    @pytest.mark.parametrize(
        ("name", "says", "version"),
        [
            ("helm", "v3.22.0+g1234567", "v3.22.0"),
            ("etcd", "etcd Version: 3.6.7\nGit SHA: 1234567\nGo Version: go1.26.8", "v3.6.7"),
            ("kwok", "kwok version v0.8.0 go1.26.8 (linux/amd64)", "v0.8.0"),
            ("kubectl", "Client Version: v1.34.4\nKustomize Version: v5.7.1", "v1.34.4"),
        ],
    )
    def test_with_the_version_that_it_tells(
        self, root: Path, bin_dir: Path, name: str, says: str, version: str
    ) -> None:
        file = put(bin_dir, name, says=says)
        put_built(root, name)
        use = look(name, on=bin_dir).uses[name]
        assert (use.path, use.version, use.origin) == (file, version, "PATH")

    def test_and_adds_nothing_to_path(self, root: Path, bin_dir: Path) -> None:
        put(bin_dir, "helm", says="v3.22.0")
        put_built(root, "etcd")
        uses = look("helm", "etcd", on=bin_dir).uses
        assert Toolchain(uses.values()).path_entries() == [uses["etcd"].path.parent]


class TestAnUnsuitableToolIsPassedOverWithItsReason:
    @pytest.mark.parametrize(
        ("name", "says", "reason"),
        [
            ("helm", "v4.1.0", "only versions below v4.0.0"),
            ("helm", "v3.10.3", "v3.18.0 is the oldest to use"),
            ("etcd", "etcd Version: 3.4.30", "v3.5.24 is the oldest to use"),
            ("kwok", "kwok version v0.7.0", "v0.8.0 is the oldest to use"),
            ("helm", "hello", "told no version"),
        ],
    )
    def test_for_the_built_one(self, root: Path, bin_dir: Path, name: str, says: str, reason: str) -> None:
        official = put(bin_dir, name, says=says)
        built = put_built(root, name)
        found = look(name, on=bin_dir)
        assert found.uses[name].path == built
        assert len(found.notes) == 1
        assert str(official) in found.notes[0]
        assert reason in found.notes[0]

    def test_or_is_missing_when_none_is_built(self, root: Path, bin_dir: Path) -> None:
        put(bin_dir, "helm", says="v4.1.0")
        assert [tool.name for tool in look("helm", on=bin_dir).missing] == ["helm"]

    def test_one_that_fails(self, root: Path, bin_dir: Path) -> None:
        put(bin_dir, "helm", says="v3.22.0", code=3)
        assert "ended with code 3" in look("helm", on=bin_dir).notes[0]

    def test_a_file_that_cannot_be_run(self, root: Path, bin_dir: Path) -> None:
        file = bin_dir / "helm"
        file.write_bytes(b"\x7fELF of another machine")
        file.chmod(0o755)
        assert "cannot be run" in look("helm", on=bin_dir).notes[0]


class TestTheEngineAndItsLanguageHostAreNeverMixed:
    def test_both_from_path(self, root: Path, bin_dir: Path) -> None:
        put(bin_dir, "pulumi", says="v3.260.0")
        host = put(bin_dir, "pulumi-language-python")
        found = look("pulumi", "pulumi-language-python", on=bin_dir)
        assert found.uses["pulumi-language-python"].path == host
        assert found.uses["pulumi-language-python"].version == "v3.260.0"

    def test_the_host_beside_a_linked_engine(self, root: Path, bin_dir: Path, tmp_path: Path) -> None:
        put(tmp_path / "opt" / "pulumi", "pulumi", says="v3.260.0")
        host = put(tmp_path / "opt" / "pulumi", "pulumi-language-python")
        (bin_dir / "pulumi").symlink_to(tmp_path / "opt" / "pulumi" / "pulumi")
        assert look("pulumi-language-python", on=bin_dir).uses["pulumi-language-python"].path == host

    def test_an_official_engine_is_not_given_our_host(self, root: Path, bin_dir: Path) -> None:
        put(bin_dir, "pulumi", says="v3.260.0")
        put(bin_dir, "pulumi-language-python")
        put_built(root, "pulumi-language-python")
        found = look("pulumi", "pulumi-language-python", on=bin_dir)
        assert Toolchain(found.uses.values()).path_entries() == []

    def test_an_engine_without_a_host_is_passed_over(self, root: Path, bin_dir: Path) -> None:
        put(bin_dir, "pulumi", says="v3.260.0")
        found = look("pulumi", on=bin_dir)
        assert [tool.name for tool in found.missing] == ["pulumi"]
        assert "pulumi-language-python is not there" in found.notes[0]

    def test_an_old_engine_takes_its_host_with_it(self, root: Path, bin_dir: Path) -> None:
        put(bin_dir, "pulumi", says="v3.200.0")
        put(bin_dir, "pulumi-language-python")
        found = look("pulumi", "pulumi-language-python", on=bin_dir)
        assert [tool.name for tool in found.missing] == ["pulumi", "pulumi-language-python"]
        assert "v3.240.0 is the oldest" in found.notes[0]


class TestTheControlPlaneIsOfOneMinorVersion:
    NAMES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")

    def test_all_from_path(self, root: Path, bin_dir: Path) -> None:
        for name in self.NAMES:
            put(bin_dir, name, says="Kubernetes v1.35.1")
        assert {use.origin for use in look(*self.NAMES, on=bin_dir).uses.values()} == {"PATH"}

    def test_or_none(self, root: Path, bin_dir: Path) -> None:
        for name, minor in zip(self.NAMES, (34, 34, 35), strict=True):
            put(bin_dir, name, says=f"Kubernetes v1.{minor}.1")
        found = look(*self.NAMES, on=bin_dir)
        assert len(found.missing) == 3
        assert "must have the same minor version" in found.notes[0]


class TestABuiltTool:
    def test_is_found_by_the_environment_that_it_was_put_into(self, root: Path) -> None:
        built = put_built(root, "helm")
        # `eval "$(qhub env)"` puts the folder on PATH: it is still a built tool, found by its key.
        use = look("helm", on=built.parent).uses["helm"]
        assert (use.origin, use.path) == ("built", built)

    def test_of_another_key_is_not_used(self, root: Path, bin_dir: Path) -> None:
        built = put_built(root, "helm")
        built.parent.rename(built.parent.with_name("helm-3.22.0-000000000000"))
        assert look("helm", on=bin_dir).missing == [TOOLS["helm"]]

    def test_without_its_script_is_missing(self, root: Path, bin_dir: Path) -> None:
        built = put_built(root, "pulumi-language-python")
        (built.parent / "pulumi-language-python-exec").unlink()
        assert look("pulumi-language-python", on=bin_dir).missing == [TOOLS["pulumi-language-python"]]


class TestToolPath:
    def test_gives_the_executable(self, root: Path, bin_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(bin_dir))
        file = put(bin_dir, "etcd", says="etcd Version: 3.6.7")
        assert tool_path("etcd") == file

    def test_says_what_to_do_for_a_missing_one(
        self, root: Path, bin_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(bin_dir))
        with pytest.raises(ToolchainError, match=r"etcd is neither on PATH nor built.*qhub toolchain build etcd"):
            tool_path("etcd")

    def test_names_the_tools_for_an_unknown_one(self, root: Path) -> None:
        with pytest.raises(ToolchainError, match=r"no tool is called ectd; .*etcd"):
            tool_path("ectd")


class TestAToldVersionIsRemembered:
    @pytest.fixture
    def asked(self) -> list[Path]:
        return []

    def read(self, root: Path, path: Path, asked: list[Path], *, answer: str = "v3.6.7") -> str:
        def ask(_: Tool, path: Path) -> str:
            asked.append(path)
            return answer

        return VersionMemory(root / "versions.json").version(TOOLS["etcd"], path, ask=ask)

    def binary(self, folder: Path, name: str = "etcd") -> Path:
        file = folder / name
        file.write_bytes(b"\x7fELF...")
        file.chmod(0o755)
        return file

    def test_over_runs(self, root: Path, bin_dir: Path, asked: list[Path]) -> None:
        file = self.binary(bin_dir)
        assert [self.read(root, file, asked) for _ in range(3)] == ["v3.6.7"] * 3
        assert asked == [file]

    def test_until_the_file_changes(self, root: Path, bin_dir: Path, asked: list[Path]) -> None:
        file = self.binary(bin_dir)
        self.read(root, file, asked)
        os.utime(file, ns=(0, file.stat().st_mtime_ns + 1))
        assert self.read(root, file, asked, answer="v3.7.0") == "v3.7.0"
        file.write_bytes(b"\x7fELF....")
        assert self.read(root, file, asked, answer="v3.8.0") == "v3.8.0"

    def test_for_each_path(self, root: Path, bin_dir: Path, tmp_path: Path, asked: list[Path]) -> None:
        one, other = self.binary(bin_dir), self.binary(tmp_path)
        assert self.read(root, one, asked) == "v3.6.7"
        assert self.read(root, other, asked, answer="v3.5.30") == "v3.5.30"
        assert self.read(root, one, asked, answer="not asked") == "v3.6.7"

    def test_but_not_of_a_shim_which_stays_while_the_tool_behind_it_changes(
        self, root: Path, bin_dir: Path, asked: list[Path]
    ) -> None:
        script = put(bin_dir, "etcd")
        self.read(root, script, asked)
        assert self.read(root, script, asked, answer="v3.7.0") == "v3.7.0"
        script.unlink()
        script.symlink_to(self.binary(bin_dir, "version-manager"))
        self.read(root, script, asked)
        assert self.read(root, script, asked, answer="v3.8.0") == "v3.8.0"

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"/x": 1}'])
    def test_and_a_damaged_memory_only_costs_a_question(
        self, root: Path, bin_dir: Path, asked: list[Path], content: str
    ) -> None:
        root.mkdir(parents=True)
        (root / "versions.json").write_text(content)
        assert self.read(root, self.binary(bin_dir), asked) == "v3.6.7"
