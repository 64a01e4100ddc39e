"""Run an image without a node: its archive unpacked as an importer does, its program started in that tree.

Namespaces for mounts and processes are the container's own, so that whatever it starts goes with it. The network is the
machine's, on 127.0.0.1.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import psutil

from qhub.rehearsal.images import BuiltImage

Answer = TypeVar("Answer")

#: How long a start may take on a busy machine before it counts as none.
PATIENCE_SECONDS = 120

#: What container runtimes leave to root, beside what a pod adds.
DEFAULT_CAPABILITIES = (
    *("chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap"),
    *("net_bind_service", "net_raw", "sys_chroot", "mknod", "audit_write", "setfcap"),
)

#: $1 root, $2 binds ("source:target ..."), then the command. A fresh /tmp, as on a node.
_SETUP = """\
root=$1; binds=$2; shift 2
mkdir -p "$root/proc" "$root/dev" "$root/tmp"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
for bind in $binds; do
    target="$root${bind#*:}"
    if [ -d "${bind%%:*}" ]; then mkdir -p "$target"; else mkdir -p "$(dirname "$target")"; : > "$target"; fi
    mount --bind "${bind%%:*}" "$target"
done
exec "$@"
"""


@dataclass(frozen=True)
class Unpacked:
    """An image as it lies on a node: its tree, and how it is run."""

    name: str
    root: Path
    config: Mapping[str, Any]


def read_archive(image: BuiltImage) -> tuple[dict[str, Any], dict[str, Any], dict[str, int]]:
    """Return index, config and {digest: size} of an archive whose every blob is what its name says."""
    sizes: dict[str, Any] = {}
    small: dict[str, bytes] = {}
    with tarfile.open(image.archive) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            assert stream is not None
            if member.name.startswith("blobs/sha256/"):
                digest = f"sha256:{member.name.rpartition('/')[2]}"
                assert f"sha256:{hashlib.file_digest(cast('Any', stream), 'sha256').hexdigest()}" == digest
                sizes[digest] = member.size
                stream.seek(0)
                if member.size < 1_000_000:
                    small[digest] = stream.read()
            else:
                small[member.name] = stream.read()
    index = json.loads(small["index.json"])
    manifest = json.loads(small[image.digest])
    return index, manifest | {"config": json.loads(small[manifest["config"]["digest"]])}, sizes


def unpack_image(image: BuiltImage, folder: Path) -> Unpacked:
    """Unpack the layers of an archive, lowest first."""
    _, manifest, _ = read_archive(image)
    root = folder / "root"
    root.mkdir()
    with tarfile.open(image.archive) as archive:
        for each in manifest["layers"]:
            layer = archive.extractfile(f"blobs/{each['digest'].replace(':', '/')}")
            assert layer is not None
            _apply(cast("BinaryIO", layer), root)
    return Unpacked(image.name, root, manifest["config"]["config"])


def _apply(layer: BinaryIO, root: Path) -> None:
    """Lay one layer over a tree, as the image specification says: first what it removes, then what it brings."""
    with tarfile.open(fileobj=layer) as content:
        removed = [Path(name) for name in content.getnames() if Path(name).name.startswith(".wh.")]
    for path in removed:
        victim = root / path.parent / path.name.removeprefix(".wh.")
        shutil.rmtree(victim) if victim.is_dir() and not victim.is_symlink() else victim.unlink()
    layer.seek(0)
    command = [
        "tar",
        "--extract",
        "--directory",
        str(root),
        "--numeric-owner",
        "--same-owner",
        "--preserve-permissions",
    ]
    with subprocess.Popen([*command, "--exclude=.wh.*"], stdin=subprocess.PIPE) as tar:
        assert tar.stdin is not None
        shutil.copyfileobj(layer, tar.stdin, 1 << 20)
        tar.stdin.close()
    assert tar.returncode == 0


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Container:
    """A running program of an image. Use as a context; what it says is in `log`.

    Args:
        image: what to run.
        command: in place of the image's command; its entrypoint stays, as with `args` of a pod.
        entrypoint: in place of the image's, as with `command` of a pod.
        env: beside the image's.
        user: `uid:gid` in place of the image's.
        groups: supplementary groups.
        binds: {folder or file of this machine: place in the container}.
        capabilities: beside what runtimes leave to root.
    """

    image: Unpacked
    log: Path
    command: Sequence[str] | None = None
    entrypoint: Sequence[str] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    groups: Sequence[int] = ()
    binds: Mapping[Path, str] = field(default_factory=dict)
    capabilities: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Container:
        with self.log.open("wb") as stream:
            self.process = subprocess.Popen(
                self._whole_command(), stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
            )
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _whole_command(self) -> list[str]:
        config = self.image.config
        uid, _, gid = (self.user or config.get("User") or "0:0").partition(":")
        allowed = ",".join(f"+{name}" for name in (*DEFAULT_CAPABILITIES, *self.capabilities))
        variables = dict(each.split("=", maxsplit=1) for each in config.get("Env", ())) | dict(self.env)
        entrypoint = list(config.get("Entrypoint", ()) if self.entrypoint is None else self.entrypoint)
        command = list(config.get("Cmd", ()) if self.command is None else self.command)
        # Looked up by the image's own PATH, as a runtime does; chroot itself would look by the machine's.
        program, *rest = [*entrypoint, *command]
        found = self._find(program, variables.get("PATH", ""))
        binds = " ".join(f"{source}:{target}" for source, target in self.binds.items())
        unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--propagation", "private"]
        drop = ["setpriv", f"--bounding-set=-all,{allowed}", "--inh-caps=-all"]
        groups = [f"--groups={','.join(map(str, self.groups))}"] if self.groups else []
        change = ["chroot", f"--userspec={uid}:{gid or 0}", *groups]
        clean = [f"{name}={value}" for name, value in variables.items()]
        inside = [str(self.image.root), *self._in_workdir(config.get("WorkingDir", "/"), clean, [found, *rest])]
        return [*unshare, "sh", "-ec", _SETUP, "sh", str(self.image.root), binds, *drop, *change, *inside]

    def _in_workdir(self, workdir: str, clean: list[str], command: list[str]) -> list[str]:
        if not (self.image.root / "usr/bin/env").exists():  # an image from scratch has nothing beside its program
            return command
        return ["/usr/bin/env", "-i", f"--chdir={workdir or '/'}", *clean, *command]

    def _find(self, program: str, path: str) -> str:
        if "/" in program:
            return program
        for folder in path.split(":"):
            if os.path.lexists(self.image.root / folder.removeprefix("/") / program):
                return f"{folder}/{program}"
        raise AssertionError(f"{self.image.name} has no {program} on {path}")

    def said(self) -> str:
        """Return what it has said."""
        return self.log.read_text(errors="replace")

    def until(self, what: Callable[[], Answer | None]) -> Answer:
        """Return the first answer that `what` gives; an error of the network is none. Fails when the program ends."""
        end = time.monotonic() + PATIENCE_SECONDS
        last: object = None
        while time.monotonic() < end:
            assert self.process is not None
            assert self.process.poll() is None, f"{self.image.name} ended by itself:\n{self.said()}"
            try:
                if (answer := what()) is not None:
                    return answer
            except OSError as error:
                last = error
            time.sleep(0.1)
        raise AssertionError(f"{self.image.name}: no answer ({last}). It said:\n{self.said()}")

    def wait(self) -> str:
        """Return what it said once it has ended well."""
        assert self.process is not None
        code = self.process.wait(PATIENCE_SECONDS)
        assert code == 0, f"{self.image.name} ended with {code}:\n{self.said()}"
        return self.said()

    def kill(self) -> None:
        """End it at once, with all that it started, as a node that loses power."""
        assert self.process is not None
        # Its first process takes all of its namespace with it. `--kill-child` alone does not: the kernel forgets the
        # signal at the death of the parent when a program changes its user.
        first = psutil.Process(self.process.pid).children()
        self.process.kill()
        for process in first:
            process.kill()
        self.process.wait()
        psutil.wait_procs(first)

    def stop(self) -> None:
        """End it if it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.kill()


def get(url: str, *, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Return status and text of an answer; one of failure is an answer too."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=dict(headers or {})), timeout=20) as answer:  # noqa: S310
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")


def post(url: str, content: object = None, *, headers: Mapping[str, str] | None = None) -> Any:
    """Send JSON, return JSON; None where the answer is empty."""
    data = json.dumps(content or {}).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json", **(headers or {})})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.loads(answer.read() or "null")
