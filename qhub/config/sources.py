"""The files that settings come from: the stack's own, and the defaults in the project file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from qhub.config.base import OF_A_FILE, find_base, lay_over_all, misplaced, settings_in
from qhub.config.document import Document, Mark, read_document
from qhub.config.engine import parsed
from qhub.config.judge import Finding
from qhub.config.shape import Path, is_encrypted
from qhub.config.unread import Unread, own_name, unread

PROJECT_FILE = "Pulumi.yaml"
_STACK_FILE = re.compile(r"Pulumi\.(?P<stack>.+)\.ya?ml")


@dataclass
class Sources:
    """Values of the project's namespace as the files give them, and where each stands.

    Attributes:
        root: folder of the project.
        project: name of the project, which is the namespace of its keys.
        file: name of the stack's file, relative to the folder of the project where it lies below.
        values: value of each key without its namespace; `secure:` values are still encrypted.
        documents: what was read: the project file, the base where there is one, then the stack's.
        origins: for each key, the documents that give it and its path there; what stands in the first one holds.
        findings: what is wrong with the base.
        unread: what nothing reads, with its file. What it was meant to be is among `values`, to be looked at.
        base_is_missing: whether a base is named that is not there.
        in_force: whether everything that the files give is what holds.
    """

    root: FilePath
    project: str
    file: str
    values: dict[str, Any] = field(default_factory=dict)
    documents: list[Document] = field(default_factory=list)
    origins: dict[str, tuple[tuple[Document, Path], ...]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    unread: list[tuple[Document, Unread]] = field(default_factory=list)
    base_is_missing: bool = False
    in_force: bool = True

    def find(self, path: Path) -> tuple[str, Mark, bool] | None:
        """Return file name, place and whether it is that very place; else the nearest place around it; or None.

        The project file declares every section, and gives it a default for all stacks: what is not there belongs into
        the stack's own file.
        """
        for length in range(len(path), 0, -1):
            for document, prefix in self.origins.get(str(path[0]), ()):
                mark = document.marks.get((*prefix, *path[1:length]))
                if mark is not None and (length == len(path) or document is not self.documents[0]):
                    return self.name(document), mark, length == len(path)
        return None

    def name(self, document: Document) -> str:
        """Return a file's name as messages show it."""
        return _shown(document.file, self.root)

    def forget_where_not(self, values: Mapping[str, Any]) -> None:
        """Drop the place of each key whose value differs from the one that is in force.

        Another file (`--config-file`), an environment or a script may have given the value; then a line of this file
        would be the wrong one.
        """
        stray = {(name, place) for _, one in self.unread for name, (_, place) in one.meant.items()}
        self.origins = {
            key: origin for key, origin in self.origins.items() if not any((key, place) in stray for _, place in origin)
        }
        same = {key for key in self.origins if key in values and _same(self.values.get(key), values[key])}
        self.in_force = len(same) == len(self.origins)
        self.origins = {key: origin for key, origin in self.origins.items() if key in same}


def project_root(start: FilePath) -> FilePath:
    """Return the nearest folder at or above `start` with a project file; `start` itself where there is none."""
    start = start.absolute()
    return next((folder for folder in (start, *start.parents) if (folder / PROJECT_FILE).is_file()), start)


def stack_of(file: FilePath) -> str:
    """Return the name of the stack whose settings a file has: `prod` for `Pulumi.prod.yaml`."""
    found = _STACK_FILE.fullmatch(file.name)
    return found["stack"] if found else file.stem


def stack_file(root: FilePath, stack: str) -> FilePath:
    """Return where the engine keeps the settings of a stack: beside the project file, or in its `stackConfigDir`."""
    project = read_document(root / PROJECT_FILE) if (root / PROJECT_FILE).is_file() else None
    folder = project.data.get("stackConfigDir") if project else None
    return (root / folder if isinstance(folder, str) else root) / f"Pulumi.{stack}.yaml"


def read_sources(file: FilePath, *, root: FilePath) -> Sources:
    """Read a stack's file and the project's defaults. As in the engine, a key of the stack replaces the whole default.

    Raises:
        OSError: a file cannot be read.
    """
    project_file = root / PROJECT_FILE
    project = read_document(project_file) if project_file.is_file() else Document(project_file)
    sources = Sources(root=root, project=str(project.data.get("name", "qhub")), file=_shown(file, root))
    stack = read_document(file)
    sources.documents = [project, stack]
    for key, value, place in _project_defaults(project):
        _take(sources, project, key, value, place)
    config = stack.data.get("config")
    for key, value in (config or {}).items() if isinstance(config, Mapping) else ():
        _take(sources, stack, key, value, ("config", key))
    given = {name for name, origin in sources.origins.items() if origin[0][0] is stack}
    for name, (value, place) in _note_unread(sources, stack).items():
        if name not in given:
            sources.values[name] = parsed(name, value)
            sources.origins[name] = ((stack, place),)
    _lay_over_base(sources)
    return sources


def _note_unread(sources: Sources, document: Document, *, is_base: bool = False) -> dict[str, tuple[Any, Path]]:
    """Note what of a file nothing reads; return the settings that it was meant to be, each with its value and place."""
    found = list(unread(document, project=sources.project, is_base=is_base))
    sources.unread += [(document, one) for one in found]
    return {name: meant for one in found for name, meant in one.meant.items()}


def _lay_over_base(sources: Sources) -> None:
    base, sources.findings = find_base(sources.values, root=sources.root)
    sources.base_is_missing = base is None and bool(sources.findings)
    if base is None:
        return
    sources.documents.insert(1, base)
    shared = settings_in(base, project=sources.project)
    places: dict[str, Path] = {
        name: ("config", name if ("config", name) in base.marks else f"{sources.project}:{name}") for name in shared
    }
    for name, (value, place) in _note_unread(sources, base, is_base=True).items():
        if name not in shared:
            shared[name], places[name] = value, place
    sources.findings += misplaced(shared, file=base.file.name)
    sources.values = lay_over_all(shared, sources.values)
    for name in (name for name in shared if name not in OF_A_FILE):
        sources.origins[name] = (*sources.origins.get(name, ()), (base, places[name]))


def _project_defaults(project: Document) -> Iterator[tuple[str, Any, Path]]:
    config = project.data.get("config")
    for key, declared in (config or {}).items() if isinstance(config, Mapping) else ():
        if not isinstance(declared, Mapping):
            yield key, declared, ("config", key)
            continue
        for word in ("value", "default"):
            if word in declared:
                yield key, declared[word], ("config", key, word)
                break


def _take(sources: Sources, document: Document, key: str, value: Any, place: Path) -> None:
    name = own_name(key, project=sources.project)
    if name is None:
        return  # a key of a provider or of the engine itself
    sources.values[name] = parsed(name, value)
    sources.origins[name] = ((document, place),)


def _shown(file: FilePath, root: FilePath) -> str:
    absolute = file.absolute()
    return str(absolute.relative_to(root)) if absolute.is_relative_to(root) else str(file)


def _same(written: Any, given: Any) -> bool:
    """Return whether a value from a file may be the one that the engine gave, which has encrypted parts decrypted."""
    if is_encrypted(written):
        return True
    if isinstance(written, Mapping) and isinstance(given, Mapping):
        return written.keys() == given.keys() and all(_same(value, given[key]) for key, value in written.items())
    if isinstance(written, list) and isinstance(given, list):
        return len(written) == len(given) and all(map(_same, written, given))
    return _as_text(written) == _as_text(given)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}" if abs(value) < 1e6 else str(float(value))
    # The engine gives a date with a time behind it.
    return "" if value is None else str(value).split(" 00:00:00")[0]
