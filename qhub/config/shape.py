"""What the models say about one place in the settings: which keys it has, and what should be written there.

pydantic reports an error at a "loc", which also names the chosen variant of a union. Walking the models beside the data
turns a loc into the path that a person wrote, and finds the description, the known keys and the expected words there.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import Discriminator, SecretStr, Tag

from qhub.config.model import Expected, Section
from qhub.config.settings import NOT_KEYS, Settings

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Spot:
    """One place in the settings.

    Attributes:
        path: keys and list positions, without the names of variants.
        kind: type of what belongs there, with its marks; None for a key that the models do not know.
        owner: section that has (or would have) the last key; None inside a list or a map.
        is_key: whether an error there is about the key of a map instead of its value.
    """

    path: Path
    kind: Any
    owner: type[Section] | None = None
    is_key: bool = False

    @property
    def known(self) -> tuple[str, ...]:
        """Keys that may stand beside the last one."""
        return keys_of(self.owner) if self.owner else ()

    @property
    def required(self) -> bool:
        """Whether the last key has to be there."""
        field = self.owner.model_fields.get(str(self.path[-1])) if self.owner else None
        return field is not None and field.is_required()

    @property
    def removable(self) -> bool:
        """Whether what is left is still complete when the last key is taken away."""
        in_map = self.owner is None and isinstance(self.path[-1], str)
        return in_map or not self.required

    @property
    def secret(self) -> bool:
        """Whether a secret belongs there, or what belongs there is unknown and may be one."""
        return self.kind is None or bare_type(self.kind) is SecretStr

    @property
    def secretive(self) -> bool:
        """Whether what was written there, be it of the wrong type, may be a secret or have one in it."""
        return self.kind is None or may_hold_secret(self.kind)

    @property
    def expected(self) -> str:
        """What belongs there, in plain words."""
        return expected(self.kind)


def spot(loc: Path, data: Any, *, variants: bool = False) -> Spot:
    """Return what the models say about a place.

    Args:
        loc: keys and list positions from the root.
        data: the settings as they were written; they decide between variants.
        variants: whether the loc comes from pydantic, which names the variant after the key of a union.
    """
    here = Spot(path=(), kind=Settings)
    skip_tag = False
    for part in loc:
        if skip_tag:
            skip_tag = False
            continue
        if part == "[key]":
            return Spot(path=here.path, kind=get_args(bare_type(here.kind))[:1] or None, is_key=True)
        here, data = _step(here, part, data)
        skip_tag = variants and is_choice(here.kind)
    return here


def leaves(data: Any, *, path: Path = (), kind: Any = Settings) -> Iterator[tuple[Spot, Any]]:
    """Yield every value of settings as they were written, except sections, lists and maps with known insides."""
    here = Spot(path=path, kind=kind)
    variant = variant_of(kind, data)
    has_insides = is_section(variant) or get_origin(variant) in (dict, tuple)
    if has_insides and isinstance(data, Mapping) and not is_encrypted(data):
        steps = list(data)
    elif has_insides and isinstance(data, list):
        steps = list(range(len(data)))
    else:
        yield here, data
        return
    for part in steps:
        below, value = _step(here, part, data)
        yield from leaves(value, path=below.path, kind=below.kind)


def is_encrypted(value: Any) -> bool:
    """Return whether a value is written as `secure: <ciphertext>`."""
    return isinstance(value, Mapping) and len(value) == 1 and isinstance(value.get("secure"), str)


def keys_of(owner: type[Section]) -> tuple[str, ...]:
    """Return the keys that a person may write in a section."""
    return tuple(name for name in owner.model_fields if owner is not Settings or name not in NOT_KEYS)


def expected(kind: Any) -> str:
    """Return what belongs into a place of this type, in plain words, fit to follow "expected"."""
    marks = [mark.text for mark in marks_of(kind) if isinstance(mark, Expected)]
    return marks[-1] if marks else _expected_type(kind)


def _expected_type(kind: Any) -> str:
    plain = bare_type(kind)
    if get_origin(plain) is Literal:
        return f"one of: {', '.join(str(word) for word in get_args(plain))}"
    if is_section(plain):
        return f"a section with keys such as {', '.join(keys_of(plain)[:3])}"
    if get_origin(plain) is tuple:
        return f"a list, each item {expected(get_args(plain)[0])}"
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "text", dict: "a map of names"}
    return words.get(get_origin(plain) or plain, "a section")  # what is left is a choice between sections


def choices(kind: Any) -> tuple[str, ...]:
    """Return the words of which one must be written, where there is a fixed choice."""
    if is_choice(kind):
        return tuple(tag.tag for arm in get_args(bare_type(kind)) for tag in marks_of(arm) if isinstance(tag, Tag))
    plain = bare_type(kind)
    return tuple(str(word) for word in get_args(plain)) if get_origin(plain) is Literal else ()


def choice_key(kind: Any) -> str:
    """Return the key whose word chooses between the variants of a union."""
    arm = bare_type(get_args(bare_type(kind))[0])
    return next(name for name, field in arm.model_fields.items() if get_origin(field.annotation) is Literal)


def variants(kind: Any) -> dict[str, Any]:
    """Return the sections of a choice, by the word that chooses each."""
    arms = get_args(bare_type(kind))
    return {tag.tag: bare_type(arm) for arm in arms for tag in marks_of(arm) if isinstance(tag, Tag)}


def may_hold_secret(kind: Any) -> bool:
    """Return whether a value of this type may be a secret or have one in it; the values of charts may."""
    plain = bare_type(kind)
    if plain in (Any, SecretStr):
        return True
    if is_section(plain):
        return any(may_hold_secret(plain.model_fields[name].rebuild_annotation()) for name in keys_of(plain))
    insides = (
        variants(kind).values() if is_choice(kind) else get_args(plain) if get_origin(plain) in (dict, tuple) else ()
    )
    return any(may_hold_secret(inside) for inside in insides)


def _step(here: Spot, part: str | int, data: Any) -> tuple[Spot, Any]:
    variant = variant_of(here.kind, data)
    below = data[part] if _has(data, part) else None
    path = (*here.path, part)
    if is_section(variant):
        field = variant.model_fields.get(str(part)) if str(part) in keys_of(variant) else None
        kind = field.rebuild_annotation() if field else None
        return Spot(path=path, kind=kind, owner=variant), below
    arguments = get_args(variant)
    if get_origin(variant) is dict:
        return Spot(path=path, kind=arguments[1]), below
    if get_origin(variant) is tuple:
        return Spot(path=path, kind=arguments[0]), below
    return Spot(path=path, kind=None), below


def _has(data: Any, part: str | int) -> bool:
    if isinstance(data, Mapping):
        return part in data
    return isinstance(data, list) and isinstance(part, int) and part < len(data)


def variant_of(kind: Any, data: Any) -> Any:
    """Return the plain type that data of this kind is read as: of a union, the variant that the data chooses."""
    if not is_choice(kind):
        return bare_type(kind)
    chooser = next(mark for mark in marks_of(kind) if isinstance(mark, Discriminator)).discriminator
    word = chooser(data) if callable(chooser) else None
    for arm in get_args(bare_type(kind)):
        if any(isinstance(tag, Tag) and tag.tag == word for tag in marks_of(arm)):
            return bare_type(arm)
    return None


def is_choice(kind: Any) -> bool:
    """Return whether a type is a choice between sections."""
    return any(isinstance(mark, Discriminator) for mark in marks_of(kind))


def is_section(plain: Any) -> bool:
    """Return whether a bare type is a section."""
    return isinstance(plain, type) and issubclass(plain, Section)


def marks_of(kind: Any) -> tuple[Any, ...]:
    """Return the marks of `Annotated`, also of the one type that is left when None is taken out of a union."""
    if get_origin(kind) is typing.Annotated:
        return (*marks_of(get_args(kind)[0]), *kind.__metadata__)
    only = _without_none(kind)
    return () if only is kind else marks_of(only)


def bare_type(kind: Any) -> Any:
    """Return a type without marks and without `| None`."""
    while True:
        bare = get_args(kind)[0] if get_origin(kind) is typing.Annotated else _without_none(kind)
        if bare is kind:
            return kind
        kind = bare


def _without_none(kind: Any) -> Any:
    if get_origin(kind) not in (Union, types.UnionType):
        return kind
    rest = [arm for arm in get_args(kind) if arm is not type(None)]
    return rest[0] if len(rest) == 1 else kind
