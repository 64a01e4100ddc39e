"""Text files that are written whole or not at all: whatever happens meanwhile, nothing half-written has their name."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


def write_new(file: Path, text: str) -> None:
    """Write a file where nothing has that name yet. Its folder is there.

    Raises:
        FileExistsError: something has the name, be it a link to nowhere; it stays as it is.
        OSError: it cannot be written; `filename` is the file.
    """
    with _named(file):
        if os.path.lexists(file):
            raise FileExistsError
        with _begun(file, text) as begun:
            _take_the_name(begun, file)


def write_over(file: Path, text: str) -> None:
    """Write a file anew in place of the one that is there, with its permissions; a link stays one.

    Raises:
        OSError: it cannot be written, and is as it was; `filename` is the file.
    """
    place = file.resolve()
    with _named(file), _begun(place, text) as begun:
        shutil.copymode(place, begun)
        begun.replace(place)


@contextmanager
def _begun(file: Path, text: str) -> Generator[Path]:
    """Give a file of another name beside `file` that has the whole text; whatever happens, it is gone afterwards."""
    begun = file.with_name(f".qhub-{secrets.token_hex(4)}")
    try:
        with begun.open("x", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())  # some file systems tell only here that there is no room
        yield begun
    finally:
        begun.unlink(missing_ok=True)


def _take_the_name(begun: Path, file: Path) -> None:
    """Give what was begun its name, with no moment between looking whether the name is free and taking it."""
    try:
        os.link(begun, file)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links: an empty file takes the name first.
        with file.open("x"):
            pass
        try:
            begun.replace(file)
        except BaseException:
            file.unlink(missing_ok=True)
            raise


@contextmanager
def _named(file: Path) -> Generator[None]:
    """Have errors name the file: of a full disk they name none, and others the name that it had at first."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(file), None
        raise
