"""A test run that is killed stops what it started."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import pathlib, time
import pytest

@pytest.fixture
def started():
    yield
    pathlib.Path(r"{folder}/stopped").touch()

def test_of_something(started):
    pathlib.Path(r"{folder}/started").touch()
    time.sleep(60)
"""


def test_by_kill(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(PROGRAM.format(folder=tmp_path), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "tests.conftest", str(tmp_path)]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        while not (tmp_path / "started").exists():
            assert running.poll() is None, running.communicate()[0]
        running.send_signal(signal.SIGTERM)
        told = running.communicate()[0]
    finally:
        running.kill()

    assert (tmp_path / "stopped").exists(), told
