"""How the hub's pages look: name, welcome, logo, colours."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from qhub.config.model import Expected, Section

#: Kinds of picture that JupyterHub serves under their own type and every browser shows.
LOGO_SUFFIXES = (".svg", ".png", ".jpg", ".jpeg", ".gif")
#: The logo is in a Secret, in the hub's values and in Helm's record of the release; each may have 1 MiB, and the record
#: has the logo three times over, in base64 of base64.
MOST_LOGO_BYTES = 100 * 1024

_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")


def _color(text: str) -> str:
    if not _COLOR.fullmatch(text):
        raise ValueError(f'"{text}" is no colour: write # and six hexadecimal digits in quotes, for example "#1f6feb"')
    return text.lower()


def _logo(text: str) -> str:
    if "://" in text and not text.startswith("https://"):
        raise ValueError(f'"{text}" is no logo: write the path of a file, or an address that starts with https://')
    if not is_address(text) and not text.lower().endswith(LOGO_SUFFIXES):
        raise ValueError(f'"{text}" is no picture that browsers show: {", ".join(LOGO_SUFFIXES)}')
    return text


Color = Annotated[
    str, AfterValidator(_color), Expected('a colour as # and six digits in quotes, for example "#1f6feb"')
]
Logo = Annotated[
    str,
    Field(min_length=1),
    AfterValidator(_logo),
    Expected("the path of a picture (svg, png, jpg, gif), or its address with https://"),
]
Title = Annotated[str, Field(min_length=1, max_length=60), Expected("text, at most 60 characters")]
Welcome = Annotated[str, Field(min_length=1, max_length=2000), Expected("text, at most 2000 characters")]


class Theme(Section):
    """How the hub's pages look. What is left out is JupyterHub's own."""

    title: Title | None = Field(default=None, description="Name of the hub: beside the logo and in the browser's tab.")
    welcome: Welcome | None = Field(
        default=None,
        description="Plain text above the sign-in form and on the home page; new lines are kept, and HTML is shown as "
        "it stands.",
    )
    logo: Logo | None = Field(
        default=None,
        description="Picture in the bar at the top: a file of at most 100 KiB, relative to the project folder, or an "
        "address from which each browser loads it.",
    )
    primary_color: Color | None = Field(
        default=None, description="Colour of buttons and of the sign-in form's head; their text is black or white."
    )
    bar_color: Color | None = Field(
        default=None,
        description="Colour of the bar at the top; its text is black or white, whichever is easier to read.",
    )

    @property
    def changes_something(self) -> bool:
        """Whether anything is not JupyterHub's own."""
        return any(value is not None for _, value in self)


def is_address(logo: str) -> bool:
    """Return whether a logo is an address and no file."""
    return "://" in logo


def logo_problem(logo: str, file: Path) -> str | None:
    """Return what is wrong with the file of a logo; None for nothing.

    Args:
        logo: as the settings have it.
        file: where that is.
    """
    # `os.path` calls absent what cannot be looked at: a name that is too long, a folder that is closed.
    if not os.path.isfile(file):  # noqa: PTH113
        return f'there is no file "{logo}"; relative paths start at the folder of Pulumi.yaml'
    size = file.stat().st_size
    if size > MOST_LOGO_BYTES:
        return f"{logo} has {-(-size // 1024)} KiB, and a logo may have {MOST_LOGO_BYTES // 1024}: make it smaller"
    return None
