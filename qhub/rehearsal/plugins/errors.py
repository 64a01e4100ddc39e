"""What can go wrong in a plugin, as the engine is to hear it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class PluginError(Exception):
    """A message for a person: what is wrong, where, what was expected, what to do next. Holds no secret."""


class Interrupted(PluginError):
    """The run was cancelled while the plugin waited."""


class NotReadyError(PluginError):
    """The object or release exists, but did not become ready.

    Args:
        message: what is not ready, and why, as far as it can be seen.
        state: the latest known state, so that it can be kept.
    """

    def __init__(self, message: str, *, state: Any = None) -> None:
        super().__init__(message)
        self.state = state


class PartialFailure(PluginError):
    """The resource exists but is not as asked: the engine keeps its state and the next run goes on from there.

    Args:
        reason: the message.
        resource_id: id of the resource that exists.
        properties: its outputs, as a property tree.
        inputs: its inputs, where they differ from what the engine sent (`None`: as sent).
    """

    def __init__(
        self, reason: str, *, resource_id: str, properties: dict[str, Any], inputs: dict[str, Any] | None = None
    ) -> None:
        super().__init__(reason)
        self.resource_id = resource_id
        self.properties = properties
        self.inputs = inputs


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?` for the known word closest to `word`, or nothing."""
    options = list(known)
    exact = [option for option in options if option.lower() == word.lower()]
    close = exact or difflib.get_close_matches(word, options, n=1, cutoff=0.5)
    return f" Did you mean '{close[0]}'?" if close else ""


def listing(words: Iterable[str], *, most: int = 12) -> str:
    """Return the words, sorted and joined for a message, cut after `most`."""
    words = sorted(set(words))
    if not words:
        return "none"
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more
