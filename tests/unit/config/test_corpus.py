"""A corpus of wrong stack files, one mistake each, with what is said of it.

Each file lies over a valid base and ends in the expected message as a comment, so that mistake and message are read
together. `make corpus` renews the messages and shows what changed, for review.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest import mock

import pytest

import qhub.config
from qhub.config.check import Check, check_settings_file
from qhub.config.model import Problem
from qhub.config.settings import RULES, SECTIONS

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(path for path in CORPUS.glob("*.yaml") if path.name != "Pulumi.yaml")
MODELS = Path(qhub.config.__file__).parent
#: Above the expected message in each file.
MARK = "# ---"
#: What is said of the length of a secret, which only the engine can read: no file shows it (test_rules.py does).
OF_THE_ENGINE = '(HERE, "admin_password")'


def split(file: Path) -> tuple[str, str]:
    """Return what a person wrote, and the expected message."""
    written, _, expected = file.read_text(encoding="utf-8").partition(f"{MARK}\n")
    return written, "\n".join(line.removeprefix("# ") for line in expected.splitlines())


def write_expected(file: Path, message: str) -> None:
    comment = "\n".join(f"# {line}" for line in message.splitlines())
    file.write_text(f"{split(file)[0]}{MARK}\n{comment}\n", encoding="utf-8")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_mistake_is_told_as_expected(file: Path) -> None:
    check = everything().checks[file]

    assert len(check.mistakes) == 1, [str(mistake) for mistake in check.mistakes]
    (mistake,) = check.mistakes
    if os.environ.get("QHUB_UPDATE_CORPUS"):
        write_expected(file, str(mistake))
    assert str(mistake) == split(file)[1], "if the new message is better: make corpus"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_file_is_named_after_the_key(file: Path) -> None:
    (mistake,) = everything().checks[file].mistakes
    section = file.stem.partition(".")[0]

    assert section == "sections" or mistake.key.startswith(section)


@pytest.mark.parametrize("base", sorted((CORPUS / "bases").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_bases_are_right(base: Path) -> None:
    assert check_settings_file(base, stack="prod", root=CORPUS).valid


def test_there_are_enough_and_every_section_is_there() -> None:
    assert len(FILES) >= 150
    assert set(SECTIONS) <= {file.stem.partition(".")[0] for file in FILES}


class TestEveryRule:
    """A rule that no file breaks would be one whose message nobody has read."""

    @pytest.mark.parametrize("rule", sorted({rule.__name__ for _, rule in RULES}))
    def test_is_broken_by_some_file(self, rule: str) -> None:
        assert rule in everything().functions

    def test_every_problem_that_the_models_can_tell_is_told(self) -> None:
        untold = [place for place in told_in_code() if not any(_inside(line, place) for line in everything().places)]

        assert [f"{file}:{first}" for file, first, _ in untold] == [], "add a file to the corpus for each"


def _inside(line: tuple[str, int], place: tuple[str, int, int]) -> bool:
    return line[0] == place[0] and place[1] <= line[1] <= place[2]


def told_in_code() -> Iterator[tuple[str, int, int]]:
    """Yield file, first and last line of every `Problem(...)` in the models."""
    for path in sorted(MODELS.rglob("*.py")):
        if path.name in ("fixed.py", "settings.py"):
            continue  # compared with the last run, which no file has; and what passes problems on
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != "Problem":
                continue
            if OF_THE_ENGINE not in (ast.get_source_segment(text, node) or ""):
                yield path.name, node.lineno, node.end_lineno or node.lineno


@dataclass(frozen=True)
class Everything:
    """What one look at every file of the corpus gave.

    Attributes:
        checks: by file.
        places: file and line of the code that made problems.
        functions: names of the functions that were at work then, rules among them.
    """

    checks: dict[Path, Check]
    places: frozenset[tuple[str, int]]
    functions: frozenset[str]


@cache
def everything() -> Everything:
    """Look at every file of the corpus, once."""
    places: set[tuple[str, int]] = set()
    functions: set[str] = set()
    made = Problem.__init__

    def note(self: Problem, *args: object, **kwargs: object) -> None:
        frame = sys._getframe(1)
        places.add((Path(frame.f_code.co_filename).name, frame.f_lineno))
        while frame is not None:
            functions.add(frame.f_code.co_name)
            frame = frame.f_back
        made(self, *args, **kwargs)  # ty: ignore[invalid-argument-type]

    with mock.patch.object(Problem, "__init__", note):
        checks = {file: check_settings_file(file, stack="prod", root=CORPUS) for file in FILES}
    return Everything(checks, frozenset(places), frozenset(functions))
