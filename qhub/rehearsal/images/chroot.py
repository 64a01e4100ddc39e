"""Run a command in a tree of files as if it were the system: with namespaces of its own, and without a network."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from qhub.rehearsal.images.errors import ImagesError
from qhub.rehearsal.toolchain.processes import MARK

#: Lines of a log in an error message: an error and what led to it fit on a screen.
LAST_LINES = 20

#: Mounts are in a namespace of their own: they go with the process, however it ends. $1 is the tree.
_INSIDE = """\
root=$1; shift
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
while [ "$1" != -- ]; do
    mkdir -p "$root$2"
    mount --bind "$1" "$root$2"
    shift 2
done
shift
exec chroot "$root" "$@"
"""
#: PYTHONDONTWRITEBYTECODE: a compiled file holds the time of its source, which the layer may set back.
_INSIDE_ENVIRONMENT = {
    "PATH": "/opt/qhub/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
    "PYTHONDONTWRITEBYTECODE": "1",
}
_UNSHARE = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--net", "--propagation", "private")


class Shell:
    """Runs the commands of one step; all that they say goes into its log.

    Args:
        log: written anew.
        mark: the cache folder that is built for, see `qhub.rehearsal.toolchain.processes.end_builds`.
        epoch: time for what is made reproducible by it, seconds since 1970.
    """

    def __init__(self, log: Path, *, mark: Path, epoch: int) -> None:
        self._log = log
        self._environment = {**os.environ, MARK: str(mark), "SOURCE_DATE_EPOCH": str(epoch), "LC_ALL": "C.UTF-8"}
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")

    def run(self, command: Sequence[str], *, folder: Path | None = None, env: Mapping[str, str] | None = None) -> None:
        """Run a command of this machine, a little behind what people do on it.

        Raises:
            ImagesError: it failed; the message has what was said last.
        """
        with self._log.open("ab") as stream:
            done = subprocess.run(
                ["nice", *command],
                cwd=folder,
                env={**self._environment, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # out of reach of a Ctrl-C: whoever started it ends it
                check=False,
            )
        if done.returncode != 0:
            raise ImagesError(self._failure(command, done.returncode))

    def inside(self, root: Path, command: Sequence[str], *, binds: Mapping[str, Path] | None = None) -> None:
        """Run a command in the tree at `root` as its root, without a network.

        Args:
            root: the tree.
            command: looked up in the tree.
            binds: folders of this machine, by where they appear in the tree.

        Raises:
            ImagesError: as `run`.
        """
        mounts = [part for target, source in (binds or {}).items() for part in (str(source), target)]
        # Nothing of this machine's environment: not what its pip is set to, nor a proxy.
        variables = [f"{name}={value}" for name, value in _INSIDE_ENVIRONMENT.items()]
        variables.append(f"SOURCE_DATE_EPOCH={self._environment['SOURCE_DATE_EPOCH']}")
        self.run([*_UNSHARE, "sh", "-ec", _INSIDE, "sh", str(root), *mounts, "--", "env", "-i", *variables, *command])

    def _failure(self, command: Sequence[str], returncode: int) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()[-LAST_LINES:]
        said = "\n".join(f"    {line}" for line in lines) or "    (nothing)"
        ended = f"was killed by signal {-returncode}" if returncode < 0 else f"ended with code {returncode}"
        return f"{command[0]} {ended}. It said last:\n{said}\nThe whole output: {self._log}"
