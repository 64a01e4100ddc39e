"""Reading the settings: from the engine inside the program, from the stack's file outside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from qhub.config.base import find_base, lay_over_all, misplaced, settings_in
from qhub.config.document import Document, Flaw, read_document
from qhub.config.engine import engine_texts, engine_values
from qhub.config.files import missing_files
from qhub.config.fixed import costly_changes, forbidden_changes, last_fixed
from qhub.config.judge import Finding, explain_unknown, judge
from qhub.config.mistakes import Mistake, SettingsError, by_place
from qhub.config.model import dotted
from qhub.config.refresh import unrefreshed
from qhub.config.sealed import (
    OF_CHARTS,
    SOMEWHERE_IN_VALUES,
    encrypted_for_nothing,
    has_no_secret,
    misplaced_secrets,
    plain_secrets,
    without_secrets,
)
from qhub.config.settings import SECTIONS, Settings
from qhub.config.shape import Path, spot
from qhub.config.sources import PROJECT_FILE, Sources, project_root, read_sources, stack_file, stack_of
from qhub.config.unread import in_other_namespaces, unread, with_own_names
from qhub.config.versions import KEY as VERSION
from qhub.config.versions import wrong_version


def load_stack_settings() -> Settings:
    """Return the settings of the stack that the running Pulumi program belongs to.

    Returns:
        The settings, checked; secrets decrypted, in `pydantic.SecretStr`.

    Raises:
        SettingsError: the settings cannot be used. The error is a `pulumi.RunError` as well, so that the engine shows
            its text without a traceback. Lines are told where the value in force is the one in the stack's file.
    """
    import pulumi

    class StackSettingsError(SettingsError, pulumi.RunError):
        """The settings cannot be used; shown by the engine as it is."""

    stack, project = pulumi.get_stack(), pulumi.get_project()
    root = FilePath(pulumi.get_root_directory() or project_root(FilePath.cwd()))
    values, sealed = engine_values(project)
    base, at_base = find_base(values, root=root)
    findings = [
        finding
        for name, value in values.items()
        for finding in plain_secrets(name, value, stack=stack)
        if name not in sealed
    ]
    if at_base:
        raise StackSettingsError(_located(at_base, _trusted_sources(root, stack, values)), stack=stack)
    if base is not None:
        shared = settings_in(base, project=project)
        findings += [*misplaced(shared, file=base.file.name), *_flaws_of_base(base, project=project)]
        values = lay_over_all(shared, values)
    before = last_fixed(stack=stack, project=project)
    settings, rest = _examine(values, stack=stack, root=root, before=before)
    findings += rest
    sources = _trusted_sources(root, stack, values)
    findings += _sealed_for_nothing(sealed, values, sources, stack=stack)
    not_read = list(_not_read(sources, project=project))
    if settings is not None and not findings and not not_read:
        for problem in costly_changes(before, settings):
            pulumi.log.warn(f"{dotted(problem.path)}: {problem.message}")
        project_file = root / PROJECT_FILE
        if project_file.is_file() and (
            stale := unrefreshed(settings, read_document(project_file).data, file=PROJECT_FILE)
        ):
            pulumi.log.warn(f"{stale.key}: {stale.message}")
        return settings
    raise StackSettingsError([*_located(findings, sources), *not_read], stack=stack) from None


def load_settings_file(path: str | FilePath, *, stack: str | None = None, root: FilePath | None = None) -> Settings:
    """Return the settings in a stack's file, read without the engine, as scripts do.

    Args:
        path: the file, `Pulumi.<stack>.yaml`. The project file (Pulumi.yaml) beside or above it gives defaults.
        stack: name of the stack; None takes it from the file's name.
        root: folder of the project; None takes the one around the file.

    Returns:
        The settings, checked. Secrets are not decrypted: each reads as `ENCRYPTED`.

    Raises:
        SettingsError: the file cannot be read, or its settings cannot be used; every mistake with line and column.
    """
    read = read_settings_file(path, stack=stack, root=root)
    if read.settings is None:
        raise SettingsError(read.mistakes, stack=read.stack)
    return read.settings


@dataclass(frozen=True, kw_only=True)
class Read:
    """What reading a stack's file gave.

    Attributes:
        stack: name of the stack.
        root: folder of the project.
        settings: the settings; None where there are mistakes.
        mistakes: everything that is wrong.
        sources: the files, for places; None where the stack's own cannot be read.
    """

    stack: str
    root: FilePath
    settings: Settings | None
    mistakes: tuple[Mistake, ...] = ()
    sources: Sources | None = None


def read_settings_file(
    path: str | FilePath,
    *,
    stack: str | None = None,
    root: FilePath | None = None,
    before: Mapping[str, Any] | None = None,
) -> Read:
    """Read a stack's file without the engine. What is wrong is in the result; see `load_settings_file`.

    Args:
        path, stack, root: as for `load_settings_file`.
        before: what could not be changed at the last `pulumi up` (`qhub.config.fixed`); None where it is not known.
    """
    file = FilePath(path)
    stack = stack or stack_of(file)
    root = root or project_root(file.absolute().parent)
    try:
        sources = read_sources(file, root=root)
    except OSError as error:
        return Read(stack=stack, root=root, settings=None, mistakes=(_unreadable(file, root, error),))
    settings, mistakes = _judged(sources, stack=stack, root=root, before=before)
    return Read(
        stack=stack,
        root=root,
        settings=None if mistakes else settings,
        mistakes=tuple(sorted(mistakes, key=by_place)),
        sources=sources,
    )


def _judged(
    sources: Sources, *, stack: str, root: FilePath, before: Mapping[str, Any] | None
) -> tuple[Settings | None, list[Mistake]]:
    mistakes = list(_flaws(sources))
    if any(not flaw.path for document in sources.documents for flaw in document.flaws):
        return None, mistakes  # the rest of a file that is not YAML was not read
    if sources.base_is_missing:
        # Without it most of the rest would look wrong.
        return None, [*mistakes, *_located(sources.findings, sources)]
    values = {name: without_secrets(value) for name, value in sources.values.items()}
    findings = [
        finding for name, value in sources.values.items() for finding in misplaced_secrets(name, value, stack=stack)
    ]
    findings += sources.findings
    settings, rest = _examine(values, stack=stack, root=root, before=before)
    unread = {finding.path for finding in findings}  # nothing more can be said about what was not read
    mistakes += _located([*findings, *(finding for finding in rest if finding.path not in unread)], sources)
    return settings, mistakes


def _examine(
    values: Mapping[str, Any], *, stack: str, root: FilePath, before: Mapping[str, Any] | None
) -> tuple[Settings | None, list[Finding]]:
    if told := wrong_version(values, file=f"Pulumi.{stack}.yaml"):
        return None, [Finding((VERSION,), told, showable=True)]
    unknown = [explain_unknown((name,), SECTIONS) for name in values if name not in SECTIONS]
    known = {name: value for name, value in values.items() if name in SECTIONS}
    for finding in unknown:  # a mistyped section is examined as the one that was meant
        if finding.nearest is not None and finding.nearest not in known:
            known[finding.nearest] = values[str(finding.path[0])]
    settings, findings = judge(known, stack=stack, root=root)
    if settings is not None:
        findings += [
            Finding(problem.path, problem.message, showable=True)
            for problem in (*missing_files(settings), *forbidden_changes(before or {}, settings))
        ]
    return settings, unknown + findings


def _not_read(sources: Sources | None, *, project: str) -> Iterator[Mistake]:
    """Yield what nothing reads of the stack's file; where another one is in force, of the keys that the engine has."""
    if sources is not None and sources.in_force:
        yield from _unread(sources, of=sources.documents[-1:])
        return
    for one in in_other_namespaces(engine_texts(), project=project, around=()):
        yield Mistake(dotted(one.place), one.message)


def _sealed_for_nothing(
    sealed: Iterable[str], values: Mapping[str, Any], sources: Sources | None, *, stack: str
) -> Iterator[Finding]:
    """Yield what is encrypted and is no secret. The engine has it decrypted, and tells in which section it was."""
    for name in sealed:
        if sources is not None and name in sources.origins:
            yield from encrypted_for_nothing(name, sources.values[name], stack=stack)
        elif name in OF_CHARTS and has_no_secret(name, values[name]):
            yield Finding((name,), SOMEWHERE_IN_VALUES)


def _trusted_sources(root: FilePath, stack: str, values: Mapping[str, Any]) -> Sources | None:
    """Return the stack's file for places, as far as what it says is in force."""
    try:
        sources = read_sources(stack_file(root, stack), root=root)
    except OSError:
        return None
    sources.forget_where_not(values)
    return sources


def _flaws_of_base(base: Document, *, project: str) -> Iterator[Finding]:
    unread_parts = (one.flaw(base) for one in unread(base, project=project, is_base=True) if not one.harmless)
    for flaw in (*base.flaws, *unread_parts):
        where = base.file.name if flaw.line is None else f"{base.file.name}:{flaw.line}:{flaw.column}"
        key = f"{dotted(flaw.path)}: " if flaw.path else ""
        yield Finding(("base",), f"{where}: {key}{flaw.message}")


def _flaws(sources: Sources) -> Iterator[Mistake]:
    for document in sources.documents:
        for flaw in document.flaws:
            yield _flaw(flaw, document, sources)
    yield from _unread(sources, of=sources.documents)


def _unread(sources: Sources, *, of: Iterable[Document]) -> Iterator[Mistake]:
    for document, one in sources.unread:
        if not one.harmless and document in of:
            yield _flaw(one.flaw(document), document, sources)


def _flaw(flaw: Flaw, document: Document, sources: Sources) -> Mistake:
    path = flaw.path[1:] if flaw.path[:1] == ("config",) and len(flaw.path) > 1 else flaw.path
    key = dotted(path).removeprefix(f"{sources.project}:")
    return Mistake(key, flaw.message, file=sources.name(document), line=flaw.line, column=flaw.column)


def _located(findings: Iterable[Finding], sources: Sources | None) -> list[Mistake]:
    every = list(findings)
    if sources:  # what a mistyped section holds was examined under the right name
        for finding in every:
            if len(finding.path) == 1 and finding.nearest and str(finding.path[0]) in sources.origins:
                sources.origins.setdefault(finding.nearest, sources.origins[str(finding.path[0])])
    return [_mistake(finding, sources) for finding in every]


def _mistake(finding: Finding, sources: Sources | None) -> Mistake:
    found = sources.find(finding.path) if sources else None
    file, line, column, excerpt = (sources.file if sources and sources.in_force else None), None, None, None
    if found:
        file, mark, exact = found
        by_value = exact and not finding.about_key and mark.text is not None
        line, column = (mark.value_line, mark.value_column) if by_value else (mark.line, mark.column)
        showable = finding.showable and sources is not None and not _has_secrets(finding.path, sources.values)
        excerpt = mark.text if exact and showable else None
    message = finding.message + finding.hint
    return Mistake(
        key=dotted(finding.path),
        message=with_own_names(message, project=sources.project) if sources else message,
        file=file,
        line=line,
        column=column,
        expected=finding.expected,
        nearest=finding.nearest,
        known=finding.known,
        excerpt=excerpt,
    )


def _has_secrets(path: Path, values: Mapping[str, Any]) -> bool:
    """Whether a secret may be in what stands there: a whole section may be text on one line, whatever is said of it."""
    here = spot(path, values)
    return here.kind is not None and here.secretive


def _unreadable(file: FilePath, root: FilePath, error: OSError) -> Mistake:
    if not isinstance(error, FileNotFoundError):
        return Mistake("", f"cannot be read: {error.strerror}", file=str(file))
    stacks = sorted(stack_of(other) for other in file.absolute().parent.glob("Pulumi.*.yaml"))
    hint = f"; there are settings for: {', '.join(stacks)}" if stacks else f" (project folder: {root.name})"
    return Mistake("", f"there is no such file{hint}", file=str(file))
