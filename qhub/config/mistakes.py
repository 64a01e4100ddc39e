"""How a mistake in the settings is told: place, key, what is wrong, what was expected, the nearest valid word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from qhub.errors import InputError


@dataclass(frozen=True)
class Mistake:
    """One mistake in the settings.

    Attributes:
        key: the setting, as `pulumi config --path` writes it; empty for the file as a whole.
        message: what is wrong and what to do, without the value of a secret.
        file: name of the file that has it, or None where it is not known.
        line: line in the file, from 1; None where the key is not there or its place is not known.
        column: column in that line, from 1.
        expected: what belongs there, in plain words.
        nearest: the valid word that comes closest to what was written.
        known: all valid words, where there are few.
        excerpt: key and value as written; None for everything that is, or may be, a secret.
    """

    key: str
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    expected: str | None = None
    nearest: str | None = None
    known: tuple[str, ...] = ()
    excerpt: str | None = None

    @property
    def place(self) -> str:
        """`file:line:column`, as editors and terminals open it; as much of it as is known."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)

    def __str__(self) -> str:
        text = f"{self.key}: {self.message}" if self.key else self.message
        if self.expected:
            text += f"; expected {self.expected}"
        if self.nearest:
            text += f'; did you mean "{self.nearest}"?'
        if self.known:
            text += f"  (known: {', '.join(self.known)})"
        if self.place:
            text = f"{self.place}  {text}"
        return f"{text}\n    {self.line:>5} | {self.excerpt}" if self.excerpt and self.line else text


class SettingsError(InputError):
    """The settings cannot be used. Its text lists every mistake, by line, and is fit to be shown as it is.

    Attributes:
        mistakes: every mistake, at least one.
        stack: name of the stack they belong to.
    """

    def __init__(self, mistakes: Iterable[Mistake], *, stack: str) -> None:
        self.mistakes = tuple(sorted(mistakes, key=by_place))
        self.stack = stack
        count = len(self.mistakes)
        title = f"{count} mistake{'' if count == 1 else 's'} in the settings of stack {stack}:"
        super().__init__("\n".join([title, *(str(mistake) for mistake in self.mistakes)]))


def by_place(mistake: Mistake) -> tuple[str, int, int]:
    """Return what sorts mistakes by place; what has none comes first, because it is about the file as a whole."""
    return (mistake.file or "", mistake.line or 0, mistake.column or 0)
