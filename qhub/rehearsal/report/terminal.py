"""The report at the end, for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from qhub.rehearsal.report.costs import LEFT_OUT, monthly_costs
from qhub.rehearsal.report.critical_path import critical_path
from qhub.rehearsal.report.recording import ROLES, Failure, Picture, Rehearsal
from qhub.rehearsal.report.words import duration, kind, place, plural, short_type, usd

#: Members of the critical path that are listed: the longest; the rest hardly count.
LONGEST = 8
#: Share of the chain below which a member is not listed.
SHORTEST = 0.005


def show(rehearsal: Rehearsal, *, console: Console) -> None:
    """Print the report."""
    for part in _parts(rehearsal):
        console.print(part)


def _parts(rehearsal: Rehearsal) -> Iterator[RenderableType]:
    yield Text()
    yield _headline(rehearsal)
    yield _titled("Steps", _steps(rehearsal))
    yield _titled("Nodes and pods", _places(rehearsal)) if rehearsal.pictures else Text()
    path = critical_path([one for one in rehearsal.operations if one.step == "up"])
    if path:
        yield _titled("What `pulumi up` waited for", _critical(rehearsal))
    if rehearsal.pictures:
        yield _titled("Cost per month", _costs(rehearsal))
    if rehearsal.notes:
        yield _titled("Worth knowing", _lines(rehearsal.notes))
    yield _titled("Simulated", _lines(rehearsal.simulated))
    for failure in rehearsal.failures:
        yield _failure(failure)


def _headline(rehearsal: Rehearsal) -> RenderableType:
    word, style = ("passed", "bold green") if rehearsal.passed else ("did not pass", "bold red")
    line = Text.assemble(("Rehearsal of ", "bold"), (rehearsal.stack, "bold cyan"), (f" ({place(rehearsal)}) ", "bold"))
    line.append(word, style)
    peak, idle = rehearsal.picture("peak"), rehearsal.picture("idle")
    facts = [plural(sum(rehearsal.resources.values()), "resource")]
    if idle:
        facts.append(f"{plural(len(idle.nodes), 'node')} idle")
    if peak:
        facts += [f"{plural(len(peak.nodes), 'node')} at peak", plural(len(peak.pods), "pod")]
    facts.append(f"{duration(rehearsal.seconds)} simulated" if rehearsal.speed != 1 else "in real time")
    facts.append(f"{duration(rehearsal.wall_seconds)} here")
    return Group(line, Text(" · ".join(facts), style="dim"))


def _titled(title: str, part: RenderableType) -> RenderableType:
    return Group(Text(f"\n{title}", style="bold"), Padding(part, (0, 0, 0, 2)))


def _steps(rehearsal: Rehearsal) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(ratio=1)
    for step in rehearsal.steps:
        mark = Text("✓", style="green") if step.passed else Text("✗", style="bold red")
        table.add_row(mark, step.title, duration(step.seconds), Text(step.told, style="dim"))
    return table


def _places(rehearsal: Rehearsal) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in (
        "pool",
        "node",
        "idle",
        "peak",
        "after",
        "platform",
        "users",
        "schedulers",
        "workers",
        "CPU reserved",
    ):
        numeric = heading not in ("pool", "node")
        width = 12 if heading == "node" else None
        table.add_column(heading, justify="right" if numeric else "left", no_wrap=numeric, min_width=width)
    pictures = {picture.moment: picture for picture in rehearsal.pictures}
    fullest = pictures.get("peak") or pictures["idle"]
    for pool in _pools(rehearsal):
        nodes = [node for picture in pictures.values() for node in picture.nodes if node.pool == pool]
        names = {node.name for node in fullest.nodes if node.pool == pool}
        pods = [pod for pod in fullest.pods if pod.node in names]
        roles = Counter(pod.role for pod in pods)
        room = sum(node.cpu for node in fullest.nodes if node.pool == pool)
        share = f"{sum(pod.cpu for pod in pods) / room:.0%}" if room else "-"
        counts = [_count(pictures.get(moment), pool) for moment in ("idle", "peak", "after")]
        table.add_row(pool or "-", kind(nodes[0]), *counts, *(str(roles[role] or "-") for role in ROLES), share)
    nowhere = [pod for pod in fullest.pods if not pod.node]
    if not nowhere:
        return table
    return Group(table, Text(f"{plural(len(nowhere), 'pod')} on no node", style="yellow"))


def _pools(rehearsal: Rehearsal) -> list[str]:
    return sorted({node.pool for picture in rehearsal.pictures for node in picture.nodes})


def _count(picture: Picture | None, pool: str) -> str:
    return "-" if picture is None else str(sum(node.pool == pool for node in picture.nodes))


def _critical(rehearsal: Rehearsal) -> RenderableType:
    path = critical_path([one for one in rehearsal.operations if one.step == "up"])
    total = sum(one.seconds for one in path)
    listed = {one.urn for one in sorted(path, key=lambda one: -one.seconds)[:LONGEST]}
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(style="dim", ratio=1)
    waits: list[RenderableType] = []
    for one in path:
        if one.urn in listed and one.seconds >= total * SHORTEST:
            bar = "█" * max(1, round(24 * one.seconds / total)) if total else ""
            table.add_row(duration(one.seconds), Text(bar, style="yellow"), one.name, short_type(one.type))
            if one.waited_for:
                waits.append(Text(f"{one.name}: {one.waited_for}", style="dim"))
    every = sum(one.seconds for one in rehearsal.operations if one.step == "up")
    line = f"The chain takes {duration(total)}; all operations one after another would take {duration(every)}"
    return Group(table, *waits, Text(line, style="dim"))


def _costs(rehearsal: Rehearsal) -> RenderableType:
    costs = monthly_costs(rehearsal)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    most = max((cost.usd or 0.0 for cost in costs), default=0.0)
    for cost in costs:
        bar = "█" * max(1, round(40 * cost.usd / most)) if cost.usd and most else ""
        pools = ", ".join(f"{pool or 'no pool'} {usd(amount)}" for pool, amount in sorted(cost.by_pool.items()))
        table.add_row(cost.moment, Text(usd(cost.usd), style="bold"), Text(bar, style="cyan"), Text(pools, style="dim"))
    if all(cost.usd is None for cost in costs):
        return Text("Not known: these nodes have no price", style="dim")
    return Group(table, Text(LEFT_OUT, style="dim"))


def _lines(lines: tuple[str, ...]) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_header=False)
    for line in lines:
        table.add_row(Text("·", style="dim"), Text(line, style="dim"))
    return table


def _failure(failure: Failure) -> RenderableType:
    parts: list[RenderableType] = [Text(failure.message)]
    if failure.key:
        hint = f"  ({escape(failure.hint)})" if failure.hint else ""
        parts.append(Text.from_markup(f"\nChange [bold cyan]{escape(failure.key)}[/]{hint}"))
    return Panel(Group(*parts), title=Text(failure.what, style="bold"), title_align="left", border_style="red")
