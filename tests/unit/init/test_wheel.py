"""The package as people install it: the wheel alone, in an environment and a folder without the checkout."""

from __future__ import annotations

import filecmp
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.unit.init.answering import CLOUDS

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the built wheel; what it depends on is that of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    (wheel,) = folder.glob("*.whl")
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    # Files named .pth in the folder that is added are not read, so that the checkout does not come with it.
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"])
    return folder / "venv" / "bin"


def run(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    return subprocess.run(
        [installed / "qhub", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_a_project_is_written_and_checked_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    found = subprocess.run(
        [installed / "python", "-c", "import qhub; print(qhub.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.startswith(str(installed.parent))

    options = [word for name, value in CLOUDS["gcp"].items() for word in (f"--{name}", value)]
    done = run(installed, tmp_path, "init", "gcp", *options)
    assert (done.returncode, done.stderr) == (0, "")
    checked = run(installed, tmp_path, "validate", "prod")
    assert checked.returncode == 1
    assert checked.stdout.splitlines()[0] == "1 mistake in the settings of stack prod:"
    assert "qhub:authentication.client_secret --stack prod" in checked.stdout


def test_the_tools_of_a_rehearsal_can_be_built_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    (shipped,) = (installed.parent / "lib").glob("python*/site-packages/qhub/rehearsal/toolchain/go_modules")
    files = [str(file.relative_to(ROOT / "toolchain")) for file in (ROOT / "toolchain").rglob("*") if file.is_file()]
    assert filecmp.cmpfiles(ROOT / "toolchain", shipped, files, shallow=False) == (files, [], [])

    done = run(installed, tmp_path, "toolchain", "status")
    assert (done.returncode, done.stderr) == (0, "")
    assert any(line.split() == ["etcd", "missing"] for line in done.stdout.splitlines())
