"""HTML and SVG elements as text: names and attributes are ours, everything else is escaped."""

from __future__ import annotations

from html import escape

#: Elements without an end tag.
VOID = frozenset({"meta", "br"})


class Markup(str):
    """Text that is markup already, and is not escaped again."""

    __slots__ = ()


def element(_name: str, *children: str, **attributes: str | float | None) -> Markup:
    """Return an element.

    Args:
        _name: its name.
        children: what is in it: markup as it is, other text escaped.
        attributes: `class_` for `class`, `stroke_width` for `stroke-width`; None leaves one out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if _name in VOID:
        return Markup(f"<{_name}{written}>")
    return Markup(f"<{_name}{written}>{join(*children)}</{_name}>")


def join(*parts: str) -> Markup:
    """Return the parts one after another, text escaped."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def _text(value: str | float) -> str:
    # Two decimals are a hundredth of a pixel: the file stays small.
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
