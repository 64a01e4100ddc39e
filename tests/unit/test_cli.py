"""The `qhub` command: how an error that a command ends in is told."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from qhub.cli import FOR_PEOPLE

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
