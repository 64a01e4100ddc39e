"""The report as one HTML page with pictures. It loads nothing: it can be mailed, archived, printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from qhub.rehearsal.report.costs import LEFT_OUT, Cost, monthly_costs
from qhub.rehearsal.report.markup import Markup, element, join
from qhub.rehearsal.report.placement import placement
from qhub.rehearsal.report.recording import Failure, Rehearsal
from qhub.rehearsal.report.timeline import timeline
from qhub.rehearsal.report.words import duration, place, plural, short_type, usd

STYLE = Path(__file__).with_name("page.css")

#: Pixels of the cost picture: its width, the words at its left, one bar.
WIDTH, NAMES, ROW = 1040, 90, 34

MOMENTS = {
    "idle": "Nobody is signed in",
    "peak": "One server per profile, one Dask cluster per worker profile",
    "after": "Everybody has left",
}


def html_page(rehearsal: Rehearsal) -> str:
    """Return the page."""
    title = f"Rehearsal of {rehearsal.stack}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(STYLE.read_text(encoding="utf-8"))),
    )
    body = element("body", element("main", *_parts(rehearsal)))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _parts(rehearsal: Rehearsal) -> Iterator[Markup]:
    yield _headline(rehearsal)
    yield from (_failure(one) for one in rehearsal.failures)
    yield _section("Steps", _steps(rehearsal))
    made = [one for one in rehearsal.operations if one.step == "up"]
    if made:
        yield _section("What pulumi up waited for", timeline(made))
    for picture in rehearsal.pictures:
        yield _section(f"Pods on nodes: {picture.moment}", element("p", MOMENTS[picture.moment]), placement(picture))
    costs = monthly_costs(rehearsal)
    if costs:
        yield _section("Cost per month", _costs(costs))
    if rehearsal.notes:
        yield _section("Worth knowing", _list(rehearsal.notes))
    yield _section("Simulated", _list(rehearsal.simulated))
    if rehearsal.resources:
        yield _section("Resources", _resources(rehearsal))
    removed = [one for one in rehearsal.operations if one.step == "destroy"]
    if removed:
        yield _section("What pulumi destroy waited for", timeline(removed))


def _headline(rehearsal: Rehearsal) -> Markup:
    word = "passed" if rehearsal.passed else "did not pass"
    badge = element("span", word, class_=f"badge {'good' if rehearsal.passed else 'bad'}")
    about = f"{place(rehearsal)} · {rehearsal.file} · {rehearsal.started}"
    peak, idle = rehearsal.picture("peak"), rehearsal.picture("idle")
    tiles = [("resources", str(sum(rehearsal.resources.values())))]
    if idle:
        tiles.append(("nodes idle", str(len(idle.nodes))))
    if peak:
        tiles += [("nodes at peak", str(len(peak.nodes))), ("pods at peak", str(len(peak.pods)))]
    tiles += [(f"per month, {cost.moment}", usd(cost.usd)) for cost in monthly_costs(rehearsal) if cost.usd is not None]
    up = next((step for step in rehearsal.steps if step.name == "up"), None)
    if up:
        tiles.append(("until ready", duration(up.seconds)))
    tiles.append(("took here", duration(rehearsal.wall_seconds)))
    boxes = [element("div", element("b", value), element("span", name), class_="tile") for name, value in tiles]
    return join(
        element("h1", f"Rehearsal of {rehearsal.stack} ", badge),
        element("p", about, class_="dim"),
        element("div", *boxes, class_="tiles"),
    )


def _failure(failure: Failure) -> Markup:
    parts = [element("h3", failure.what), element("pre", failure.message)]
    if failure.key:
        hint = f" ({failure.hint})" if failure.hint else ""
        parts.append(element("p", "Change ", element("code", failure.key), hint))
    return element("section", *parts, class_="failure")


def _section(title: str, *parts: str) -> Markup:
    return element("section", element("h2", title), *parts)


def _steps(rehearsal: Rehearsal) -> Markup:
    rows = [
        (
            element("td", "✓" if step.passed else "✗", class_="good" if step.passed else "bad"),
            element("td", step.title),
            element("td", duration(step.seconds), class_="number"),
            element("td", duration(step.wall_seconds), class_="number dim"),
            element("td", step.told, class_="dim"),
        )
        for step in rehearsal.steps
    ]
    return _table(("", "step", "simulated", "here", "what was seen"), rows)


def _resources(rehearsal: Rehearsal) -> Markup:
    rows = [
        (element("td", short_type(token)), element("td", str(count), class_="number"))
        for token, count in sorted(rehearsal.resources.items(), key=lambda item: (-item[1], item[0]))
    ]
    return _table(("type", "number"), rows)


def _table(headings: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Markup:
    head = element("tr", *(element("th", heading) for heading in headings))
    body = [element("tr", *cells) for cells in rows]
    return element("table", element("thead", head), element("tbody", *body))


def _list(lines: Iterable[str]) -> Markup:
    return element("ul", *(element("li", line) for line in lines))


def _costs(costs: tuple[Cost, ...]) -> Markup:
    if all(cost.usd is None for cost in costs):
        return element("p", "Not known: these nodes have no price.", class_="dim")
    most = max(cost.usd or 0.0 for cost in costs) or 1.0
    order = sorted({pool for cost in costs for pool in cost.by_pool})  # a pool has one colour in all bars
    parts: list[Markup] = []
    for row, cost in enumerate(costs):
        top, x = row * ROW, float(NAMES)
        parts.append(element("text", cost.moment, x=NAMES - 8, y=top + 20, text_anchor="end"))
        for pool, amount in sorted(cost.by_pool.items()):
            width = (WIDTH - NAMES - 120) * amount / most
            told = element("title", f"{pool or 'no pool'}: {plural(cost.nodes[pool], 'node')}, {usd(amount)}")
            bar = element("rect", x=x, y=top + 5, width=width, height=ROW - 12, class_=f"shade{order.index(pool) % 4}")
            name = (
                element("text", pool, x=x + 6, y=top + 20, class_="inside")
                if width > 7 * len(pool) + 12
                else Markup("")
            )
            parts.append(element("g", told, bar, name))
            x += width
        parts.append(element("text", usd(cost.usd), x=x + 8, y=top + 20, class_="pool"))
    picture = element("svg", *parts, viewBox=f"0 0 {WIDTH} {ROW * len(costs)}", role="img", aria_label="Cost per month")
    return join(picture, element("p", f"{LEFT_OUT[0].upper()}{LEFT_OUT[1:]}.", class_="dim"))
