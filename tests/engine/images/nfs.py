"""An NFSv4 client in user space: libnfs, out of Debian's package, without being installed."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path

from qhub.rehearsal.toolchain.debian import ensure_packages

#: What this libnfs puts into one call of version 4 at most; a node's kernel does the same with more.
CHUNK = 2 * 1024


class NfsError(OSError):
    """The server refused; `errno` is what a mounted file system would give."""


class Stat(ctypes.Structure):
    """`struct nfs_stat_64` of libnfs.h."""

    _fields_ = [
        *((name, ctypes.c_uint64) for name in ("dev", "ino", "mode", "nlink", "uid", "gid", "rdev", "size")),
        *((name, ctypes.c_uint64) for name in ("blksize", "blocks", "atime", "mtime", "ctime")),
        *((name, ctypes.c_uint64) for name in ("atime_nsec", "mtime_nsec", "ctime_nsec", "used")),
    ]


class Statvfs(ctypes.Structure):
    """`struct statvfs` of glibc."""

    _fields_ = [
        *(
            (name, ctypes.c_ulong)
            for name in ("bsize", "frsize", "blocks", "bfree", "bavail", "files", "ffree", "favail")
        ),
        *((name, ctypes.c_ulong) for name in ("fsid", "flag", "namemax")),
        ("spare", ctypes.c_int * 6),
    ]


def _library() -> ctypes.CDLL:
    root = ensure_packages(["libnfs13"])
    (file,) = sorted(root.glob("usr/lib/*/libnfs.so.13"))[:1] or [Path("libnfs.so.13")]
    library = ctypes.CDLL(str(file))
    for name in ("nfs_init_context", "nfs_parse_url_dir", "libnfs_authunix_create"):
        getattr(library, name).restype = ctypes.c_void_p
    library.nfs_get_error.restype = ctypes.c_char_p
    return library


class Client:
    """One client, as a user. Use as a context.

    Args:
        port: of the server on 127.0.0.1.
        uid, gid, groups: who it says to be, which the server believes.
    """

    def __init__(self, port: int, *, uid: int, gid: int, groups: Sequence[int] = ()) -> None:
        self._library = _library()
        self._context = ctypes.c_void_p(self._library.nfs_init_context())
        url = f"nfs://127.0.0.1/?version=4&nfsport={port}&uid={uid}&gid={gid}"
        if not self._library.nfs_parse_url_dir(self._context, url.encode()):
            raise NfsError(self._why())
        ids = (ctypes.c_uint32 * len(groups))(*groups)
        identity = self._library.libnfs_authunix_create(b"a-node", uid, gid, len(groups), ids)
        self._library.nfs_set_auth(self._context, ctypes.c_void_p(identity))

    def __enter__(self) -> Client:
        self._do("mount", b"127.0.0.1", b"/")
        return self

    def __exit__(self, *_: object) -> None:
        self._library.nfs_destroy_context(self._context)

    def mkdir(self, path: str, mode: int) -> None:
        """Make a folder of this mode."""
        self._do("mkdir2", path.encode(), mode)

    def chmod(self, path: str, mode: int) -> None:
        """Set the mode of a file: with version 4 this libnfs does it to no folder."""
        self._do("chmod", path.encode(), mode)

    def chown(self, path: str, uid: int, gid: int) -> None:
        """Give a file to somebody; as `chmod`, no folder."""
        self._do("chown", path.encode(), uid, gid)

    def stat(self, path: str) -> Stat:
        """Return what is known of a path."""
        seen = Stat()
        self._do("stat64", path.encode(), ctypes.byref(seen))
        return seen

    def room(self) -> int:
        """Return the size of the file system in bytes."""
        seen = Statvfs()
        self._do("statvfs", b"/", ctypes.byref(seen))
        return seen.blocks * seen.frsize

    def write(self, path: str, content: bytes) -> None:
        """Make a file and see it on the disk."""
        self._write(path, content, os.O_CREAT | os.O_WRONLY)
        self.chmod(path, 0o664)  # this libnfs makes it for its owner alone

    def overwrite(self, path: str, content: bytes) -> None:
        """Write a file anew that is there, and see it on the disk."""
        self._write(path, content, os.O_WRONLY | os.O_TRUNC)

    def _write(self, path: str, content: bytes, flags: int) -> None:
        handle = ctypes.c_void_p()
        self._do("open", path.encode(), flags, ctypes.byref(handle))
        try:
            for start in range(0, len(content), CHUNK):
                piece = content[start : start + CHUNK]
                assert self._do("write", handle, ctypes.c_uint64(len(piece)), piece) == len(piece)
            self._do("fsync", handle)
        finally:
            self._do("close", handle)

    def read(self, path: str) -> bytes:
        """Return what a file holds."""
        handle = ctypes.c_void_p()
        self._do("open", path.encode(), os.O_RDONLY, ctypes.byref(handle))
        try:
            content, buffer = b"", ctypes.create_string_buffer(CHUNK)
            while got := self._do("read", handle, ctypes.c_uint64(CHUNK), buffer):
                content += buffer.raw[:got]
            return content
        finally:
            self._do("close", handle)

    def _do(self, name: str, *arguments: object) -> int:
        code = getattr(self._library, f"nfs_{name}")(self._context, *arguments)
        if code < 0:
            raise NfsError(-code, f"nfs_{name}: {self._why()}")
        return code

    def _why(self) -> str:
        return (self._library.nfs_get_error(self._context) or b"").decode(errors="replace")
