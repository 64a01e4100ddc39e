"""`qhub migrate`: an old configuration as a stack file of ours. What it does is `qhub.migrate`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click

from qhub.config.document import Document, read_document
from qhub.config.sources import PROJECT_FILE, stack_of
from qhub.config.versions import NEWER_QHUB
from qhub.migrate.migration import NoConfigurationError, migrate
from qhub.migrate.report import report
from qhub.migrate.upgrading import upgraded_text
from qhub.migrate.writing import stack_file
from qhub.whole_file import write_new, write_over

#: What ends the name of a folder on this system.
_SLASHES = tuple(filter(None, (os.sep, os.altsep)))


@click.command("migrate")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--output",
    # As text: a path has lost the slash at its end, which says that it is a folder.
    type=click.Path(),
    help="The new file, or its folder, with a slash at its end where it is to be made; default: Pulumi.prod.yaml here. "
    "`-` prints it.",
)
@click.option("--in-place", is_flag=True, help="Of an older stack file of ours: write the new one over it.")
def migrate_command(file: Path, output: str | None, in_place: bool) -> None:
    """Make a stack file of FILE: nebari-config.yaml, qhub-config.yaml, or an older stack file of ours.

    Tells, key by key with line, what has to be answered, what came over in another form, and what has no counterpart
    and what to do instead. Writes no secret, and nothing over a file that is there.
    """
    document = read_document(file)
    if "config" in document.data and "project_name" not in document.data:
        _upgrade(document, output, in_place=in_place)
        return
    if in_place:
        raise click.UsageError("--in-place is for stack files of ours: say with --output where the new one goes")
    target = _target(output)
    try:
        moving = migrate(document, stack=stack_of(target) if target.name.startswith("Pulumi.") else "prod")
    except NoConfigurationError as error:
        raise click.ClickException(str(error)) from None
    _write(target, stack_file(moving))
    to_terminal = target == Path("-")
    click.echo(report(moving), err=to_terminal)
    if not to_terminal:
        _next(target, moving.provider)


def _upgrade(document: Document, output: str | None, *, in_place: bool) -> None:
    file = document.file
    if document.flaws:
        raise click.ClickException(f"{file}: {document.flaws[0].message}")
    config = document.data["config"]
    if config is not None and not isinstance(config, Mapping):
        raise click.ClickException(f"{file}: config should be a map of keys such as qhub:domain")
    try:
        text, changed = upgraded_text(file.read_text(encoding="utf-8")) if config else ("", [])
    except ValueError as error:
        raise click.ClickException(f"{file}: {error}; a newer QHub may know it: {NEWER_QHUB}") from None
    if not changed:
        click.echo(f"{file.name}: the settings are in the form that this QHub reads; nothing to do")
        return
    if in_place == (output is not None):
        raise click.UsageError("say where the new file goes: --output FILE, or --in-place to write over the old one")
    if in_place:
        try:
            write_over(file, text)
        except OSError as error:
            raise _cannot_write(error) from None
    else:
        _write(_target(output), text)
    click.echo("\n".join(changed))


def _target(output: str | None) -> Path:
    written = output or ""  # the folder that this is
    is_folder = written.endswith(_SLASHES) or Path(written).is_dir()
    return Path(written, "Pulumi.prod.yaml") if is_folder else Path(written)


def _write(target: Path, text: str) -> None:
    if target == Path("-"):
        click.echo(text, nl=False)
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_new(target, text)
    except FileExistsError:
        raise click.ClickException(f"{target} is there already: say with --output where the new one goes") from None
    except OSError as error:
        raise _cannot_write(error) from None
    click.echo(f"wrote {target}")


def _cannot_write(error: OSError) -> click.ClickException:
    return click.ClickException(f"{error.filename} cannot be written: {error.strerror}")


def _next(target: Path, cloud: str) -> None:
    click.echo("\nNext:\n")
    if not (target.parent / PROJECT_FILE).is_file():
        click.echo(f"  qhub init {cloud}        # in that folder: the rest of the project; it keeps {target.name}")
    click.echo(f"  qhub validate {target}")
