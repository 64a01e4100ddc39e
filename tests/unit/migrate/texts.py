"""Short configurations of theirs, and what is said of their keys."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from click.testing import CliRunner, Result

from qhub.cli import main
from qhub.config.document import read_document
from qhub.migrate.migration import migrate
from qhub.migrate.moving import Moving

#: The least file of Nebari's.
LOCAL = "nebari_version: 2025.10.1\nproject_name: lab\nprovider: local\ndomain: a.localhost\n"


def run(*words: str | Path) -> Result:
    """Run `qhub migrate` with some words."""
    return CliRunner().invoke(main, ["migrate", *map(str, words)])


def of_text(text: str) -> Moving:
    """Return the migration of a file with that text."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "nebari-config.yaml"
        file.write_text(text)
        return migrate(read_document(file))


def told(moving: Moving, *path: str | int) -> str:
    """Return what is said of a key of the old file."""
    return "; ".join(f"{note.kind}: {note.text}" for note in moving.notes if note.path == path)
