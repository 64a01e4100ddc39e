"""The tools that a rehearsal runs: official ones from PATH, or built from source where there are none.

| call | gives |
|---|---|
| `ensure_tools(names, console=...)` | the tools, built where they are missing |
| `tool_path(name)` | the executable of one tool that is there |
| `Toolchain.path_entries()` | folders to put first on PATH |
| `remove_cache()` | what `make clean` wants |

Where built tools lie: `qhub.rehearsal.toolchain.folders`. What they are: `qhub.rehearsal.toolchain.table`.
"""

from __future__ import annotations

from qhub.rehearsal.toolchain.ensure import Removed, ending_by_signal, ensure_tools, remove_cache
from qhub.rehearsal.toolchain.errors import ToolchainError
from qhub.rehearsal.toolchain.locate import Toolchain, ToolUse, tool_path
from qhub.rehearsal.toolchain.progress import Lines

__all__ = [
    "Lines",
    "Removed",
    "ToolUse",
    "Toolchain",
    "ToolchainError",
    "ending_by_signal",
    "ensure_tools",
    "remove_cache",
    "tool_path",
]
