"""The kinds of nodes that a cluster can be started with, by a word. Imports nothing: the help of commands has them."""

from __future__ import annotations

from typing import Literal, get_args

#: simulated: no container runs. real: one node of this machine on which they do. both: the two side by side.
NodeKind = Literal["simulated", "real", "both"]
KINDS: tuple[str, ...] = get_args(NodeKind)


def kind_named(word: str) -> NodeKind | None:
    """Return the kind of this name; None for any other word."""
    return next((kind for kind in get_args(NodeKind) if kind == word), None)
