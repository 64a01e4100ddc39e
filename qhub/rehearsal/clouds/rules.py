"""Rules that every cloud has: ready-made checks for `ResourceType`. Each returns a `Check`.

| rule                               | where           | holds                                                  |
|------------------------------------|-----------------|--------------------------------------------------------|
| `matches(path, pattern, expected)` | `checks`        | the text has a form: characters and length of a name   |
| `one_of(path, words)`              | `checks`        | the text is one of the words; tells the nearest        |
| `between(path, low, high)`         | `checks`        | the number is in a range                               |
| `address_range(path, ...)`         | `checks`        | the text is an IPv4 range without host bits, of a size |
| `exactly_one_of(*paths)`           | `checks`        | one of several inputs is given, and no other           |
| `refers_to(path, token, ...)`      | `conditions`    | what an input names is in the cloud                    |
| `inside_range(path, token, ...)`   | `conditions`    | a range lies inside that of another resource           |
| `no_overlap(path, token, ...)`     | `conditions`    | a range overlaps none of its neighbours                |
| `not_used_by(token, path, ...)`    | `before_delete` | nothing in the cloud names this resource any more      |
| `not_protected(path)`              | `before_delete` | the cloud's own deletion protection is off             |
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence

from qhub.rehearsal.clouds.resource import Check
from qhub.rehearsal.clouds.subject import Subject
from qhub.rehearsal.clouds.world import Record
from qhub.rehearsal.plugins.errors import listing, nearest

Problems = Iterator[tuple[str, str]]


def matches(path: str, pattern: str, expected: str) -> Check:
    """Return a check that the texts at a path match a pattern as a whole. `expected` says what they must be."""
    compiled = re.compile(pattern)

    def check(subject: Subject) -> Problems:
        for place, value in subject.each(path):
            if isinstance(value, str) and not compiled.fullmatch(value):
                yield place, f"{value!r} must be {expected}"

    return check


def one_of(path: str, words: Iterable[str], what: str = "") -> Check:
    """Return a check that the texts at a path are among `words`; `what` says what the words are ("a region")."""
    known = tuple(words)

    def check(subject: Subject) -> Problems:
        for place, value in subject.each(path):
            if value not in known:
                hint = nearest(str(value), known)
                yield place, f"{value!r} is not {what or 'known'}.{hint} Known: {listing(known)}"

    return check


def between(path: str, low: float, high: float) -> Check:
    """Return a check that the numbers at a path are in a range, ends included."""

    def check(subject: Subject) -> Problems:
        for place, value in subject.each(path):
            if isinstance(value, int | float) and not low <= value <= high:
                yield place, f"{value} must be between {low:g} and {high:g}"

    return check


def parse_range(text: object) -> ipaddress.IPv4Network | None:
    """Return an IPv4 range, None where the text is none or has host bits."""
    try:
        return ipaddress.IPv4Network(str(text))
    except ValueError:
        return None


def address_range(path: str, *, largest: int = 8, smallest: int = 30, private: bool = False) -> Check:
    """Return a check that the texts at a path are IPv4 ranges of a size.

    Args:
        path: where.
        largest: shortest prefix that the cloud takes (a `/16` on AWS: 16).
        smallest: longest prefix.
        private: whether it must be a private range (RFC 1918).
    """
    homes = [ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]

    def check(subject: Subject) -> Problems:
        for place, value in subject.each(path):
            found = parse_range(value)
            if found is None:
                yield place, f"{value!r} is not an IPv4 range (a.b.c.d/n, no bits set after the prefix)"
            elif not largest <= found.prefixlen <= smallest:
                yield place, f"{value} must be between a /{largest} and a /{smallest}"
            elif private and not any(found.subnet_of(home) for home in homes):
                yield place, f"{value} must be a private range (10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16)"

    return check


def exactly_one_of(*paths: str) -> Check:
    """Return a check that exactly one of several inputs is given."""

    def check(subject: Subject) -> Problems:
        there = [path for path in paths if subject.given(path)]
        if len(there) != 1:
            yield there[1] if there else paths[0], f"exactly one of {', '.join(paths)} must be given, not {len(there)}"

    return check


def refers_to(path: str, token: str, by: str = "id") -> Check:
    """Return a condition that what each text at a path names is in the cloud.

    Args:
        path: where.
        token: type that is named.
        by: "id", or the output of that type that holds the word (`name`, `arn`).
    """

    def check(subject: Subject) -> Problems:
        kind = token.rsplit(":", 1)[-1]
        for place, value in subject.each(path):
            found = subject.find(token, value) if by == "id" else subject.one(token, **{by: value})
            if found is None:
                yield place, f"there is no {kind} whose {by} is {value!r} in the simulated cloud"

    return check


def inside_range(path: str, token: str, *, reference: str, of: Sequence[str]) -> Check:
    """Return a condition that a range lies inside one of the ranges of the resource that another input names.

    Args:
        path: the range.
        token: type of the other resource.
        reference: input that holds its id.
        of: paths of its ranges (`*` allowed).
    """

    def check(subject: Subject) -> Problems:
        other = subject.find(token, subject.get(reference))
        if other is None:
            return
        homes = [home for text in _texts(other, of) if (home := parse_range(text)) is not None]
        for place, value in subject.each(path):
            inner = parse_range(value)
            if inner is not None and homes and not any(inner.subnet_of(home) for home in homes):
                yield place, f"{value} is not inside {listing(map(str, homes))} of {_called(other)}"

    return check


def no_overlap(path: str, token: str, *, same: Sequence[str] = (), of: Sequence[str] = ()) -> Check:
    """Return a condition that a range overlaps no range of other resources of a type.

    Args:
        path: the range.
        token: type of the neighbours; often the own one.
        same: inputs that a neighbour shares (`vpcId`); without any, all of that type are neighbours.
        of: paths of the neighbours' ranges; `path` by default.
    """

    def check(subject: Subject) -> Problems:
        neighbours = subject.all(token, **{key: subject.get(key) for key in same})
        for place, value in subject.each(path):
            own = parse_range(value)
            for other in neighbours if own else ():
                for text in _texts(other, of or (path,)):
                    theirs = parse_range(text)
                    if own is not None and theirs is not None and own.overlaps(theirs):
                        yield place, f"{value} overlaps {text} of {_called(other)}"

    return check


def not_used_by(token: str, path: str, *, by: str = "id") -> Check:
    """Return a reason against deleting: resources of a type name this one at a path.

    Args:
        token: type that may use it.
        path: its input that names what it uses (`*` allowed).
        by: "id", or the output of this resource that holds the word.
    """

    def check(subject: Subject) -> Problems:
        own = subject.id if by == "id" else subject.state.get(by)
        for other in subject.all(token):
            if own is not None and own in _texts(other, (path,)):
                yield "", f"{_called(other)} still uses it ({path})"

    return check


def not_protected(path: str) -> Check:
    """Return a reason against deleting: the cloud's own deletion protection is on."""

    def check(subject: Subject) -> Problems:
        if subject.get(path) is True:
            yield path, "deletion protection is on: set it to false and run `pulumi up` before it can be deleted"

    return check


def _texts(record: Record, paths: Sequence[str]) -> list[object]:
    return [value for path in paths for value in record.each(path)]


def _called(record: Record) -> str:
    return f'{record.type.rsplit(":", 1)[-1]} "{record.name}"'
