"""Ask an executable for its version, and remember the answer: a start costs 50 to 200 ms."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from qhub.rehearsal.toolchain.table import Tool
from qhub.rehearsal.toolchain.version import parse_version, spell_version

#: A start from a cold disk takes a second or two; one that takes longer hangs.
PROBE_SECONDS = 20


def ask_version(tool: Tool, path: Path) -> str:
    """Run `path` and return the version that it tells, as `v1.2.3`.

    Raises:
        ValueError: it cannot be run, ends with an error or tells no version; the message says which.
    """
    if tool.asks is None:
        raise ValueError(f"{tool.name} tells no version")
    try:
        done = subprocess.run(
            [str(path), *tool.asks],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=PROBE_SECONDS,
            stdin=subprocess.DEVNULL,
            # What is asked is the version of this file, not whether there is a newer one on the internet.
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        )
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"it did not tell its version within {PROBE_SECONDS} s") from error
    except OSError as error:
        raise ValueError(f"it cannot be run ({error.strerror})") from error
    if done.returncode != 0:
        raise ValueError(f"`{tool.name} {' '.join(tool.asks)}` ended with code {done.returncode}")
    try:
        return spell_version(parse_version(done.stdout))
    except ValueError as error:
        raise ValueError(f"`{tool.name} {' '.join(tool.asks)}` told no version") from error


class VersionMemory:
    """Versions told before, kept in one file and keyed by path, size and time of change of the executable.

    Losing the file, or two processes writing it at once, costs a probe and nothing else.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def version(self, tool: Tool, path: Path, *, ask: Callable[[Tool, Path], str] = ask_version) -> str:
        """Return the version of `path`, asking it when it is not known or the file has changed.

        Raises:
            ValueError: as `ask_version`.
        """
        if not _is_itself(tool, path):
            return ask(tool, path)
        stat = path.stat()
        mark = [stat.st_size, stat.st_mtime_ns]
        known = self._read().get(str(path))
        if isinstance(known, dict) and known.get("mark") == mark and isinstance(known.get("version"), str):
            return known["version"]
        version = ask(tool, path)
        # Read again: another tool may have been asked meanwhile.
        self._write({**self._read(), str(path): {"mark": mark, "version": version}})
        return version

    def _read(self) -> dict[str, object]:
        try:
            content = json.loads(self._file.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _write(self, content: dict[str, object]) -> None:
        # A cache that cannot be written (a read-only home, a full disk) only makes the next run ask again.
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=self._file.parent, prefix=self._file.name)
            try:
                with os.fdopen(descriptor, "w") as stream:
                    json.dump(content, stream, indent=1)
                Path(temporary).replace(self._file)
            finally:
                Path(temporary).unlink(missing_ok=True)


def _is_itself(tool: Tool, path: Path) -> bool:
    """Return True for a program of that very name, False for the shim of a version manager.

    A shim (a script, or a link to the manager) stays the same while the tool behind it changes.
    """
    if path.resolve().name != tool.name:
        return False
    with path.open("rb") as stream:
        return stream.read(2) != b"#!"
