"""The timeline of `pulumi up` as a picture: a bar for each resource, the critical path in another colour."""

from __future__ import annotations

from collections.abc import Sequence

from qhub.rehearsal.report.critical_path import critical_path
from qhub.rehearsal.report.markup import Markup, element, join
from qhub.rehearsal.report.recording import Operation
from qhub.rehearsal.report.words import duration, plural, short_type

#: Pixels: of the picture, of the names at its left, of one row, of the axis above.
WIDTH, NAMES, ROW, AXIS = 1040, 300, 20, 26
#: Operations shorter than this share of the whole are counted, not drawn: their bars would be a hair.
SHORTEST = 0.004
#: The axis has about so many marks.
MARKS = 8
#: Distances between marks that people can count by, in seconds.
DISTANCES = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


def timeline(operations: Sequence[Operation]) -> Markup:
    """Return the picture; empty where nothing was done."""
    if not operations:
        return Markup("")
    begin, end = min(one.start for one in operations), max(one.end for one in operations)
    whole = max(end - begin, 0.001)
    critical = {one.urn for one in critical_path(operations)}
    drawn = [one for one in operations if one.urn in critical or one.seconds >= whole * SHORTEST]
    drawn.sort(key=lambda one: (one.start, one.end))
    height = AXIS + ROW * len(drawn) + 6

    def x(moment: float) -> float:
        return NAMES + (moment - begin) / whole * (WIDTH - NAMES - 70)

    rows = [_row(one, x=x(one.start), end=x(one.end), row=row, critical=one.urn in critical)
            for row, one in enumerate(drawn)]  # fmt: skip
    picture = element(
        "svg", _axis(whole, height, x(begin), x(end)), *rows,
        viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label="Timeline of the resources",
    )  # fmt: skip
    left_out = len(operations) - len(drawn)
    caption = (
        f"{plural(left_out, 'operation')} shorter than {duration(whole * SHORTEST)} not drawn. " if left_out else ""
    )
    told = element("p", f"{caption}Highlighted: the critical path.", class_="dim")
    return join(picture, told, _waits([one for one in drawn if one.urn in critical and one.waited_for]))


def _waits(operations: Sequence[Operation]) -> Markup:
    """Return what the members of the critical path waited for, as a list; empty where nothing is known."""
    if not operations:
        return Markup("")
    lines = (
        element("li", element("b", one.name), f", {duration(one.seconds)}: {one.waited_for}") for one in operations
    )
    return element("ul", *lines, class_="dim")


def _row(one: Operation, *, x: float, end: float, row: int, critical: bool) -> Markup:
    top = AXIS + row * ROW
    needs = ", ".join(urn.rpartition("::")[2] for urn in one.depends_on) or "nothing"
    told = f"{one.name} ({short_type(one.type)}): {duration(one.seconds)}, after {needs}"
    if one.waited_for:
        told += f"; waited for {one.waited_for}"
    return element(
        "g",
        element("title", told),
        element("text", _cut(one.name), x=NAMES - 8, y=top + 14, text_anchor="end", class_="hot" if critical else None),
        element("rect", x=x, y=top + 4, width=max(end - x, 1.5), height=ROW - 7, rx=3,
                class_="bar critical" if critical else "bar"),
        element("text", duration(one.seconds), x=max(end, x + 1.5) + 5, y=top + 14, class_="dim"),
    )  # fmt: skip


def _axis(whole: float, height: float, left: float, right: float) -> Markup:
    distance = next((one for one in DISTANCES if whole / one <= MARKS), whole / MARKS)
    marks = []
    for number in range(int(whole // distance) + 1):
        x = left + (right - left) * number * distance / whole
        marks.append(element("line", x1=x, x2=x, y1=AXIS - 6, y2=height, class_="grid"))
        marks.append(element("text", _mark(number * distance), x=x, y=AXIS - 12, text_anchor="middle", class_="dim"))
    return join(*marks)


def _mark(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds and seconds % 60 == 0 else f"{seconds:g} s"


def _cut(name: str) -> str:
    return name if len(name) <= 44 else f"{name[:20]}…{name[-23:]}"
