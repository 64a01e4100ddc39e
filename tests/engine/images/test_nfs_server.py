"""The NFS server's container serves what users rely on; configuration, start and rights are those of the pod.

The kernel here has no NFS client, so a client in user space looks at it.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from qhub.clouds.cluster import NodePool
from qhub.platform import nfs_server
from qhub.rehearsal.toolchain.debian import why_no_packages
from tests.engine.images.container import Container, Unpacked, free_port
from tests.engine.images.nfs import Client, NfsError

ALICE, BOB, EVE = 1001, 1002, 1003
TEAM, OTHER = 5001, 6001

pytestmark = pytest.mark.skipif(why_no_packages() is not None, reason=f"NOT CHECKED over NFS: {why_no_packages()}")


def pod_container() -> dict[str, Any]:
    """Return the container of the platform's pod."""
    args = nfs_server.NfsServerArgs(
        namespace="nfs",
        image="any",
        size="1Gi",
        storage_class=None,
        pool=NodePool(),
        resources={},
        protect=False,
    )
    spec = cast("dict[str, Any]", nfs_server._deployment_spec(args))
    (container,) = spec["template"]["spec"]["containers"]
    return container


class Server:
    """The server over a folder, to be stopped and started again."""

    def __init__(self, image: Unpacked, folder: Path, disk: Path) -> None:
        self.disk, self.port = disk, free_port()
        self._image, self._folder, self._starts = image, folder, 0
        # The pod's own configuration, but for where it listens, and for how long those who were connected may claim
        # their files: nobody does here, because this client does not know how to.
        config = nfs_server.GANESHA_CONF
        for old, new in (
            (f"NFS_Port = {nfs_server.NFS_PORT};", f"NFS_Port = {self.port};\n    Bind_addr = 127.0.0.1;"),
            (f"Lease_Lifetime = {nfs_server.LEASE_LIFETIME};", "Lease_Lifetime = 5;"),
            (f"Grace_Period = {nfs_server.GRACE_PERIOD};", "Grace_Period = 6;"),
        ):
            assert old in config
            config = config.replace(old, new)
        self._config = folder / "config"
        self._config.mkdir()
        (self._config / "ganesha.conf").write_text(config)
        self.container = self.start()

    def start(self) -> Container:
        """Start it and wait until it listens."""
        self._starts += 1
        pod = pod_container()
        self.container = Container(
            self._image,
            self._folder / f"log{self._starts}",
            entrypoint=pod["command"],
            command=[],
            binds={self.disk: nfs_server.EXPORT_PATH, self._config: "/etc/ganesha"},
            capabilities=[name.lower() for name in pod["security_context"]["capabilities"]["add"]],
        )
        self.container.__enter__()
        self.container.until(self._serves)
        return self.container

    def _serves(self) -> bool:
        """Write a file; while those who were connected may claim theirs, no other is opened."""
        with self.client(0, 0) as root:
            root.write(f"/start-{self._starts}", b"")
        return True

    def client(self, uid: int, gid: int, *groups: int) -> Client:
        """Return a client as a user."""
        return Client(self.port, uid=uid, gid=gid, groups=groups)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


@pytest.fixture
def server(image: Callable[[str], Unpacked], tmp_path: Path, disk: Path) -> Iterator[Server]:
    made = Server(image("nfs-server"), tmp_path, disk)
    yield made
    made.container.stop()


def make_folder(path: Path, *, uid: int, gid: int, mode: int) -> None:
    """Make a folder on the disk and give it to somebody, as the user pods' init container does through a node."""
    path.mkdir(parents=True)
    os.chown(path, uid, gid)
    path.chmod(mode)


@pytest.fixture
def team(server: Server) -> Server:
    """The server with a folder for a team."""
    make_folder(server.disk / "shared" / "team", uid=0, gid=TEAM, mode=0o2770)
    return server


class TestOwnership:
    def test_root_of_a_node_gives_away_and_a_home_is_its_owners(self, server: Server) -> None:
        with server.client(0, 0) as root:
            root.mkdir("/home", 0o755)
            root.write("/home/by-root", b"")
            root.chown("/home/by-root", ALICE, TEAM)
            given = root.stat("/home/by-root")
        make_folder(server.disk / "home" / "alice", uid=ALICE, gid=TEAM, mode=0o700)
        with server.client(ALICE, TEAM) as alice:
            alice.write("/home/alice/notes", b"mine")
            seen = alice.stat("/home/alice/notes")
        with server.client(BOB, TEAM) as bob, pytest.raises(NfsError) as refused:
            bob.read("/home/alice/notes")

        assert (given.uid, given.gid) == (ALICE, TEAM)
        assert (seen.uid, seen.gid) == (ALICE, TEAM)
        assert refused.value.errno == errno.EACCES
        on_disk = (server.disk / "home" / "alice" / "notes").stat()
        assert (on_disk.st_uid, on_disk.st_gid) == (ALICE, TEAM)

    def test_another_client_sees_the_same_ids_and_contents(self, team: Server) -> None:
        content = os.urandom(300_000)  # many writes and reads of the protocol
        with team.client(ALICE, TEAM) as alice:
            alice.write("/shared/team/data", content)
        with team.client(BOB, TEAM) as bob:
            seen = bob.stat("/shared/team/data")
            assert bob.read("/shared/team/data") == content

        assert (seen.uid, seen.gid) == (ALICE, TEAM)


class TestSharedFolder:
    def test_new_files_and_folders_belong_to_the_team(self, team: Server) -> None:
        """setgid: though the user's own group is another."""
        with team.client(ALICE, OTHER, TEAM) as alice:
            alice.write("/shared/team/file", b"ours")
            alice.mkdir("/shared/team/folder", 0o2770)
            file, folder = alice.stat("/shared/team/file"), alice.stat("/shared/team/folder")

        assert (file.uid, file.gid) == (ALICE, TEAM)
        assert (folder.uid, folder.gid, folder.mode & 0o7777) == (ALICE, TEAM, 0o2770)

    def test_a_member_changes_what_another_has_written(self, team: Server) -> None:
        with team.client(ALICE, OTHER, TEAM) as alice:
            alice.write("/shared/team/file", b"first")
            alice.chmod("/shared/team/file", 0o664)
        with team.client(BOB, OTHER, TEAM) as bob:
            bob.overwrite("/shared/team/file", b"second")
            assert bob.read("/shared/team/file") == b"second"
            assert bob.stat("/shared/team/file").uid == ALICE

    def test_nobody_else_gets_in(self, team: Server) -> None:
        with team.client(EVE, OTHER) as eve:
            with pytest.raises(NfsError) as reading:
                eve.stat("/shared/team/file")
            with pytest.raises(NfsError) as writing:
                eve.write("/shared/team/file", b"mine now")

        assert (reading.value.errno, writing.value.errno) == (errno.EACCES, errno.EACCES)
        assert list((team.disk / "shared" / "team").iterdir()) == []


class TestRestart:
    @pytest.mark.parametrize("times", [1, 2])
    def test_a_killed_server_loses_nothing(self, team: Server, times: int) -> None:
        for turn in range(times):
            with team.client(ALICE, TEAM) as alice:
                alice.write(f"/shared/team/{turn}", f"kept {turn}".encode())
            team.container.kill()
            team.start()
        with team.client(BOB, TEAM) as bob:
            assert [bob.read(f"/shared/team/{turn}") for turn in range(times)] == [
                f"kept {turn}".encode() for turn in range(times)
            ]
            assert bob.stat("/shared/team").mode & 0o7777 == 0o2770


class Disk:
    """A file with a file system in it, as a claim gives a server one."""

    def __init__(self, folder: Path, *, size: int) -> None:
        self._file, self.folder = folder / "disk.img", folder / "disk"
        self.folder.mkdir(exist_ok=True)
        self._resize(size)
        self._run("mkfs.ext4", "-q", str(self._file))

    def mount(self) -> None:
        """Let it appear in its folder."""
        self._run("mount", "--options", "loop", str(self._file), str(self.folder))

    def unmount(self) -> None:
        """Take it away again, if it is there."""
        if os.path.ismount(self.folder):
            self._run("umount", str(self.folder))

    def grow(self, size: int) -> None:
        """Make it larger while it is not mounted: on this machine not even root may while it is."""
        self._resize(size)
        self._run("e2fsck", "-f", "-p", str(self._file), ends=(0, 1))  # 1: mended, as after a server that was killed
        self._run("resize2fs", str(self._file))

    def _resize(self, size: int) -> None:
        with self._file.open("ab") as stream:
            stream.truncate(size)

    def _run(self, *command: str, ends: Sequence[int] = (0,)) -> None:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in ends:
            raise OSError(f"{command[0]} ended with {done.returncode}: {done.stdout.strip()} {done.stderr.strip()}")


class TestGrowing:
    def test_a_larger_disk_loses_nothing(self, image: Callable[[str], Unpacked], tmp_path: Path) -> None:
        programs = ("mkfs.ext4", "mount", "umount", "e2fsck", "resize2fs")
        if missing := [name for name in programs if shutil.which(name) is None]:
            pytest.skip(f"NOT CHECKED: no {', '.join(missing)} to make a disk that grows")
        content = os.urandom(100_000)
        disk = Disk(tmp_path, size=64 << 20)
        try:
            disk.mount()
        except OSError as error:
            pytest.skip(f"NOT CHECKED: no disk that grows can be mounted here: {error}")
        try:
            server = Server(image("nfs-server"), tmp_path, disk.folder)
            try:
                make_folder(disk.folder / "team", uid=0, gid=TEAM, mode=0o2770)
                with server.client(ALICE, TEAM) as alice:
                    alice.write("/team/data", content)
                    before = alice.room()
                server.container.stop()
                disk.unmount()
                disk.grow(256 << 20)
                disk.mount()
                server.start()
                with server.client(BOB, TEAM) as bob:
                    after = bob.room()
                    assert bob.read("/team/data") == content
                    assert bob.stat("/team/data").uid == ALICE
                    assert bob.stat("/team").mode & 0o7777 == 0o2770
            finally:
                server.container.stop()
        finally:
            disk.unmount()
        assert before < 64 << 20 < 128 << 20 < after
