"""Go builds the smallest tool from the committed go.mod and go.sum, and refuses what go.sum does not name.

With cold caches this takes 20 s and downloads; `make up` has filled the caches by then.
"""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from qhub.rehearsal.toolchain.build import Builder, plan
from qhub.rehearsal.toolchain.errors import ToolchainError
from qhub.rehearsal.toolchain.folders import toolchain_dir
from qhub.rehearsal.toolchain.golang import Go
from qhub.rehearsal.toolchain.locate import find
from qhub.rehearsal.toolchain.lock import BuildLock
from qhub.rehearsal.toolchain.modules import MODULES_DIR
from qhub.rehearsal.toolchain.progress import Progress
from qhub.rehearsal.toolchain.table import TOOLS

HOST = TOOLS["pulumi-language-python"]

pytestmark = pytest.mark.skipif(
    shutil.which("go") is None, reason="no Go on this machine: there is nothing to build with"
)


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `toolchain/`, and an empty cache for what is built."""
    monkeypatch.setenv("QHUB_CACHE_DIR", str(tmp_path / "cache"))
    return Path(shutil.copytree(MODULES_DIR, tmp_path / "modules"))


def build(modules: Path) -> None:
    """Build the language host, whatever is on PATH."""
    jobs = plan([HOST], modules_dir=modules)
    root, lock = toolchain_dir(), BuildLock(toolchain_dir())
    go = Go.find(needed=jobs[0].module.needs_go(), missing=[HOST.name])
    with Progress(Console(file=io.StringIO())) as progress, lock.held(waiting=pytest.fail):
        Builder(go, root=root, progress=progress).run(jobs)


def port_told_by(host: Path) -> int:
    """Start a language host and return the port that it tells its engine; then end it."""
    with subprocess.Popen([host], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            return int(process.stdout.readline())
        finally:
            process.kill()


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


class TestTheRealCompiler:
    def test_builds_a_tool_that_runs_and_leaves_the_checkout_alone(self, modules: Path) -> None:
        before = content(modules)
        build(modules)
        use = find([HOST], modules_dir=modules, search="").uses[HOST.name]
        assert port_told_by(use.path) > 0
        assert use.path.with_name("pulumi-language-python-exec").read_text().startswith("#!")
        assert content(modules) == before

    def test_refuses_a_module_that_go_sum_does_not_name(self, modules: Path) -> None:
        sums = modules / HOST.module / "go.sum"
        kept = [line for line in sums.read_text().splitlines(keepends=True) if not line.startswith(f"{HOST.requires} ")]
        sums.write_text("".join(kept))
        with pytest.raises(ToolchainError, match=r"missing go\.sum entry"):
            build(modules)

    def test_refuses_a_module_with_another_sum(self, modules: Path) -> None:
        sums = modules / HOST.module / "go.sum"
        first, _, rest = sums.read_text().partition("\n")
        name, version, _ = first.split()
        sums.write_text(f"{name} {version} h1:{'A' * 43}=\n{rest}")
        with pytest.raises(ToolchainError, match=r"checksum mismatch(.|\n)*restore the files under toolchain/"):
            build(modules)
