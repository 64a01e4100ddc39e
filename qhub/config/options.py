"""What people choose when they start a server, besides the profile: an image and a size.

KubeSpawner calls these `profile_options`; the start page shows a list for each.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

from qhub.config.model import Expected, Path, Problem, Section
from qhub.config.names import KubernetesName, Text
from qhub.config.resources import Image
from qhub.config.sizes import Size

#: What the start page would read as HTML or as a template of the hub's; no image reference has any of it.
_NOT_IN_PATTERNS = ('"', "&", "{{", "{%", "{#")


def _pattern(text: str) -> str:
    for sign in _NOT_IN_PATTERNS:
        if sign in text:
            raise ValueError(f"{text} has a {sign}, which is in no image reference and which pages cannot show")
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f'"{text}" is no regular expression: {error}') from None
    return text


Pattern = Annotated[
    str,
    AfterValidator(_pattern),
    Field(min_length=1),
    Expected(r'a regular expression in single quotes, for example "quay\.io/jupyter/.+:.+"'),
]


class _Option(Section):
    """One line of a list on the start page."""

    name: KubernetesName = Field(description="Short name; keep it: links and saved choices use it.")
    display_name: Text | None = Field(default=None, description="What people read; null shows the name.")
    default: bool = Field(default=False, description="Chosen beforehand; where none is, the first one.")

    @property
    def title(self) -> str:
        """What people read."""
        return self.display_name or self.name


class ImageOption(_Option):
    """An image that people may choose."""

    image: Image = Field(description="The image; it needs what jupyterhub.image needs.")


class SizeOption(Size, _Option):
    """A size that people may choose."""


class OtherImage(Section):
    """An image that people name themselves, in a field of its own."""

    pattern: Pattern = Field(
        description="Regular expression that the whole `name:tag` has to match, and a person may type no other."
    )
    help: Text = Field(default="name:tag of an image", description="What people read above the field.")


_Any = TypeVar("_Any", bound=_Option)


def default_of(options: Sequence[_Any]) -> _Any:
    """Return the option that is chosen beforehand."""
    return next((one for one in options if one.default), options[0])


def options_differ(path: Path, options: Sequence[_Option]) -> Iterator[Problem]:
    """Yield a problem for each name that is there twice, and for a second default."""
    seen = Counter[str]()
    for place, one in enumerate(options):
        if seen[one.name]:
            yield Problem((*path, place, "name"), f'"{one.name}" is the name of an earlier one: each needs its own')
        seen[one.name] += 1
    marked = [place for place, one in enumerate(options) if one.default]
    for place in marked[1:]:
        message = f'"{options[marked[0]].name}" is the default already: at most one can be'
        yield Problem((*path, place, "default"), message)
