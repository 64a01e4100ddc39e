"""One build at a time: a lock that the system releases when its holder ends, however it ends."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from qhub.rehearsal.toolchain.processes import end_builds

#: A build takes minutes: looking twice a second costs nothing and wastes nothing.
POLL_SECONDS = 0.5


class BuildLock:
    """The lock of one cache folder, and a note beside it of who holds it.

    A holder that is killed outright (SIGKILL) loses the lock at once but leaves its compilers running: the next holder
    ends them, so that no two builds ever run side by side.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._file = root / "build.lock"
        self._note = root / "build.json"
        self._lock = FileLock(self._file)

    @contextmanager
    def held(self, *, waiting: Callable[[str], None]) -> Generator[None, None, None]:
        """Hold the lock; while another process has it, call `waiting` with that process's id (`?` when unknown)."""
        while not self._try():
            waiting(self.holder())
            time.sleep(POLL_SECONDS)
        with self._noted():
            yield

    @contextmanager
    def held_now(self) -> Generator[bool, None, None]:
        """Hold the lock if it is free; give whether it was."""
        if not self._try():
            yield False
            return
        with self._noted():
            yield True

    def holder(self) -> str:
        """Return the process id of the holder, or `?`."""
        try:
            return str(json.loads(self._note.read_text())["pid"])
        except (FileNotFoundError, ValueError):  # it has the lock and is just writing the note
            return "?"

    def remove_file(self) -> None:
        """Remove the lock file while holding it: who waits for it sees that it is gone and makes a new one."""
        self._file.unlink(missing_ok=True)

    def _try(self) -> bool:
        self._file.parent.mkdir(parents=True, exist_ok=True)  # `remove_cache` may have removed it while we waited
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return False
        return True

    @contextmanager
    def _noted(self) -> Generator[None, None, None]:
        try:
            end_builds(self._root)  # left by a holder that was killed: we have not started any yet
            self._note.write_text(json.dumps({"pid": os.getpid()}))
            yield
        finally:
            self._note.unlink(missing_ok=True)
            self._lock.release()
