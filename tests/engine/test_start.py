"""docs/start.md is what happens: its commands print what it shows, and each cloud ends with a valid prod.

After a change of what is printed, `QHUB_UPDATE_START=1 pytest tests/engine/test_start.py` writes it anew, for review.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from qhub.cli import main
from tests.engine.pulumi_stack import environment_of_engine
from tests.unit.init.answering import CLOUDS

PAGE = Path(__file__).parents[2] / "docs" / "start.md"
PROMPT = "$ "
SECRET = "typed-and-never-shown"
_BLOCK = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)


@dataclass(frozen=True)
class Step:
    """One command of the page, and what the page shows below it."""

    command: str
    shown: str


def steps_of(block: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield Step(command, shown)


BLOCKS = _BLOCK.findall(PAGE.read_text(encoding="utf-8"))
#: Cloud -> its transcript.
TRANSCRIPTS = {block.split()[3].replace("do", "digitalocean"): block for block in BLOCKS}


@dataclass
class Terminal:
    """Somebody in an empty folder."""

    folder: Path
    engine: dict[str, str]

    def run(self, command: str) -> str:
        """Run one command, typing the secret where one is asked for, and return what it prints."""
        program, *words = shlex.split(command)
        if program == "qhub":
            return CliRunner().invoke(main, words, prog_name="qhub").output
        assert program == "pulumi"
        typed = SECRET if "--secret" in words else None
        done = subprocess.run(
            ["pulumi", "--color=never", *words],
            cwd=self.folder,
            env=self.engine,
            input=typed,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout


def test_every_cloud_is_there() -> None:
    assert TRANSCRIPTS.keys() == CLOUDS.keys()


@pytest.mark.parametrize("cloud", TRANSCRIPTS)
def test_the_page_shows_what_is_printed(cloud: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    engine = environment_of_engine(tmp_path, without=("QHUB_",))
    terminal = Terminal(folder, engine)

    printed = [Step(step.command, terminal.run(step.command)) for step in steps_of(TRANSCRIPTS[cloud])]

    if os.environ.get("QHUB_UPDATE_START"):
        block = "".join(f"{PROMPT}{step.command}\n{step.shown}" for step in printed)
        PAGE.write_text(PAGE.read_text(encoding="utf-8").replace(TRANSCRIPTS[cloud], block), encoding="utf-8")
        return
    assert printed == list(steps_of(TRANSCRIPTS[cloud]))
    # A cluster of one's own is asked one question more, in a line before the last.
    assert printed[-1].command == "qhub validate prod"
    assert printed[-1].shown.splitlines()[-1] == "Pulumi.prod.yaml: the settings are valid"
    # The secret is in no file but encrypted.
    assert "secure: v1:" in (folder / "Pulumi.prod.yaml").read_text()
    assert [file for file in folder.rglob("*") if file.is_file() and SECRET in file.read_text()] == []
