"""Where built tools lie in the cache, and under which key.

```
<cache>/toolchain/
  tools/<name>-<version>-<key>/<name>   one folder for each tool, complete or not there at all
  work/<module>/                        a build under way
  logs/<module>.log                     what Go said in the last build of that module
  versions.json                         which version the tools on PATH told
  build.lock, build.json                held while building; by whom
```
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from qhub.rehearsal import paths
from qhub.rehearsal.toolchain.errors import ToolchainError
from qhub.rehearsal.toolchain.modules import Module
from qhub.rehearsal.toolchain.table import Tool
from qhub.rehearsal.toolchain.version import parse_version

#: Flags of every build. `readonly`: what is not in go.sum fails instead of being added. `trimpath`: no path of the
#: builder's machine gets into the executable. `buildvcs`: nor the state of a repository that the cache may lie in.
BUILD_FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false")
#: Of every build, as in the official releases. Without C no compiler of it is needed, and Go's own library is compiled
#: once for the tools and for what is built into images.
BUILD_ENVIRONMENT = {"CGO_ENABLED": "0"}

_SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def toolchain_dir() -> Path:
    """Return the folder of the cache that is this package's."""
    return paths.cache_dir() / "toolchain"


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Operating system and processor, in Go's words."""

    system: str
    machine: str

    @classmethod
    def here(cls) -> Platform:
        """Return this machine's.

        Raises:
            ToolchainError: one that the tools are not built for.
        """
        system, machine = platform.system(), platform.machine()
        try:
            return cls(system=_SYSTEMS[system], machine=_MACHINES[machine.lower()])
        except KeyError as error:
            raise ToolchainError(
                f"the tools are built on Linux and macOS, amd64 and arm64, but this is {system} {machine}: "
                "put official releases of them on PATH"
            ) from error


def linker_flags(tool: Tool, *, version: str) -> str:
    """Return the value of `-ldflags`: no symbol table (a third of the size), and the version stamped in."""
    major, minor, _ = parse_version(version)
    stamps = (
        f"-X {variable}={template.format(version=version, major=major, minor=minor)}"
        for variable, template in tool.stamps
    )
    return " ".join(("-s -w", *stamps))


def build_key(tool: Tool, module: Module, *, target: Platform) -> str:
    """Return a key of 12 hexadecimal digits that changes when, and only when, what is built changes.

    The compiler's version is not part of it: the `go` line in `go.mod` already fixes the language, a tool built by
    Go 1.26.1 does the same as one built by 1.27.0, and a cache copied to a machine without Go is to be found there.
    """
    inputs = [
        hashlib.sha256(module.go_mod).hexdigest(),
        hashlib.sha256(module.go_sum).hexdigest(),
        tool.name,
        tool.package,
        linker_flags(tool, version=module.version_of(tool)),
        [*BUILD_FLAGS, BUILD_ENVIRONMENT],
        [*tool.scripts, tool.prelude],
        [target.system, target.machine],
        *(hashlib.sha256(source).hexdigest() for source in module.sources.values()),
    ]
    # 48 bits: two builds of one tool that ever share a key are out of the question, and paths stay readable.
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:12]


def built_dir(tool: Tool, module: Module, *, root: Path, target: Platform) -> Path:
    """Return the folder that holds the tool once it is built."""
    version = module.version_of(tool)
    return root / "tools" / f"{tool.name}-{version.removeprefix('v')}-{build_key(tool, module, target=target)}"


def is_built(tool: Tool, folder: Path) -> bool:
    """Return True when `folder` holds the executable and every script that goes with it."""
    files = [tool.name, *(Path(script).name for script in tool.scripts)]
    return all((folder / file).is_file() and os.access(folder / file, os.X_OK) for file in files)
