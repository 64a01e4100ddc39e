"""Where one embedded cluster keeps its files, and the few file operations that need care."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from qhub.rehearsal.cluster.errors import ClusterError

#: Seconds to wait for another start or stop of the same cluster. A cold start takes a few seconds, a few tens on a
#: machine that is busy with builds; who waits longer waits for something that hangs.
LOCK_TIMEOUT = 120.0


@dataclass(frozen=True)
class Layout:
    """The paths inside `folder`, the folder of one cluster. Nothing of a cluster lies outside it."""

    folder: Path

    @property
    def state(self) -> Path:
        """JSON: ports, process ids, what was set up."""
        return self.folder / "state.json"

    @property
    def lock(self) -> Path:
        """Held while the cluster is started, stopped, deleted or given a node."""
        return self.folder / "lock"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, certificates embedded, mode 0600."""
        return self.folder / "kubeconfig"

    @property
    def pki(self) -> Path:
        """Certificate authorities, certificates and keys, mode 0600 each."""
        return self.folder / "pki"

    @property
    def etcd_data(self) -> Path:
        """etcd's database: the whole content of the cluster."""
        return self.folder / "etcd"

    @property
    def run(self) -> Path:
        """Files written anew at every start: the components' kubeconfigs, kwok's configuration, the ready mark."""
        return self.folder / "run"

    @property
    def node(self) -> Path:
        """All that a real node keeps: images, containers, logs of pods. There when the cluster has one."""
        return self.folder / "node"

    @property
    def node_volumes(self) -> Path:
        """One folder for each volume of a real node: what users' claims hold."""
        return self.node / "volumes"

    @property
    def logs(self) -> Path:
        """One log per process, and the one of the start before as `NAME.log.1`."""
        return self.folder / "logs"

    def log(self, process: str) -> Path:
        """Return the log of one process."""
        return self.logs / f"{process}.log"

    def make_folders(self) -> None:
        """Create the folders, readable by their owner only: they hold keys and the content of Secrets."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.folder, self.pki, self.run, self.logs, self.etcd_data):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)


def write_private(path: Path, content: str | bytes) -> None:
    """Write `path` whole or not at all, mode 0600: a reader never sees half a file, a crash leaves the old one."""
    data = content.encode() if isinstance(content, str) else content
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def remove_folder(folder: Path) -> None:
    """Remove a cluster's folder, its lock in it, while this process holds the lock.

    It is moved away first: whoever waits for the lock makes folder and lock anew, and must not lose them to us. The
    name is one that a cluster may have, so that `qhub clean` can finish what was killed here.
    """
    doomed = folder.with_name(f"deleted-{secrets.token_hex(4)}")
    folder.rename(doomed)
    shutil.rmtree(doomed)


@contextmanager
def locked(path: Path, *, timeout: float = LOCK_TIMEOUT) -> Generator[None]:
    """Hold the lock file `path` for the duration of the block, against other processes and other threads.

    The kernel drops the lock when its holder dies. The folder of `path` is made when it is not there.

    Raises:
        ClusterError: another one held the lock for `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if _try_lock(descriptor, path):
                yield
                return
        finally:
            os.close(descriptor)
        if time.monotonic() > deadline:
            raise ClusterError(
                f"another command has been starting or stopping the cluster in {path.parent} for more than"
                f" {timeout:.0f} s: wait for it, or end it, then try again"
            )
        time.sleep(0.05)


def _try_lock(descriptor: int, path: Path) -> bool:
    """Lock `descriptor` if it is free and still the file at `path`: whoever deletes a cluster deletes its lock too."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    try:
        return os.fstat(descriptor).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False
