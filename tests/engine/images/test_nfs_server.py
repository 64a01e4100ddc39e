"""The NFS server's container serves what users rely on; configuration, start and rights are those of the pod.

The kernel here has no NFS client, so a client in user space looks at it.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
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
        # their files: a test that waits 30 s for nobody would be a slow one.
        config = nfs_server.GANESHA_CONF
        for old, new in (
            (f"NFS_Port = {nfs_server.NFS_PORT};", f"NFS_Port = {self.port};\n    Bind_addr = 127.0.0.1;"),
            (f"Lease_Lifetime = {nfs_server.LEASE_LIFETIME};", "Lease_Lifetime = 1;"),
            (f"Grace_Period = {nfs_server.GRACE_PERIOD};", "Grace_Period = 2;"),
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
        self.container.until(self._listens)
        return self.container

    def _listens(self) -> bool | None:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5):
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


@pytest.fixture
def team(server: Server) -> Server:
    """The server with a folder for a team, made by root of a node as the user pods' init container does."""
    with server.client(0, 0) as root:
        root.mkdir("/shared", 0o755)
        root.mkdir("/shared/team", 0o700)
        root.chown("/shared/team", 0, TEAM)
        root.chmod("/shared/team", 0o2770)
    return server


class TestOwnership:
    def test_root_of_a_node_gives_a_home_to_its_owner(self, server: Server) -> None:
        with server.client(0, 0) as root:
            root.mkdir("/home", 0o755)
            root.mkdir("/home/alice", 0o700)
            root.chown("/home/alice", ALICE, TEAM)
        with server.client(ALICE, TEAM) as alice:
            alice.write("/home/alice/notes", b"mine")
            seen = alice.stat("/home/alice/notes")
        with server.client(BOB, TEAM) as bob, pytest.raises(NfsError) as refused:
            bob.read("/home/alice/notes")

        assert (seen.uid, seen.gid) == (ALICE, TEAM)
        assert refused.value.errno == errno.EACCES
        on_disk = (server.disk / "home" / "alice" / "notes").stat()
        assert (on_disk.st_uid, on_disk.st_gid) == (ALICE, TEAM)

    def test_another_client_sees_the_same_ids_and_contents(self, team: Server) -> None:
        content = os.urandom(3_000_000)  # more than one write and one read of the protocol
        with team.client(ALICE, TEAM) as alice:
            alice.write("/shared/team/data", content[:1_000_000])
        with team.client(BOB, TEAM) as bob:
            seen = bob.stat("/shared/team/data")
            assert bob.read("/shared/team/data") == content[:1_000_000]

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
            bob.write("/shared/team/file", b"second")
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
    @pytest.mark.parametrize("times", [1, 3])
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

    def test_who_stays_connected_goes_on(self, team: Server) -> None:
        """As a node does: its mount hangs while the server is away, and then works."""
        with team.client(ALICE, TEAM) as alice:
            alice.write("/shared/team/before", b"1")
            team.container.kill()
            team.start()
            alice.write("/shared/team/after", b"2")
            assert alice.read("/shared/team/before") == b"1"
            assert alice.read("/shared/team/after") == b"2"


class TestGrowing:
    @pytest.fixture
    def disk(self, tmp_path: Path) -> Iterator[Path]:
        """A disk with a file system of its own, as a claim gives one."""
        programs = ("mkfs.ext4", "losetup", "mount", "resize2fs")
        if missing := [name for name in programs if shutil.which(name) is None]:
            pytest.skip(f"NOT CHECKED: no {', '.join(missing)} to make a disk that grows")
        file, folder = tmp_path / "disk.img", tmp_path / "disk"
        folder.mkdir()
        with file.open("wb") as stream:
            stream.truncate(64 << 20)
        subprocess.run(["mkfs.ext4", "-q", str(file)], check=True)
        made = subprocess.run(["losetup", "--find", "--show", str(file)], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            pytest.skip(f"NOT CHECKED: no loop device for a disk that grows: {made.stderr.strip()}")
        device = made.stdout.strip()
        try:
            subprocess.run(["mount", device, str(folder)], check=True)
            try:
                yield folder
            finally:
                subprocess.run(["umount", "--lazy", str(folder)], check=True)
        finally:
            subprocess.run(["losetup", "--detach", device], check=True)

    def test_a_larger_disk_while_it_is_used_loses_nothing(self, team: Server) -> None:
        file = team.disk.parent / "disk.img"
        content = os.urandom(1_000_000)
        with team.client(ALICE, TEAM) as alice:
            alice.write("/shared/team/data", content)
            before = alice.room()
            with file.open("r+b") as stream:
                stream.truncate(256 << 20)
            device = subprocess.run(
                ["findmnt", "--noheadings", "--output", "SOURCE", str(team.disk)],
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
            subprocess.run(["losetup", "--set-capacity", device], check=True)
            subprocess.run(["resize2fs", device], check=True, capture_output=True)
            after = alice.room()

            assert alice.read("/shared/team/data") == content
        assert before < 64 << 20 < 128 << 20 < after
