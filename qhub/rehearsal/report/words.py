"""Numbers as people read them."""

from __future__ import annotations

from qhub.rehearsal.report.recording import Node, Rehearsal

GIB = 1024**3


def duration(seconds: float) -> str:
    """Return a duration: `40 ms`, `0.4 s`, `12 s`, `3 min 05 s`, `1 h 02 min`."""
    if 0 < seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def usd(amount: float | None) -> str:
    """Return an amount of money per month; what is not known is told as such."""
    return "not known" if amount is None else f"${amount:,.0f}"


def size(amount: float) -> str:
    """Return an amount of memory in GiB."""
    return f"{amount / GIB:.1f} GiB"


def plural(count: int, word: str) -> str:
    """Return `1 node`, `2 nodes`."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def place(rehearsal: Rehearsal) -> str:
    """Return where the stack's cluster is."""
    if rehearsal.provider == "existing":
        return "on an existing cluster"
    return f"{rehearsal.provider}, {rehearsal.region}" if rehearsal.region else rehearsal.provider


def kind(node: Node) -> str:
    """Return what a node is, in a few words."""
    parts = [node.instance_type, f"{node.cpu:g} CPU", size(node.memory)]
    if node.gpus:
        parts.append(plural(node.gpus, "GPU"))
    return ", ".join(part for part in parts if part)


def short_type(token: str) -> str:
    """Return a type token without what repeats itself: `aws:ec2/vpc:Vpc` is `aws Vpc`."""
    return f"{token.partition(':')[0]} {token.rpartition(':')[2]}"
