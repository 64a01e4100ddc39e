"""The one error of this package."""

from __future__ import annotations


class ToolchainError(RuntimeError):
    """A tool is missing, unsuitable or could not be built. The message is for people."""
