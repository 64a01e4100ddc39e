"""Trees of files and tar files of layers: unpack the layers below, see what a step changed, write that down.

The same tree always gives the same bytes: entries in the order of their names, no names of users, no time later than
the one that is given.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from qhub.rehearsal.images.errors import ImagesError

#: What belongs to the machine that builds, or only to the build: never in an image.
LEFT_OUT = (
    "dev/*",
    "proc/*",
    "sys/*",
    "run/*",
    "tmp/*",
    "var/tmp/*",
    "var/log/*",
    "var/cache/*",
    "var/lib/apt/*",
    "var/lib/dpkg/*-old",
    "etc/*-",
    "etc/hostname",
    "etc/resolv.conf",
    "etc/machine-id",
    "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
    "etc/apt/sources.list.d/*",
    "root/.cache",
    "root/.cache/*",
)
_EXACT = frozenset(pattern for pattern in LEFT_OUT if "*" not in pattern)
_BELOW = tuple(pattern[:-1] for pattern in LEFT_OUT if pattern.endswith("/*"))

#: In front of the name of a file, in a tar file of a layer: it is removed (OCI image specification, layer.md).
WHITEOUT = ".wh."

#: What tells that a file is another one: mode, owner, group, size, time of change, where a link leads.
Mark = tuple[int, int, int, int, int, str]


@dataclass(frozen=True, kw_only=True)
class Written:
    """A tar file that was written: its digest, its size and what it removes."""

    digest: str
    size: int
    removed: tuple[str, ...]


def unpack(tars: Iterable[tuple[Path, Iterable[str]]], root: Path) -> None:
    """Unpack layers, lowest first, each with what it removes, into an empty folder.

    Raises:
        ImagesError: tar failed, as on a full disk.
    """
    for tar, removed in tars:
        for path in removed:
            victim = root / path
            shutil.rmtree(victim) if victim.is_dir() and not victim.is_symlink() else victim.unlink(missing_ok=True)
        command = ["tar", "--extract", "--file", str(tar), "--directory", str(root), "--numeric-owner", "--same-owner"]
        command += ["--preserve-permissions", f"--exclude={WHITEOUT}*"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ImagesError(f"{tar} could not be unpacked: {done.stderr.strip()}")


def survey(root: Path) -> dict[str, Mark]:
    """Return the mark of everything below a folder that may be in an image, by its path without a leading `/`."""
    marks: dict[str, Mark] = {}
    folders = [root]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                path = os.path.relpath(entry.path, root)
                if _left_out(path):
                    continue
                marks[path] = _mark(entry.path, entry.stat(follow_symlinks=False))
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
    return marks


def write_layer(root: Path, before: Mapping[str, Mark], tar: Path, *, epoch: int) -> Written:
    """Write what changed below `root` since `before` into a tar file.

    Args:
        root: the tree as it is now.
        before: what `survey` gave before the step.
        tar: file to write.
        epoch: seconds since 1970 that later times are set back to.

    Raises:
        ImagesError: a file has what a layer of ours cannot hold.
    """
    after = survey(root)
    changed = sorted(path for path, mark in after.items() if before.get(path) != mark)
    removed = _topmost(path for path in before if path not in after)
    # A folder whose entries changed has another time of change only because of them: that is no change of it.
    changed = [path for path in changed if not _same_folder(before.get(path), after[path])]
    with tarfile.open(tar, "w", format=tarfile.PAX_FORMAT) as archive:
        first_of: dict[tuple[int, int], str] = {}
        for path in changed:
            _add(archive, root, path, first_of=first_of, epoch=epoch)
        for path in removed:
            folder, name = os.path.split(path)
            archive.addfile(_plain(tarfile.TarInfo(f"{folder}/{WHITEOUT}{name}".lstrip("/")), epoch))
    with tar.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Written(digest=f"sha256:{digest}", size=tar.stat().st_size, removed=tuple(removed))


def _left_out(path: str) -> bool:
    if path in _EXACT or path.startswith(_BELOW):
        return True
    folder, _, name = path.rpartition("/")
    return (folder == "var/lib/dpkg" and name.endswith("-old")) or (folder == "etc" and name.endswith("-"))


def _mark(path: str, seen: os.stat_result) -> Mark:
    link = str(Path(path).readlink()) if stat.S_ISLNK(seen.st_mode) else ""
    return seen.st_mode, seen.st_uid, seen.st_gid, seen.st_size, seen.st_mtime_ns, link


def _same_folder(before: Mark | None, after: Mark) -> bool:
    return before is not None and stat.S_ISDIR(after[0]) and before[:3] == after[:3]


def _topmost(paths: Iterable[str]) -> list[str]:
    """Return paths without those whose folder is among them."""
    kept: list[str] = []
    for path in sorted(paths):
        if not (kept and path.startswith(f"{kept[-1]}/")):
            kept.append(path)
    return kept


def _add(archive: tarfile.TarFile, root: Path, path: str, *, first_of: dict[tuple[int, int], str], epoch: int) -> None:
    full = root / path
    seen = full.lstat()
    if not (stat.S_ISREG(seen.st_mode) or stat.S_ISDIR(seen.st_mode) or stat.S_ISLNK(seen.st_mode)):
        raise ImagesError(f"/{path} is neither a file nor a folder nor a link: it cannot be in an image")
    if stat.S_ISREG(seen.st_mode) and "security.capability" in os.listxattr(full):
        raise ImagesError(f"/{path} carries a capability, which the archives made here do not hold")
    info = tarfile.TarInfo(path)
    info.mode, info.uid, info.gid = stat.S_IMODE(seen.st_mode), seen.st_uid, seen.st_gid
    first = first_of.setdefault((seen.st_dev, seen.st_ino), path)
    if stat.S_ISDIR(seen.st_mode):
        info.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(seen.st_mode):
        info.type, info.linkname = tarfile.SYMTYPE, str(full.readlink())
    elif first != path:  # one file under two names; of files below, the layer holds another copy
        info.type, info.linkname = tarfile.LNKTYPE, first
    else:
        info.size = seen.st_size
    _plain(info, min(int(seen.st_mtime), epoch))
    if info.type == tarfile.REGTYPE:
        with full.open("rb") as stream:
            archive.addfile(info, stream)
    else:
        archive.addfile(info)


def _plain(info: tarfile.TarInfo, mtime: int) -> tarfile.TarInfo:
    info.uname = info.gname = ""
    info.mtime = mtime
    return info
