"""Which executable is used for each tool: a suitable official one on PATH, else the one that was built from source."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from qhub.rehearsal.toolchain.errors import ToolchainError
from qhub.rehearsal.toolchain.folders import Platform, built_dir, is_built, toolchain_dir
from qhub.rehearsal.toolchain.modules import MODULES_DIR, read_module
from qhub.rehearsal.toolchain.probe import VersionMemory
from qhub.rehearsal.toolchain.table import TOOLS, Tool
from qhub.rehearsal.toolchain.version import parse_version, spell_version

Origin = Literal["PATH", "built"]


@dataclass(frozen=True, kw_only=True)
class ToolUse:
    """One tool as it is used.

    Attributes:
        name: as in `TOOLS`.
        path: absolute path of the executable.
        version: as `v1.2.3`.
        origin: `PATH` for an official release on PATH, `built` for one built from source into the cache.
    """

    name: str
    path: Path
    version: str
    origin: Origin


class Toolchain(Mapping[str, ToolUse]):
    """The tools in use, by name, in the order of the table.

    Attributes:
        notes: one sentence for each tool on PATH that was passed over, with the reason.
    """

    def __init__(self, uses: Iterable[ToolUse], *, notes: Iterable[str] = ()) -> None:
        self._uses = {use.name: use for use in uses}
        self.notes = tuple(notes)

    def __getitem__(self, name: str) -> ToolUse:
        return self._uses[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._uses)

    def __len__(self) -> int:
        return len(self._uses)

    def path_entries(self) -> list[Path]:
        """Return the folders to put first on PATH so that typing a tool's name runs the one in use.

        Only folders of built tools: an official tool in use is the first of its name on PATH already. So an official
        `pulumi` finds the language host that it came with, and never ours.
        """
        return list(dict.fromkeys(use.path.parent for use in self._uses.values() if use.origin == "built"))


@dataclass(kw_only=True)
class Found:
    """What a search gave.

    Attributes:
        uses: tools that can be run, by name.
        missing: tools that must be built.
        notes: why tools on PATH were passed over.
    """

    uses: dict[str, ToolUse] = field(default_factory=dict)
    missing: list[Tool] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check_names(names: Iterable[str] | None) -> list[Tool]:
    """Return the tools of these names in the order of the table; all of them for None.

    Raises:
        ToolchainError: a name that is not in the table.
    """
    if names is None:
        return list(TOOLS.values())
    wanted = set(names)
    if unknown := sorted(wanted - TOOLS.keys()):
        raise ToolchainError(f"no tool is called {', '.join(unknown)}; the tools are {', '.join(TOOLS)}")
    return [tool for tool in TOOLS.values() if tool.name in wanted]


def find(
    tools: Iterable[Tool], *, root: Path | None = None, modules_dir: Path = MODULES_DIR, search: str | None = None
) -> Found:
    """Find each tool on PATH or in the cache, without building anything.

    Args:
        tools: what is wanted.
        root: the cache folder of this package; default: `toolchain_dir()`.
        modules_dir: `toolchain/` of the checkout.
        search: folders to search, as PATH; default: PATH.
    """
    root = root or toolchain_dir()
    folders = _outside(root, os.environ.get("PATH", os.defpath) if search is None else search)
    memory = VersionMemory(root / "versions.json")
    found = Found()
    families: dict[str, dict[str, ToolUse]] = {}
    for tool in tools:
        if tool.family not in families:
            families[tool.family] = _official(tool.family, folders, memory, found.notes)
        if use := families[tool.family].get(tool.name) or _built(tool, root=root, modules_dir=modules_dir):
            found.uses[tool.name] = use
        else:
            found.missing.append(tool)
    return found


def tool_path(name: str) -> Path:
    """Return the executable of the tool `name`: a suitable one on PATH, else the one in the cache.

    Raises:
        ToolchainError: not there, or no such tool; the message says what to do.
    """
    found = find(check_names([name]))
    if name in found.uses:
        return found.uses[name].path
    reason = "".join(f"{note}. " for note in found.notes)
    raise ToolchainError(f"{name} is neither on PATH nor built yet. {reason}Run `qhub toolchain build {name}`")


def _outside(root: Path, search: str) -> str:
    """Return the search path without our own cache: a stack's environment puts built tools on PATH."""
    root = root.resolve()
    kept = (entry for entry in search.split(os.pathsep) if entry and not Path(entry).resolve().is_relative_to(root))
    return os.pathsep.join(kept)


def _official(family: str, folders: str, memory: VersionMemory, notes: list[str]) -> dict[str, ToolUse]:
    """Return the tools of a family from PATH when all are there and fit, else nothing and a note that says why."""
    members = [tool for tool in TOOLS.values() if tool.family == family]
    at = {tool.name: Path(path).absolute() for tool in members if (path := shutil.which(tool.name, path=folders))}
    if not at:
        return {}
    if family == "engine" and "pulumi" in at:
        _add_bundled_host(at)
    lone = ", ".join(at)
    if absent := [tool.name for tool in members if tool.name not in at]:
        notes.append(f"{lone} on PATH is passed over: {', '.join(absent)} is not there, and these must come together")
        return {}
    uses = {}
    for tool in members:
        try:
            version = _suitable(tool, at, memory, engine=uses.get("pulumi"))
        except ValueError as reason:
            notes.append(f"{at[tool.name]} is passed over: {reason}")
            return {}
        uses[tool.name] = ToolUse(name=tool.name, path=at[tool.name], version=version, origin="PATH")
    minors = {parse_version(use.version)[:2] for use in uses.values()}
    if len(minors) > 1:
        told = ", ".join(f"{use.name} {use.version}" for use in uses.values())
        notes.append(f"{told} on PATH are passed over: parts of one {family} must have the same minor version")
        return {}
    return uses


def _add_bundled_host(at: dict[str, Path]) -> None:
    """Look for the language host where `pulumi` looks after PATH: beside its own executable."""
    host = at["pulumi"].resolve().parent / "pulumi-language-python"
    if "pulumi-language-python" not in at and os.access(host, os.X_OK):
        at["pulumi-language-python"] = host


def _suitable(tool: Tool, at: Mapping[str, Path], memory: VersionMemory, *, engine: ToolUse | None) -> str:
    """Return the version of an official tool; raise ValueError with the reason when it is not to be used."""
    if tool.asks is None and engine:
        return engine.version
    told = memory.version(tool, at[tool.name])
    version = parse_version(told)
    if version < tool.minimum:
        raise ValueError(f"it is {told}, and {spell_version(tool.minimum)} is the oldest to use ({tool.reason})")
    if tool.below and version >= tool.below:
        raise ValueError(f"it is {told}, and only versions below {spell_version(tool.below)} are used ({tool.reason})")
    return told


def _built(tool: Tool, *, root: Path, modules_dir: Path) -> ToolUse | None:
    module = read_module(tool.module, modules_dir=modules_dir)
    folder = built_dir(tool, module, root=root, target=Platform.here())
    if not is_built(tool, folder):
        return None
    return ToolUse(name=tool.name, path=folder / tool.name, version=module.version_of(tool), origin="built")
