"""What became of each key of the old file, with its line."""

from __future__ import annotations

from collections.abc import Iterator

from qhub.config.document import Document
from qhub.config.model import dotted
from qhub.migrate.moving import Kind, Moving, Note, folded

_TITLES: dict[Kind, str] = {
    "asked": "To be answered before `pulumi up`:",
    "changed": "Came over in another form:",
    "lost": "Has no counterpart:",
    "needless": "Is not needed any more:",
}


def report(moving: Moving) -> str:
    """Return the account for a person: by what became of a key, then by line."""
    return "\n".join(_lines(moving))


def _lines(moving: Moving) -> Iterator[str]:
    for kind, title in _TITLES.items():
        notes = sorted((note for note in moving.notes if note.kind == kind), key=lambda note: _place(moving, note))
        if notes:
            yield f"\n{title}"
        # Several keys may give the same setting, and a setting the same answer.
        yield from dict.fromkeys(f"  {_told(moving, note)}" for note in notes)


def _told(moving: Moving, note: Note) -> str:
    line, column = _place(moving, note)
    place = f"{moving.document.file.name}:{line}:{column}" if line else moving.document.file.name
    return f"{place}  {folded(dotted(note.path))}: {note.text}" if note.path else f"{place}  {note.text}"


def _place(moving: Moving, note: Note) -> tuple[int, int]:
    """Return line and column of a key, or of the nearest one around it that is there."""
    return place_of(moving.document, note.path)


def place_of(document: Document, path: tuple[str | int, ...]) -> tuple[int, int]:
    """Return line and column of a key of a file, or of what is around it; zeros for the file as a whole."""
    for length in range(len(path), 0, -1):
        mark = document.marks.get(path[:length])
        if mark is not None:
            return mark.line, mark.column
    return 0, 0
