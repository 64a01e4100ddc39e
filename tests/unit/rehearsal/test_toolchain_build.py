"""Tools are built once, completely or not at all, and mistakes are told in words. A script stands in for Go."""

from __future__ import annotations

import io
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner
from rich.console import Console

from qhub.commands_toolchain import toolchain_commands
from qhub.rehearsal.toolchain import Toolchain, ToolchainError, build, ensure_tools, remove_cache, tool_path
from qhub.rehearsal.toolchain.modules import MODULES_DIR
from qhub.rehearsal.toolchain.table import TOOLS
from tests.unit.rehearsal.toolchain_stand_in import StandInGo, wait_until


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInGo]:
    """The stand-in, first and alone on PATH, and an empty cache."""
    stand_in = StandInGo(folder=tmp_path / "go")
    for name, value in stand_in.variables.items():
        monkeypatch.setenv(name, value)
    yield stand_in
    stand_in.go_on()
    for process in stand_in.processes():
        wait_until(lambda process=process: ended(process))


def ensure(*names: str, told: io.StringIO | None = None) -> Toolchain:
    return ensure_tools(names or None, console=Console(file=told or io.StringIO(), width=80))


def ended(process: int) -> bool:
    """Return True when no such process runs; one that nobody waited for does not run either."""
    try:
        return psutil.Process(process).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class TestMissingToolsAreBuilt:
    def test_all_of_them(self, go: StandInGo) -> None:
        told = io.StringIO()
        tools = ensure(told=told)
        assert list(tools) == list(TOOLS)
        assert {use.origin for use in tools.values()} == {"built"}
        assert all(use.path.read_text() == "built\n" for use in tools.values())
        assert len(go.builds()) == len({tool.module for tool in TOOLS.values()})
        assert f"({len(TOOLS)} of {len(TOOLS)})" in told.getvalue()
        assert "Toolchain ready" in told.getvalue()

    def test_the_second_time_nothing_is_built_or_said_and_no_go_is_needed(self, go: StandInGo) -> None:
        first = ensure("etcd", "helm")
        (go.bin / "go").unlink()
        told = io.StringIO()
        assert dict(ensure("etcd", "helm", told=told)) == dict(first)
        assert told.getvalue() == ""
        assert tool_path("etcd") == first["etcd"].path

    def test_only_what_is_missing(self, go: StandInGo) -> None:
        ensure("kubectl", "etcd")
        ensure("kubectl", "etcd", "kube-scheduler", "helm")
        assert [line.split()[2:] for line in go.builds()[2:]] == [
            ["k8s.io/kubernetes/cmd/kube-scheduler"],
            ["helm.sh/helm/v3/cmd/helm"],
        ]

    def test_only_what_a_changed_go_mod_touches(
        self, go: StandInGo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        modules = tmp_path / "toolchain"
        for name in ("etcd", "kwok"):
            (modules / name).mkdir(parents=True)
            for file in ("go.mod", "go.sum"):
                (modules / name / file).write_bytes((MODULES_DIR / name / file).read_bytes())
        console = Console(file=io.StringIO())
        before = ensure_tools(("etcd", "kwok"), console=console, modules_dir=modules)
        text = (modules / "etcd" / "go.mod").read_text()
        (modules / "etcd" / "go.mod").write_text(text.replace("v3.6.7", "v3.6.8"))
        after = ensure_tools(("etcd", "kwok"), console=console, modules_dir=modules)
        assert after["etcd"].version == "v3.6.8"
        assert after["etcd"].path != before["etcd"].path
        assert after["kwok"] == before["kwok"]
        assert len(go.builds()) == 3

    def test_the_language_host_has_its_script_beside_it(self, go: StandInGo) -> None:
        host = ensure("pulumi-language-python")["pulumi-language-python"].path
        script = host.with_name("pulumi-language-python-exec")
        assert script.read_text().startswith("#!/usr/bin/env python3")
        assert script.stat().st_mode & 0o111

    def test_the_language_host_is_beside_the_engine_where_the_engine_trusts_it(self, go: StandInGo) -> None:
        tools = ensure("pulumi", "pulumi-language-python")
        engine, host = tools["pulumi"].path, tools["pulumi-language-python"].path
        assert engine.with_name(host.name).resolve() == host
        assert engine.with_name(f"{host.name}-exec").resolve() == host.with_name(f"{host.name}-exec")
        assert tools.path_entries()[0] == engine.parent

    def test_and_leave_no_work_behind(self, go: StandInGo) -> None:
        ensure("etcd")
        assert sorted(entry.name for entry in go.root.iterdir() if entry.name != "build.lock") == ["logs", "tools"]

    def test_never_in_the_checkout(self, go: StandInGo) -> None:
        ensure("etcd")
        assert go.builds()[0].split()[1] == str(go.root / "work" / "etcd")


class TestABuildThatIsEnded:
    def test_by_kill_leaves_nothing_half_and_the_next_one_goes_on(
        self, go: StandInGo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        go.hold()
        killed = go.start("etcd", "kwok")
        wait_until(go.builds)
        killed.kill()
        killed.communicate()
        assert go.built() == []
        # Still held, the leftovers cannot end by themselves: the next builder, which is not held, must end them.
        leftovers = go.processes()
        assert not any(ended(process) for process in leftovers)
        monkeypatch.setenv("FAKE_GO_HOLD", str(go.folder / "never"))
        assert list(ensure("etcd", "kwok")) == ["kwok", "etcd"]
        assert all(ended(process) for process in leftovers)
        assert go.built() == ["etcd", "kwok"]

    @pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_by_a_signal_ends_its_compilers(self, go: StandInGo, how: signal.Signals) -> None:
        go.hold()
        process = go.start("etcd")
        wait_until(go.builds)
        process.send_signal(how)
        output, _ = process.communicate()
        assert process.returncode != 0
        assert "Traceback" not in output
        assert all(ended(each) for each in go.processes())
        assert go.built() == []
        assert not (go.root / "work").exists()


class TestTwoBuildsSideBySide:
    def test_build_once_and_the_second_waits(self, go: StandInGo) -> None:
        go.hold()
        first = go.start("etcd")
        wait_until(go.builds)
        second = go.start("etcd")
        assert second.stdout
        assert f"Another QHub build is running (process {first.pid}), waiting" in second.stdout.readline()
        go.go_on()
        assert "etcd v3.6.7 (built)" in first.communicate()[0]
        assert "etcd v3.6.7 (built)" in second.communicate()[0]
        assert (first.returncode, second.returncode) == (0, 0)
        assert len(go.builds()) == 1

    def test_the_second_takes_over_when_the_first_is_killed(self, go: StandInGo) -> None:
        go.hold()
        first = go.start("etcd")
        wait_until(go.builds)
        second = go.start("etcd")
        assert second.stdout
        second.stdout.readline()
        first.kill()
        first.communicate()
        wait_until(lambda: len(go.builds()) == 2)
        assert ended(go.processes()[0])  # never two side by side
        go.go_on()
        assert "etcd v3.6.7 (built)" in second.communicate()[0]


class TestABuildThatFails:
    SAYS = "\n".join(f"line {number}" for number in range(1, 41))

    def message(self, *names: str) -> str:
        with pytest.raises(ToolchainError) as caught:
            ensure(*names)
        return str(caught.value)

    def fail(self, go: StandInGo, monkeypatch: pytest.MonkeyPatch, *, on: str, saying: str) -> None:
        go.fails(on=on, saying=saying)
        monkeypatch.setenv("FAKE_GO_FAILS", on)

    def test_shows_the_last_lines_and_the_log(self, go: StandInGo, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fail(go, monkeypatch, on="etcd", saying=self.SAYS)
        message = self.message("etcd")
        assert message.startswith("etcd could not be built: Go ended with code 1")
        assert "line 21\n" in message
        assert "line 40\n" in message
        assert "line 20\n" not in message
        assert f"The whole output: {go.root / 'logs' / 'etcd.log'}\n" in message
        assert (go.root / "logs" / "etcd.log").read_text() == self.SAYS

    @pytest.mark.parametrize(
        ("saying", "advice"),
        [
            ("write /x/y.a: no space left on device", "disk is full"),
            ("Get https://example.test/x: dial tcp: lookup example.test: no such host", "GOPROXY"),
            ("verifying x: checksum mismatch", "restore the files under toolchain/"),
            ("x@v1.0.0: missing go.sum entry", "restore the files under toolchain/"),
            ("reading https://example.test/x/@v/v9.9.9.mod: 404 Not Found", "does not serve"),
            ("compile: signal: killed", "ran out of memory"),
            ("go.mod requires go >= 1.26.0 (running go 1.22.1)", "install a newer Go"),
            ("something never seen", "goes on from here"),
        ],
    )
    def test_says_what_to_do(self, go: StandInGo, monkeypatch: pytest.MonkeyPatch, saying: str, advice: str) -> None:
        self.fail(go, monkeypatch, on="etcd", saying=saying)
        assert advice in self.message("etcd")

    def test_stops_the_others_and_keeps_what_was_built(self, go: StandInGo, monkeypatch: pytest.MonkeyPatch) -> None:
        ensure("helm")
        monkeypatch.setattr(build, "MEMORY_FOR_TWO", 0)
        go.hold()
        self.fail(go, monkeypatch, on="etcd", saying="no")
        assert "etcd could not be built" in self.message("helm", "etcd", "kwok")
        assert all(ended(process) for process in go.processes())  # kwok's too, which was held
        assert go.built() == ["helm"]

    @pytest.mark.parametrize(("enough", "started"), [(0, 2), (float("inf"), 1)])
    def test_one_at_a_time_where_memory_is_short(
        self, go: StandInGo, monkeypatch: pytest.MonkeyPatch, enough: float, started: int
    ) -> None:
        monkeypatch.setattr(build, "MEMORY_FOR_TWO", enough)
        self.fail(go, monkeypatch, on="kwok", saying="no")
        assert "kwok could not be built" in self.message("kwok", "etcd")
        assert len(list((go.root / "logs").iterdir())) == started  # Go has a log from its start on

    def test_what_the_others_share_is_compiled_before_them(
        self, go: StandInGo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(build, "MEMORY_FOR_TWO", 0)
        self.fail(go, monkeypatch, on="kubectl", saying="no")
        assert "kubectl could not be built" in self.message("kubectl", "etcd", "helm")
        assert [log.stem for log in (go.root / "logs").iterdir()] == ["kubernetes"]  # nothing else was begun

    def test_goes_on_once_the_cause_is_gone(self, go: StandInGo, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fail(go, monkeypatch, on="etcd", saying="no")
        self.message("etcd")
        monkeypatch.delenv("FAKE_GO_FAILS")
        assert ensure("etcd")["etcd"].origin == "built"

    def test_ends_the_command_with_an_error_and_no_traceback(self, go: StandInGo) -> None:
        go.fails(on="etcd", saying="no")
        process = go.start("etcd")
        output, _ = process.communicate()
        assert process.returncode == 1
        assert "Error: etcd could not be built" in output
        assert "Traceback" not in output


class TestAMachineWithoutASuitableGo:
    def test_none(self, go: StandInGo) -> None:
        (go.bin / "go").unlink()
        with pytest.raises(ToolchainError) as caught:
            ensure("etcd", "kwok")
        message = str(caught.value)
        assert "there is no Go to build them with: kwok, etcd" in message
        assert "install Go 1.26 or newer" in message
        assert "put official releases of the tools on PATH" in message

    @pytest.mark.parametrize(
        ("version", "fetching", "message"),
        [
            ("go1.22.4", "local", "has go1.22.4, the tools need Go 1.26.0 or newer.*Set GOTOOLCHAIN=auto"),
            (
                "go1.19.8",
                "",
                "has go1.19.8, .* need Go 1.26.0 or newer, and it cannot fetch a newer one. Install",
            ),
        ],
    )
    def test_one_too_old(
        self, go: StandInGo, monkeypatch: pytest.MonkeyPatch, version: str, fetching: str, message: str
    ) -> None:
        monkeypatch.setenv("FAKE_GO_VERSION", version)
        monkeypatch.setenv("FAKE_GO_TOOLCHAIN", fetching or " ")
        with pytest.raises(ToolchainError, match=message):
            ensure("etcd")
        assert go.builds() == []

    @pytest.mark.parametrize("version", ["go1.22.4", "go1.26.0", "go1.27rc1", "devel go1.27-abcdef"])
    def test_one_that_can_fetch_a_newer_one_or_is_new(
        self, go: StandInGo, monkeypatch: pytest.MonkeyPatch, version: str
    ) -> None:
        monkeypatch.setenv("FAKE_GO_VERSION", version)
        assert ensure("etcd")["etcd"].origin == "built"

    def test_one_that_does_not_run(self, go: StandInGo) -> None:
        (go.bin / "go").write_text("#!/bin/sh\necho broken >&2\nexit 2\n")
        with pytest.raises(ToolchainError, match="go does not run: broken"):
            ensure("etcd")


class TestRemovingTheCache:
    def test_removes_all_of_it_and_tells_its_size(self, go: StandInGo) -> None:
        ensure("etcd")
        removed = remove_cache()
        assert removed.path == go.root
        assert removed.size >= len("built\n")
        assert not go.root.exists()

    def test_that_is_not_there(self, go: StandInGo) -> None:
        assert str(remove_cache()) == f"No built tools in {go.root}"

    def test_is_refused_while_something_is_built_into_it(self, go: StandInGo) -> None:
        go.hold()
        process = go.start("etcd")
        wait_until(go.builds)
        with pytest.raises(ToolchainError, match=rf"process {process.pid} is building into"):
            remove_cache()
        go.go_on()
        process.communicate()
        assert go.built() == ["etcd"]

    def test_then_building_again_works(self, go: StandInGo) -> None:
        ensure("etcd")
        remove_cache()
        assert ensure("etcd")["etcd"].path.exists()


class TestCommands:
    def test_status_builds_nothing(self, go: StandInGo) -> None:
        ensure("etcd")
        result = CliRunner().invoke(toolchain_commands, ["status"])
        lines = result.output.splitlines()
        assert result.exit_code == 0
        assert any(line.split()[:3] == ["etcd", "v3.6.7", "built"] for line in lines)
        assert any(line.split() == ["helm", "missing"] for line in lines)
        assert len(go.builds()) == 1

    def test_build_tells_where_the_tool_is(self, go: StandInGo) -> None:
        result = CliRunner().invoke(toolchain_commands, ["build", "etcd"])
        assert f"etcd v3.6.7 (built) {go.root}" in result.output

    def test_an_unknown_tool_is_an_error_with_the_known_ones(self, go: StandInGo) -> None:
        process = go.start("ectd")
        output, _ = process.communicate()
        assert process.returncode == 1
        assert "no tool is called ectd" in output
        assert "etcd" in output
