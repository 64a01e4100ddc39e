"""A stack file looked at without the engine, as `qhub validate` does: mistakes and warnings, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from qhub.config.advice import SettingsWarning
from qhub.config.fixed import costly_changes
from qhub.config.load import Read, read_settings_file
from qhub.config.mistakes import Mistake
from qhub.config.model import dotted, parse_key
from qhub.config.refresh import unrefreshed
from qhub.config.settings import Settings
from qhub.config.sources import PROJECT_FILE, Sources
from qhub.config.unread import with_own_names


@dataclass(frozen=True, kw_only=True)
class Check:
    """What a look at one stack file found.

    Attributes:
        file: the file, as it was named.
        stack: name of the stack.
        root: folder of the project, from which places in mistakes and warnings start.
        settings: the settings; None where there are mistakes.
        mistakes: everything that is wrong, by line.
        warnings: what is allowed but worth a thought; none is looked for while there are mistakes.
    """

    file: Path
    stack: str
    root: Path
    settings: Settings | None
    mistakes: tuple[Mistake, ...]
    warnings: tuple[SettingsWarning, ...]

    @property
    def valid(self) -> bool:
        """Whether the settings can be used."""
        return self.settings is not None


def check_settings_file(
    path: str | Path, *, stack: str | None = None, root: Path | None = None, before: Mapping[str, Any] | None = None
) -> Check:
    """Look at a stack file; never raise for anything that stands in it.

    Args:
        path: the file, `Pulumi.<stack>.yaml`.
        stack: name of the stack; None takes it from the file's name.
        root: folder of the project; None takes the one around the file.
        before: what could not be changed at the last `pulumi up` (`qhub.config.fixed`); None where it is not known.
    """
    read = read_settings_file(path, stack=stack, root=root, before=before)
    return Check(
        file=Path(path),
        stack=read.stack,
        root=read.root,
        settings=read.settings,
        mistakes=read.mistakes,
        warnings=_warnings(read, before or {}),
    )


def _warnings(read: Read, before: Mapping[str, Any]) -> tuple[SettingsWarning, ...]:
    if read.settings is None:
        return ()
    changes = (SettingsWarning(dotted(one.path), one.message) for one in costly_changes(before, read.settings))
    project = read.sources.documents[0].data if read.sources else {}
    stale = unrefreshed(read.settings, project, file=PROJECT_FILE)
    warnings = (*changes, *read.settings.warnings(), *((stale,) if stale else ()))
    placed = (_placed(warning, read) for warning in warnings)
    return (*placed, *(_unread(read.sources) if read.sources else ()))


def _unread(sources: Sources) -> Iterator[SettingsWarning]:
    """Yield what of the files nothing reads, although it may be there on purpose."""
    for document, one in sources.unread:
        if one.harmless:
            flaw = one.flaw(document)
            name = sources.name(document)
            yield SettingsWarning(dotted(flaw.path), flaw.message, file=name, line=flaw.line, column=flaw.column)


def _placed(warning: SettingsWarning, read: Read) -> SettingsWarning:
    """Return a warning with the place of its key, or of what is around it; a default may stand in no file."""
    if read.sources is None:
        return warning
    warning = replace(warning, message=with_own_names(warning.message, project=read.sources.project))
    found = read.sources.find(parse_key(warning.key))
    if found is None:
        return replace(warning, file=read.sources.file)
    file, mark, exact = found
    by_value = exact and mark.text is not None
    line, column = (mark.value_line, mark.value_column) if by_value else (mark.line, mark.column)
    return replace(warning, file=file, line=line, column=column)
