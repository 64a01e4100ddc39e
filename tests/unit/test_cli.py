"""The `qhub` command: how an error that a command ends in is told, and what works without the extra for rehearsals."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from qhub.cli import FOR_PEOPLE
from qhub.rehearsal.needs import OF_REHEARSALS

ROOT = Path(__file__).parents[2]
#: Ends in an error on an installation without what only rehearsals need.
PROGRAM = """
import sys
sys.modules["psutil"] = None
from qhub.cli import main
from qhub.config.mistakes import Mistake, SettingsError

@main.command()
def ends():
    raise {error}

main(["ends"])
"""


def ended_in(error: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(error=error)], capture_output=True, text=True, check=False
    )


def test_a_mistake_is_told_in_words_without_the_extra_for_rehearsals() -> None:
    done = ended_in("SettingsError([Mistake('domain', 'is not one')], stack='prod')")

    assert done.returncode == 1
    assert "domain: is not one" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_of_ours_keeps_its_own_traceback() -> None:
    done = ended_in("ZeroDivisionError('a fault in the program')")

    assert done.stderr.rstrip().endswith("ZeroDivisionError: a fault in the program")


@pytest.mark.parametrize("name", sorted({*FOR_PEOPLE, "qhub.automation.engine.EngineError"}))
def test_the_names_of_errors_are_those_of_classes(name: str) -> None:
    module, _, cls = name.rpartition(".")

    assert issubclass(getattr(importlib.import_module(module), cls), Exception)


#: The command on an installation without some packages.
WITHOUT = """
import sys
sys.modules.update(dict.fromkeys({missing}))
from qhub.cli import main
main(prog_name="qhub")
"""
#: Asks every command and every command below it for its help; prints what each ended with.
EVERY_HELP = """
import json, sys
sys.modules.update(dict.fromkeys({missing}))
import click
from click.testing import CliRunner
from qhub.cli import main

def below(command, words):
    yield words
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from below(command.get_command(context, name), [*words, name])

print(json.dumps({{" ".join(words): CliRunner().invoke(main, [*words, "-h"]).exit_code for words in below(main, [])}}))
"""


class TestAPlainInstall:
    def run(
        self, folder: Path, program: str, *words: str, missing: frozenset[str] = OF_REHEARSALS, cwd: Path = ROOT
    ) -> subprocess.CompletedProcess[str]:
        """Run a program where some packages cannot be imported, no tool is on PATH and no cache is anybody's."""
        environment = {**os.environ, "PATH": "", "HOME": str(folder), "QHUB_CACHE_DIR": str(folder)}
        return subprocess.run(
            [sys.executable, "-c", program.format(missing=sorted(missing)), *words],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def test_every_command_has_its_help(self, tmp_path: Path) -> None:
        done = self.run(tmp_path, EVERY_HELP)
        ended = json.loads(done.stdout)

        assert {"", "rehearse", "cluster start", "images needed", "toolchain build"} <= ended.keys()
        assert set(ended.values()) == {0}

    def test_no_argument_shows_what_there_is(self, tmp_path: Path) -> None:
        done = self.run(tmp_path, WITHOUT)

        assert "rehearse " in done.stdout + done.stderr
        assert "Traceback" not in done.stderr

    def test_the_images_of_a_stack_are_listed(self, tmp_path: Path) -> None:
        done = self.run(tmp_path, WITHOUT, "images", "needed", "tests/assets/config_aws.yaml")

        assert done.returncode == 0, done.stderr
        assert "quay.io/jupyterhub/k8s-hub:" in done.stdout

    @pytest.mark.parametrize(
        "words",
        ["rehearse prod", "env", "up -y", "down -y", "clean", "cluster start", "toolchain build", "images list"],
    )
    def test_what_needs_more_says_how_to_get_it(self, tmp_path: Path, words: str) -> None:
        done = self.run(tmp_path, WITHOUT, *words.split(), cwd=tmp_path)
        told = done.stderr.splitlines()

        assert done.returncode == 1
        assert len(told) == 2
        assert told[0].startswith("Error: ")
        assert told[1].strip() == f"{sys.executable} -m pip install 'qhub[rehearsal]'"

    def test_a_missing_sdk_is_told_before_a_tool_is_built_for_the_rehearsal(self, tmp_path: Path) -> None:
        words = ("rehearse", "prod", "--config-file", "tests/assets/config_azure.yaml")
        done = self.run(tmp_path, WITHOUT, *words, missing=frozenset({"pulumi_azure_native"}))

        assert done.returncode == 1
        assert "pulumi_azure_native is not installed" in done.stderr
        assert done.stderr.rstrip().endswith("-m pip install 'qhub[azure]'")

    def test_the_extra_has_what_is_told_as_missing(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        extra, always = (
            {re.split(r"\W", line)[0] for line in lines}
            for lines in (project["optional-dependencies"]["rehearsal"], project["dependencies"])
        )

        assert extra - always == OF_REHEARSALS
