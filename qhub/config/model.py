"""What every section of the settings shares: the closed base model, and two small marks on field types."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

Path = tuple[str | int, ...]

#: What a secret reads as outside the engine. It is no value: nothing outside the engine can decrypt one.
ENCRYPTED = "<encrypted: only the engine can read this value>"
#: One step of a key: `name`, `["name with a dot"]` or `[0]`.
_STEP = re.compile(r"""\.?(?:([^.\[\]"]+)|\["([^"]*)"\]|\[(\d+)\])""")


class Section(BaseModel):
    """A group of settings: closed (unknown keys are refused), frozen, and silent about its input in errors.

    Numbers and switches also accept their text form (`"600"`, `"true"`), because `pulumi config set` writes text.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,  # pydantic would otherwise print values, and a value may be a secret
        defer_build=True,  # only the root builds a validator: the others would each cost start-up time
        str_strip_whitespace=True,
    )


def nested(description: str, **default: object) -> Any:
    """Return the field of a nested section whose default is written as in a stack file.

    The default is validated with the root instead of being an instance made at import: that would build one validator
    per section, which is half of the time that importing the settings would take.
    """
    return Field(default=default, validate_default=True, description=description)


@dataclass(frozen=True)
class Expected:
    """Mark on a field's type: what a person should write there, in plain words.

    Attributes:
        text: completes "expected ..."; names the unit and shows an example where one helps.
    """

    text: str


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """Mark on a field's type, outermost: what it is set to cannot be changed once `pulumi up` has run.

    Attributes:
        text: what a change would do, or why it cannot be made.
        guard: section whose `protect` decides whether a change may be made; "" for never.
        grows: a size, which can become more.
        widens: an address range, which another one around it can follow.
        order: values that may follow each other in this order, never backwards.
        null_is_any: whether null leaves the choice to the cloud, so that writing what it chose changes nothing.
    """

    text: str
    guard: str = ""
    grows: bool = False
    widens: bool = False
    order: tuple[object, ...] = ()
    null_is_any: bool = False


#: What a change of the settings would do that the marked ones have in common.
NEW_CLUSTER = Fixed(text="the cluster would be deleted and made anew, with all that runs on it", guard="cluster")
MOVED_NODES = replace(NEW_CLUSTER, widens=True)
NEW_STORAGE = Fixed(text="everyone would find an empty home; the files would not come along", guard="storage")
GROWS = Fixed(text="storage can grow, never shrink", grows=True)


@dataclass(frozen=True)
class Problem:
    """One broken rule, before it is tied to a place in a file.

    Attributes:
        path: keys and list positions from the root of the settings.
        message: what is wrong and what to do, without the value of a secret.
        nearest: the valid word that comes closest to what was written, if any.
        reads: sections that the broken rule looks at.
    """

    path: tuple[str | int, ...]
    message: str
    nearest: str | None = None
    reads: tuple[str, ...] = ()


class RulesBroken(ValueError):
    """Settings whose parts are each right but do not fit together.

    Attributes:
        problems: every broken rule, in the order of the sections.
    """

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{dotted(problem.path)}: {problem.message}" for problem in problems))


def parse_key(text: str) -> Path:
    """Return the path of a key as a person writes it, `dotted` the other way round; unreadable text is one step."""
    steps = list(_STEP.finditer(text))
    if "".join(step[0] for step in steps) != text:
        return (text,)
    return tuple(int(step[3]) if step[3] is not None else step[1] or step[2] for step in steps)


def dotted(path: tuple[str | int, ...]) -> str:
    """Return a path as a person writes it: `("jupyterhub", "profiles", 0, "cpu")` is `jupyterhub.profiles[0].cpu`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            # A key that holds a dot (a label, an annotation) is written the way `pulumi config --path` wants it.
            text += f'["{part}"]' if "." in part else f".{part}" if text else part
    return text
