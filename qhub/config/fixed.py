"""What cannot be changed once a stack is up, and how a change to it is told before anything is touched.

The program leaves a record of these settings in the stack's outputs (`FIXED_OUTPUT`). Its next run asks the engine for
the outputs of the last one before it registers the first resource, so that `pulumi preview` and `pulumi up` tell a
change as a mistake in the settings, with its line. Without the engine, `qhub validate --outputs FILE` takes the same
record from `pulumi stack output --json`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from qhub.config.model import Fixed, Path, Problem, Section, dotted, parse_key
from qhub.config.networks import is_within
from qhub.config.quantities import parse_size
from qhub.config.settings import Settings

#: Output of the stack that holds the record.
FIXED_OUTPUT = "fixed_settings"
#: Stands in the record for null, which the engine leaves out of what it hands back.
NOTHING = ""
#: What chooses between kinds of a section: where it changes, the other keys of the section are other settings.
_KINDS = {"cluster": "cluster.provider", "storage": "storage.kind"}


def fixed_settings(settings: Settings) -> dict[str, Any]:
    """Return the record: key -> value of every setting that cannot be changed, and the `protect` of what guards them.

    No secret is ever fixed, so that the record holds none.
    """
    record = {dotted(path): NOTHING if value is None else value for path, value, _ in _fixed(settings, ())}
    for section in _KINDS:
        protect = getattr(getattr(settings, section), "protect", None)
        record |= {} if protect is None else {f"{section}.protect": protect}
    return record


def forbidden_changes(before: Mapping[str, Any], settings: Settings) -> list[Problem]:
    """Return the changes that cannot be made, or must not be while what they would destroy is protected.

    Args:
        before: the record of the last `pulumi up`; empty where there was none.
        settings: the settings now.
    """
    return [Problem(one.path, one.told()) for one in _changes(before, settings) if one.protected]


def costly_changes(before: Mapping[str, Any], settings: Settings) -> list[Problem]:
    """Return the changes that destroy something which is not protected: allowed, but worth a thought."""
    return [Problem(one.path, one.told()) for one in _changes(before, settings) if not one.protected]


def last_fixed(*, stack: str, project: str) -> Mapping[str, Any]:
    """Return the record of the stack's last run, as the engine has it; empty where there is none.

    A backend that does not hand it out costs the check, not the run: that is said, and the engine's own preview still
    shows a replacement.
    """
    import pulumi
    from pulumi.runtime import invoke
    from pulumi.runtime.settings import get_monitor

    if get_monitor() is None:
        return {}  # outside the engine, as in a test
    name = f"{pulumi.get_organization()}/{project}/{stack}"
    try:
        answer = invoke("pulumi:pulumi:readStackOutputs", {"name": name})
    except Exception as error:  # the engine's errors have no type of their own
        pulumi.log.warn(
            "settings that cannot be changed were not compared with those of the last run, whose outputs could not be "
            f"read: {error}"
        )
        return {}
    outputs = (answer.value if hasattr(answer, "value") else answer) or {}
    return record_in(outputs.get("outputs") or {})


def record_in(outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the record in a stack's outputs; empty where there is none."""
    record = outputs.get(FIXED_OUTPUT)
    return record if isinstance(record, Mapping) else {}


@dataclass(frozen=True, kw_only=True)
class _Change:
    """One setting that is not what it was.

    Attributes:
        path: keys from the root of the settings.
        old, new: its values.
        mark: what the models say about changing it.
        protected: whether it must not be.
        unreadable: whether the record has something there that no `pulumi up` can have left.
    """

    path: Path
    old: Any
    new: Any
    mark: Fixed
    protected: bool
    unreadable: bool = False

    def told(self) -> str:
        """Return what is to be said about it."""
        old, new = _word(self.old), _word(self.new)
        if self.unreadable:
            what = "size" if self.mark.grows else "address range"
            return (
                f'is "{old}" in the outputs of the last `pulumi up`, which is no {what}: take them anew from the stack'
            )
        if self.mark.grows or self.mark.order:
            return f"{new} after {old}: {self.mark.text}; write {old}{' or more' if self.mark.grows else ''}"
        if not self.protected:
            return f"was {old} at the last `pulumi up` and is {new} now: {self.mark.text}"
        way = (
            f"To start anew on purpose, write `protect: false` in {self.mark.guard}, run `pulumi up`, then change this"
        )
        kept = f"{old}, or a range around it" if self.mark.widens else old
        return f"was {old} at the last `pulumi up` and cannot become {new}: {self.mark.text}. Write {kept}. {way}"


def _changes(before: Mapping[str, Any], settings: Settings) -> Iterator[_Change]:
    other = {
        section for section, key in _KINDS.items() if before.get(key, _kind(settings, key)) != _kind(settings, key)
    }
    for path, new, mark in _fixed(settings, ()):
        key = dotted(path)
        if key not in before or (path[0] in other and key not in _KINDS.values()):
            continue
        old = None if before[key] == NOTHING else before[key]
        read = parse_size if mark.grows else ip_network if mark.widens else None
        if read is not None and not _reads(old, read):
            yield _Change(path=path, old=old, new=new, mark=mark, protected=True, unreadable=True)
            continue
        if _may_follow(old, new, mark):
            continue
        protected = not mark.guard or bool(before.get(f"{mark.guard}.protect"))
        yield _Change(path=path, old=old, new=new, mark=mark, protected=protected)


def _kind(settings: Settings, key: str) -> Any:
    section, name = parse_key(key)
    return getattr(getattr(settings, str(section)), str(name))


def _may_follow(old: Any, new: Any, mark: Fixed) -> bool:
    if old == new or (mark.null_is_any and (old is None or new is None)):
        return True
    if mark.grows:
        return parse_size(str(new)) >= parse_size(str(old))
    if mark.widens:
        return is_within(str(old), str(new))
    return old in mark.order and new in mark.order and mark.order.index(new) >= mark.order.index(old)


def _reads(value: Any, read: Callable[[str], object]) -> bool:
    try:
        read(str(value))
    except ValueError:
        return False
    return True


def _fixed(section: Section, path: Path) -> Iterator[tuple[Path, Any, Fixed]]:
    for name, field in type(section).model_fields.items():
        value, here = getattr(section, name), (*path, name)
        if isinstance(value, Section):
            yield from _fixed(value, here)
        for mark in field.metadata:
            if isinstance(mark, Fixed):
                yield here, value, mark


def _word(value: Any) -> str:
    return "nothing" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
