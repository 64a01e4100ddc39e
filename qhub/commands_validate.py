"""`qhub validate`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from qhub.config.advice import SettingsWarning
from qhub.config.check import Check, check_settings_file
from qhub.config.fixed import FIXED_OUTPUT, record_in
from qhub.config.mistakes import Mistake, SettingsError
from qhub.config.sources import project_root, stack_file

#: What it ends with where a file has mistakes; 2 is click's own, for a command line that is wrong.
MISTAKES = 1


@click.command("validate")
@click.argument("stacks", nargs=-1, metavar="[FILE|STACK]...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--github", is_flag=True, help="Print annotations that GitHub shows beside the lines of a pull request.")
@click.option("--strict", is_flag=True, help="End with 1 on a warning too.")
@click.option(
    "--outputs",
    type=click.File(encoding="utf-8"),
    help="What `pulumi stack output --json` has printed, - for standard input: also tells changes that cannot be made.",
)
def validate_command(stacks: tuple[str, ...], as_json: bool, github: bool, strict: bool, outputs: Any) -> None:
    """Check settings without touching anything: of each FILE, or of each STACK by its name (default: local).

    Every mistake is told at once, with file, line, column and key. Ends with 0 when all are valid, with 1 when one has
    a mistake, with 2 when the command line is wrong.
    """
    if as_json and github:
        raise click.UsageError("--json and --github exclude each other")
    files = [_file(stack) for stack in stacks or ("local",)]
    if outputs is not None and len(files) > 1:
        raise click.UsageError("--outputs belongs to one stack: name one")
    before = None if outputs is None else _record(outputs)
    checks = [check_settings_file(file, before=before) for file in files]
    if as_json:
        click.echo(json.dumps(as_document(checks), indent=2))
    elif github:
        _annotate(checks)
    else:
        _tell(checks)
    bad = any(not check.valid or (strict and check.warnings) for check in checks)
    sys.exit(MISTAKES if bad else 0)


def as_document(checks: Iterable[Check]) -> dict[str, Any]:
    """Return what was found as plain data, for other programs. The keys of it stay."""
    files = [
        {
            "file": str(check.file),
            "stack": check.stack,
            "valid": check.valid,
            "mistakes": [_mistake(one) for one in check.mistakes],
            "warnings": [_place(one) | {"key": one.key, "message": one.message} for one in check.warnings],
        }
        for check in checks
    ]
    return {"valid": all(file["valid"] for file in files), "files": files}


def annotation(check: Check, found: Mistake | SettingsWarning, *, level: str, folder: Path) -> str:
    """Return a workflow command of GitHub Actions (docs.github.com, "Workflow commands", "Setting an error message").

    Args:
        check: where it was found.
        found: the mistake or warning.
        level: `error` or `warning`.
        folder: the checkout, from which GitHub's file names start.
    """
    file = (check.root / found.file).absolute() if found.file else check.file.absolute()
    name = str(file.relative_to(folder)) if file.is_relative_to(folder) else str(file)
    place = {"file": name, "line": found.line, "col": found.column, "title": found.key or None}
    properties = ",".join(f"{key}={_property(str(value))}" for key, value in place.items() if value is not None)
    return f"::{level} {properties}::{_data(_told(found))}"


def _file(stack: str) -> Path:
    path = Path(stack)
    # A path, there or not, is meant by whatever looks like one; `prod` alone is a stack of this project.
    if path.suffix in {".yaml", ".yml"} or path.is_file() or len(path.parts) > 1:
        return path
    file, here = stack_file(project_root(Path.cwd()), stack), Path.cwd()
    return file.relative_to(here) if file.is_relative_to(here) else file


def _record(outputs: Any) -> Mapping[str, Any]:
    try:
        read = json.load(outputs)
    except ValueError as error:
        raise click.UsageError(f"--outputs: {outputs.name} is not JSON: {error}") from None
    record = record_in(read) if isinstance(read, dict) else {}
    if not record:
        raise click.UsageError(f"--outputs: {outputs.name} has no {FIXED_OUTPUT}, which `pulumi up` leaves there")
    return record


def _tell(checks: list[Check]) -> None:
    for check in checks:
        for warning in check.warnings:
            click.echo(f"warning: {warning}")
        if check.valid:
            click.echo(f"{check.file.name}: the settings are valid")
        else:
            click.echo(str(SettingsError(check.mistakes, stack=check.stack)))


def _annotate(checks: list[Check]) -> None:
    folder = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()).absolute()
    for check in checks:
        for level, found in (("error", check.mistakes), ("warning", check.warnings)):
            for one in found:
                click.echo(annotation(check, one, level=level, folder=folder))
        if check.valid:
            click.echo(f"{check.file.name}: the settings are valid")


def _told(found: Mistake | SettingsWarning) -> str:
    """Return a mistake or warning as it is told, without place and key, which an annotation has apart."""
    if isinstance(found, SettingsWarning):
        return found.message
    return str(replace(found, key="", file=None, line=None, column=None))


def _mistake(mistake: Mistake) -> dict[str, Any]:
    words = {"key": mistake.key, "message": mistake.message, "expected": mistake.expected}
    return _place(mistake) | words | {"nearest": mistake.nearest, "known": list(mistake.known)}


def _place(found: Mistake | SettingsWarning) -> dict[str, Any]:
    return {"file": found.file, "line": found.line, "column": found.column}


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
