"""Text that a library or a child process wants as a file, and that must never lie on a disk where it can be avoided."""

from __future__ import annotations

import atexit
import contextlib
import os
import tempfile
from pathlib import Path


class PrivateFile:
    """A file only this process and the children it is passed to can read; it ends with the process.

    On Linux it is anonymous memory, reached through `/proc`; elsewhere a 0600 file that is removed on `close`.

    Args:
        content: the text.
        suffix: end of the file name, where a file is made (`.yaml`).
    """

    def __init__(self, content: str, *, suffix: str = "") -> None:
        self._on_disk: Path | None = None
        if hasattr(os, "memfd_create"):
            self.descriptor = os.memfd_create("qhub-private", os.MFD_CLOEXEC)
        else:
            self.descriptor, name = tempfile.mkstemp(suffix=suffix, prefix="qhub-")
            self._on_disk = Path(name)
            atexit.register(self.close)
        with open(self.descriptor, "w", encoding="utf-8", closefd=False) as stream:
            stream.write(content)

    @property
    def path(self) -> str:
        """Path for this process."""
        return str(self._on_disk or f"/proc/{os.getpid()}/fd/{self.descriptor}")

    @property
    def child_path(self) -> str:
        """Path for a child process that is given `descriptor` (`pass_fds`)."""
        return str(self._on_disk or f"/proc/self/fd/{self.descriptor}")

    def close(self) -> None:
        """Give the memory or the file back; closing twice is no error."""
        if self._on_disk is not None:
            self._on_disk.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # already closed
            os.close(self.descriptor)
        self.descriptor = -1

    def __enter__(self) -> PrivateFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
