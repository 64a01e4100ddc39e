"""From values as written to `Settings`, or to everything that is wrong with them at once.

pydantic stops at the first layer: rules between values are not looked at while one value is wrong. So what is wrong is
taken out (a mistyped key is put right where it is clear what was meant), and the rules are applied to what is left,
except near a place that was touched: there, a rule could complain about the repair instead of about what was written.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from qhub.config.model import Problem, RulesBroken, dotted
from qhub.config.nearest import nearest
from qhub.config.quantities import seconds_in
from qhub.config.settings import SECTIONS, Settings
from qhub.config.shape import Path, Spot, choice_key, choices, is_choice, keys_of, spot, variants

#: Rounds of taking out what is wrong; a repair can uncover at most a few layers, as deep as the settings are.
_ROUNDS = 8
#: Stands in for a wrong `domain`, which has no default, while the other rules are looked at.
_SOME_DOMAIN = "localhost"
_UNKNOWN = "unknown key"
#: What others call one of our words.
OTHER_WORDS = {
    "x86_64": "amd64",
    "x64": "amd64",
    "aarch64": "arm64",
    "arm": "arm64",
    "eks": "aws",
    "amazon": "aws",
    "gke": "gcp",
    "google": "gcp",
    "do": "digitalocean",
    "doks": "digitalocean",
    "aks": "azure",
    "local": "existing",
}


@dataclass(frozen=True)
class Finding:
    """A mistake before it is tied to a file.

    Attributes:
        path: keys and list positions from the root of the settings.
        message: what is wrong.
        expected: what belongs there.
        nearest: the valid word that comes closest.
        known: all valid words.
        showable: whether what was written there may be shown.
        about_key: whether the key is wrong, and not its value.
        hint: ends the message.
    """

    path: Path
    message: str
    expected: str | None = None
    nearest: str | None = None
    known: tuple[str, ...] = ()
    showable: bool = False
    about_key: bool = False
    hint: str = ""


def judge(values: Mapping[str, Any], *, stack: str, root: FilePath) -> tuple[Settings | None, list[Finding]]:
    """Return the settings, or None and what is wrong with them.

    Args:
        values: the sections as written, secrets already as text.
        stack: name of the stack.
        root: folder of the project.
    """
    findings: list[Finding] = []
    touched: list[Path] = []
    data = deepcopy(dict(values))
    for turn in range(_ROUNDS):
        try:
            settings = Settings.model_validate({**data, "stack": stack, "root": root})
        except ValidationError as error:
            broken = _broken_rules(error)
            if broken is not None:
                return None, [*findings, *_far_from(touched, broken)]
            found = [_explain(details, data, stack=stack) for details in _details(error)]
            if turn == 0:
                findings.extend(_without_echoes(finding for _, finding in found))
            _repair(data, found, touched)
        else:
            return (None if findings else settings), findings
    return None, findings


def _without_echoes(findings: Iterable[Finding]) -> list[Finding]:
    """Leave out a required key that is missing only because it stands there mistyped."""
    every = list(findings)
    meant = {(*finding.path[:-1], finding.nearest) for finding in every if finding.message == _UNKNOWN}
    return [finding for finding in every if finding.path not in meant or not finding.message.startswith("is missing")]


def explain_unknown(path: Path, known: Iterable[str]) -> Finding:
    """Return the finding for a key that is not known."""
    words = tuple(known)
    return Finding(path, _UNKNOWN, nearest=nearest(str(path[-1]), words), known=words, about_key=True)


def secret_command(path: Path, *, stack: str) -> str:
    """Return the command that asks for a secret and writes it, encrypted, into the stack's file, for a shell."""
    return f"{set_secret(path)} --stack {shlex.quote(stack)}"


def set_secret(path: Path) -> str:
    """Return the command without the stack, which then is the one that is selected."""
    return f"pulumi config set --path --secret {shlex.quote(f'qhub:{dotted(path)}')}"


def _details(error: ValidationError) -> list[Any]:
    every = error.errors(include_url=False, include_input=False)
    # Two errors only follow from others, which are told: a default computed from another key is not computed when that
    # key is wrong, and a list counts only its right items.
    return [
        details
        for details in every
        if details["type"] != "default_factory_not_called"
        and not (details["type"] == "too_short" and any(_inside(other["loc"], details["loc"]) for other in every))
    ]


def _inside(loc: Path, around: Path) -> bool:
    return len(loc) > len(around) and loc[: len(around)] == around


def _broken_rules(error: ValidationError) -> tuple[Problem, ...] | None:
    for details in _details(error):
        broken = details.get("ctx", {}).get("error")
        if isinstance(broken, RulesBroken):
            return broken.problems
    return None


def _far_from(touched: list[Path], problems: Iterable[Problem]) -> Iterator[Finding]:
    for problem in problems:
        if not any(_may_be_due_to(path, problem) for path in touched):
            yield Finding(problem.path, problem.message, nearest=problem.nearest, showable=True)


def _may_be_due_to(touched: Path, problem: Problem) -> bool:
    """Whether a rule may complain because of a repair: it reads the section and looks around that place."""
    if touched[0] != problem.path[0]:
        return touched[0] in problem.reads
    around = touched[:-1] or touched
    shared = min(len(around), len(problem.path))
    return around[:shared] == problem.path[:shared]


def _explain(details: Any, data: Mapping[str, Any], *, stack: str) -> tuple[Spot, Finding]:
    """Put one of pydantic's errors into words."""
    loc, kind, context = details["loc"], details["type"], details.get("ctx", {})
    here = spot(loc, data, variants=True)
    path, showable = here.path, not here.secretive
    if kind == "extra_forbidden":
        return here, replace(explain_unknown(path, here.known), hint=_where_it_belongs(here))
    if kind == "missing":
        return here, Finding(path, f"is missing; {_how_to_add(here, stack)}")
    if kind == "value_error":
        return here, Finding(path, str(context.get("error", "")), showable=showable, about_key=here.is_key)
    if kind == "union_tag_invalid":
        words = choices(here.kind)
        path = (*path, choice_key(here.kind))
        return here, _not_possible(path, _at(data, path), words, showable=True)
    if kind == "literal_error":
        return here, _not_possible(path, _at(data, path), choices(here.kind), showable=showable)
    return here, _wrong_type(here, kind, context, _at(data, path))


def _wrong_type(here: Spot, kind: str, context: Mapping[str, Any], written: Any) -> Finding:
    if kind == "too_short":
        return Finding(here.path, "is an empty list; at least one is needed", expected=here.expected)
    found = _kind_found(written) if here.secretive else _found(written)
    message = "is not what belongs here" if here.secret else f"found {found}"
    message += _bound(kind, context, here.expected) + _in_seconds(written, here)
    return Finding(here.path, message, expected=here.expected, showable=not here.secretive, about_key=here.is_key)


def _not_possible(path: Path, written: Any, words: tuple[str, ...], *, showable: bool) -> Finding:
    if not isinstance(written, str) and str(written) in words:
        return Finding(path, f'found {written}, a number: put it in quotes, "{written}"', showable=showable)
    close = None
    if isinstance(written, str):
        other = OTHER_WORDS.get(written.lower())
        close = other if other in words else nearest(written, words)
    return Finding(path, f"{_found(written)} is not possible", nearest=close, known=words, showable=showable)


def _where_it_belongs(here: Spot) -> str:
    """Say with which variant a key is there, where it is not with the one that is chosen."""
    for name in SECTIONS:
        kind = Settings.model_fields[name].rebuild_annotation()
        arms = variants(kind) if is_choice(kind) else {}
        if here.owner in arms.values():
            with_it = [word for word, section in arms.items() if here.path[-1] in keys_of(section)]
            return f" here: it belongs to `{choice_key(kind)}: {' | '.join(with_it)}`" if with_it else ""
    return ""


def _how_to_add(here: Spot, stack: str) -> str:
    if here.secret:
        return f"run `{secret_command(here.path, stack=stack)}`"
    name = here.path[-1]
    if len(here.path) == 1:
        command = f"pulumi config set qhub:{name} hub.example.org --stack {stack}"
        return f"add a line such as `qhub:{name}: hub.example.org`, or run `{command}`"
    field = here.owner.model_fields.get(str(name)) if here.owner else None
    meaning = f" ({field.description.rstrip('.')})" if field and field.description else ""
    return f"add a line such as `{name}: ...` with {here.expected}{meaning}"


def _bound(kind: str, context: Mapping[str, Any], expected: str) -> str:
    bounds = {
        "greater_than_equal": ("ge", "must be at least"),
        "greater_than": ("gt", "must be more than"),
        "less_than_equal": ("le", "must be at most"),
        "less_than": ("lt", "must be less than"),
    }
    if kind not in bounds:
        return ""
    name, words = bounds[kind]
    return "" if f"{context[name]:g}" in expected else f", which {words} {context[name]:g}"


def _in_seconds(value: Any, here: Spot) -> str:
    seconds = seconds_in(value) if isinstance(value, str) and not here.secret and "seconds" in here.expected else None
    return "" if seconds is None else f": write {seconds}"


def _kind_found(value: Any) -> str:
    """Name what sort of value stands where a secret may be in it."""
    if isinstance(value, str):
        return "text"
    return "a number" if isinstance(value, int | float) and not isinstance(value, bool) else _found(value)


def _found(value: Any) -> str:
    """Name a value that is known not to be a secret."""
    if isinstance(value, Mapping):
        return "a section"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 60 else f'"{value[:57]}..."'
    if value is None or isinstance(value, bool | int | float):
        return "nothing" if value is None else str(value).lower()
    return f"a date ({value}): put it in quotes"


def _at(data: Any, path: Path) -> Any:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _repair(data: dict[str, Any], spots: list[tuple[Spot, Finding]], touched: list[Path]) -> None:
    """Take out what is wrong, or put a mistyped key right; note where, unless a rule cannot notice."""
    for here, finding in spots:
        parent = _at(data, here.path[:-1])
        if finding.message != _UNKNOWN or not isinstance(parent, dict):
            continue
        value = parent.pop(here.path[-1], None)
        if finding.nearest is None or finding.nearest in parent:
            touched.append(here.path)
        else:
            parent[finding.nearest] = value
    for here, finding in spots:
        if finding.message != _UNKNOWN:
            _take_out(data, here.path, touched)


def _take_out(data: dict[str, Any], path: Path, touched: list[Path]) -> None:
    """Remove the smallest part around a place without which the settings are still complete."""
    for length in range(len(path), 0, -1):
        here = spot(path[:length], data)
        parent = _at(data, path[: length - 1])
        if here.removable and isinstance(parent, dict):
            parent.pop(path[length - 1], None)
            touched.append(path[:length])
            return
    touched.append(path[:1])
    data[str(path[0])] = _SOME_DOMAIN
