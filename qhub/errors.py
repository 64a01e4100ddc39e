"""The one base of the errors that tell a person what to change, and that the program shows without a traceback."""

from __future__ import annotations


class InputError(ValueError):
    """Something that was given cannot be used. The message says what, where, and what would do."""
