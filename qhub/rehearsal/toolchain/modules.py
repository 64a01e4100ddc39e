"""Our own Go modules under `toolchain/`: each fixes the versions of one or more tools by `go.mod` and `go.sum`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qhub.rehearsal.toolchain.errors import ToolchainError
from qhub.rehearsal.toolchain.table import Tool
from qhub.rehearsal.toolchain.version import Version, parse_version

#: A wheel's copy of `toolchain/` (pyproject.toml); a checkout, and what is installed of it by `-e`, has none.
_SHIPPED = Path(__file__).resolve().parent / "go_modules"
#: One folder with `go.mod` and `go.sum` for each module.
MODULES_DIR = _SHIPPED if _SHIPPED.is_dir() else _SHIPPED.parents[3] / "toolchain"


@dataclass(frozen=True, kw_only=True)
class Module:
    """The Go module of our own that fixes the versions of one or more tools.

    Attributes:
        name: folder under `toolchain/`.
        go_mod: content of `go.mod`.
        go_sum: content of `go.sum`.
        sources: a main package of our own, by file name, where the tool's own has more in it than we want.
    """

    name: str
    go_mod: bytes
    go_sum: bytes
    sources: Mapping[str, bytes] = field(default_factory=dict)

    def version_of(self, tool: Tool) -> str:
        """Return the version that `go.mod` asks for, with its `v`.

        Raises:
            ToolchainError: `go.mod` does not name the tool's module.
        """
        version = self.requirement(tool.requires)
        if version is None:
            raise ToolchainError(f"toolchain/{self.name}/go.mod does not require {tool.requires}, which {tool.name} is")
        return version

    def requirement(self, path: str) -> str | None:
        """Return the version of the Go module `path` that `go.mod` asks for, with its `v`; None where it does not."""
        line = rf"^(?:require\s+|\s+){re.escape(path)}\s+(v\S+)"
        found = re.search(line, self.go_mod.decode(), flags=re.MULTILINE)
        return found[1] if found else None

    def versions(self) -> dict[str, str]:
        """Return the version of every Go module that `go.mod` requires, with its `v`."""
        return dict(re.findall(r"^(?:require\s+|\s+)(\S+)\s+(v\S+)", self.go_mod.decode(), flags=re.MULTILINE))

    def needs_go(self) -> Version:
        """Return the Go version of the `go` line."""
        found = re.search(r"^go\s+(\S+)", self.go_mod.decode(), flags=re.MULTILINE)
        if found is None:
            raise ToolchainError(f"toolchain/{self.name}/go.mod has no `go` line")
        return parse_version(found[1])


def read_module(name: str, *, modules_dir: Path = MODULES_DIR) -> Module:
    """Read `go.mod` and `go.sum` of one module.

    Raises:
        ToolchainError: they are not there, as in a damaged install.
    """
    folder = modules_dir / name
    try:
        return Module(
            name=name,
            go_mod=(folder / "go.mod").read_bytes(),
            go_sum=(folder / "go.sum").read_bytes(),
            sources={path.name: path.read_bytes() for path in sorted(folder.glob("*.go"))},
        )
    except FileNotFoundError as error:
        raise ToolchainError(
            f"{error.filename} is missing, which is part of QHub: install it again, or put the official releases of "
            "the tools on PATH"
        ) from error
