"""Reading a command line strictly: what the real command would not take, and what no kubeconfig needs, is an error."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


class CommandError(Exception):
    """A stand-in cannot answer. The message is for people: what was given, what was expected."""


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """A command line, read.

    Attributes:
        words: what is no option, in its order.
        options: value by option, with its dashes; "" for a switch.
    """

    words: tuple[str, ...]
    options: Mapping[str, str]


def read(arguments: Sequence[str], *, values: Collection[str], switches: Collection[str] = ()) -> Arguments:
    """Read `--option value`, `--option=value` and switches.

    Args:
        arguments: without the command's own name.
        values: options that take a value.
        switches: options that take none.

    Raises:
        CommandError: an unknown option, one given twice, or one without its value.
    """
    words: list[str] = []
    options: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            words.append(word)
            continue
        name, equals, value = word.partition("=")
        if name in options:
            raise CommandError(f"{name} is given twice")
        if name in values:
            if not equals and (not rest or rest[0].startswith("-")):
                raise CommandError(f"{name} needs a value")
            options[name] = value if equals else rest.pop(0)
        elif name in switches and not equals:
            options[name] = ""
        else:
            near = get_close_matches(name, [*values, *switches], n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise CommandError(f"{word} is no option that a rehearsal knows{hint}")
    return Arguments(words=tuple(words), options=options)
