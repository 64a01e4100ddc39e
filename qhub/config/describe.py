"""Every key of a stack file with all that the models know of it: for `qhub explain` and the settings reference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr

from qhub.config.model import Fixed, Section
from qhub.config.settings import Settings
from qhub.config.shape import bare_type, expected, is_choice, is_section, keys_of, marks_of, variants

#: Steps of a key that stand for any name of a map, and for any item of a list.
ANY_NAME, ANY_ITEM = "<name>", "[]"


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key of the stack file.

    Attributes:
        path: names from the root of the settings; `ANY_NAME` and `ANY_ITEM` inside maps and lists.
        when: `provider: aws` and the like where the key is there only then; "" for always.
        kind: type of its value, with marks.
        description: what it is.
        required: whether it has to be there.
        default: its default as in a stack file; None for none, and where it is computed.
        computed: whether the default follows from other keys; the description says how.
        fixed: what a change would do, for what cannot be changed once the stack is up.
    """

    path: tuple[str, ...]
    when: str
    kind: Any
    description: str
    required: bool
    default: Any
    computed: bool
    fixed: Fixed | None

    @property
    def name(self) -> str:
        """The key as a person reads it: `jupyterhub.profiles[].cpu.limit`."""
        return ".".join(self.path).replace(f".{ANY_ITEM}", ANY_ITEM)

    @property
    def expected(self) -> str:
        """What belongs there: type, unit and, where one helps, an example."""
        return expected(self.kind)

    @property
    def secret(self) -> bool:
        """Whether a secret belongs there."""
        return bare_type(self.kind) is SecretStr

    @property
    def holds_secrets(self) -> bool:
        """Whether it is a map of names to secrets."""
        inside = get_args(bare_type(self.kind))
        return self.holds_many and bare_type(inside[-1]) is SecretStr

    @property
    def nullable(self) -> bool:
        """Whether `null` may be written."""
        return _takes_none(self.kind)

    @property
    def holds_many(self) -> bool:
        """Whether it holds a map of names or a list."""
        return get_origin(bare_type(self.kind)) in (dict, tuple)


def all_keys() -> tuple[Key, ...]:
    """Return every key of a stack file, in the order of the models, each above what is inside of it."""
    return tuple(_keys(Settings, (), ""))


def _keys(section: type[Section], path: tuple[str, ...], when: str) -> Iterator[Key]:
    for name in keys_of(section):
        field = section.model_fields[name]
        kind, here = field.rebuild_annotation(), (*path, name)
        yield Key(
            path=here,
            when=when,
            kind=kind,
            description=field.description or "",
            required=field.is_required(),
            default=None if field.is_required() else _written(_default(section, name)),
            computed=field.default_factory is not None,
            fixed=next((mark for mark in marks_of(kind) if isinstance(mark, Fixed)), None),
        )
        for steps, word, below in _insides(kind):
            yield from _keys(below, (*here, *steps), word or when)


def _default(section: type[Section], name: str) -> Any:
    pools = getattr(section, "DEFAULT_POOLS", None)
    return pools if pools and name == "node_pools" else section.model_fields[name].default


def _written(default: Any) -> Any:
    """Return a default as it would stand in a stack file; None for what is computed."""
    if type(default).__name__ == "PydanticUndefinedType":
        return None
    if isinstance(default, tuple):
        return [_written(item) for item in default]
    return {key: _written(value) for key, value in default.items()} if isinstance(default, dict) else default


def _insides(kind: Any) -> list[tuple[tuple[str, ...], str, type[Section]]]:
    """Return the sections inside of a key: the steps to each, and the word that chooses it."""
    if is_choice(kind):
        return [((), f"{_chooser(section)}: {word}", section) for word, section in variants(kind).items()]
    plain = bare_type(kind)
    if is_section(plain):
        return [((), "", plain)]
    if get_origin(plain) is dict and len(get_args(plain)) == 2:
        return [((ANY_NAME, *steps), word, section) for steps, word, section in _insides(get_args(plain)[1])]
    if get_origin(plain) is tuple:
        return [((ANY_ITEM, *steps), word, section) for steps, word, section in _insides(get_args(plain)[0])]
    return []


def _chooser(section: type[Section]) -> str:
    return next(name for name, field in section.model_fields.items() if get_origin(field.annotation) is Literal)


def _takes_none(kind: Any) -> bool:
    arms = get_args(kind)
    return type(None) in arms or (bool(arms) and hasattr(kind, "__metadata__") and _takes_none(arms[0]))
