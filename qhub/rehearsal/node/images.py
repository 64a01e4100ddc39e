"""Images of a real node: nothing is ever pulled, every image is imported from a file."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from qhub.rehearsal.cluster.errors import ClusterError
from qhub.rehearsal.cluster.layout import Layout, write_private
from qhub.rehearsal.cluster.network import Place
from qhub.rehearsal.node.archive import ARCHITECTURES, image_names, write_archive
from qhub.rehearsal.node.files import CONTAINERD_SOCKET, PAUSE
from qhub.rehearsal.node.programs import Programs

#: containerd's own namespace of what Kubernetes uses.
NAMESPACE = "k8s.io"


@dataclass(frozen=True)
class Images:
    """The images of one running node. Used under the cluster's lock.

    Attributes:
        layout: the cluster's files.
        place: where the node is.
        programs: its programs.
    """

    layout: Layout
    place: Place
    programs: Programs

    def ensure(self, archives: Iterable[Path], *, report: Callable[[str], None]) -> list[str]:
        """Import the archives whose content is not there yet; return the names of all images in them.

        Raises:
            ClusterError: a file is no image archive, or containerd does not take it.
        """
        known = self._known()
        present = set(self._ctr("images", "list", "-q").split())
        names: list[str] = []
        for archive in archives:
            try:
                digest, inside = _digest(archive), image_names(archive)
            except (OSError, ValueError) as error:
                raise ClusterError(str(error)) from error
            names += inside
            if all(known.get(name) == digest and name in present for name in inside):
                continue
            report(f"Importing {', '.join(inside)} from {archive}")
            with archive.open("rb") as stream:
                self._ctr("images", "import", "--digests=false", "-", stdin=stream.fileno())
            known |= dict.fromkeys(inside, digest)
            write_private(self._record, json.dumps(known, indent=1))
        return names

    def ensure_pause(self, *, report: Callable[[str], None]) -> None:
        """Import the image that holds a pod's namespaces, made from one static program."""
        archive = self.layout.run / "pause.tar"
        write_pause(archive, self.programs.find("catatonit"))
        self.ensure([archive], report=report if PAUSE not in self._known() else lambda _: None)

    @property
    def _record(self) -> Path:
        return self.layout.node / "images.json"

    def _known(self) -> dict[str, str]:
        """Return the digest of the archive that each image came from, by the image's name."""
        try:
            return json.loads(self._record.read_text())
        except FileNotFoundError:
            return {}

    def _ctr(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> str:
        command: Sequence[str] = (
            *self.place.enter_node, str(self.programs.find("ctr")),
            "--address", CONTAINERD_SOCKET, "--namespace", NAMESPACE, *arguments,
        )  # fmt: skip
        done = subprocess.run(
            command,
            env={**os.environ, **self.programs.environment},
            stdin=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            raise ClusterError(f"`ctr {' '.join(arguments[:2])}` failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout


def write_pause(archive: Path, program: Path) -> None:
    """Write the image that holds a pod's namespaces: `program` alone, which waits and reaps orphans."""
    write_archive(
        archive,
        name=PAUSE,
        architecture=ARCHITECTURES[platform.machine()],
        files={"catatonit": (program.read_bytes(), 0o755)},
        config={"Entrypoint": ["/catatonit", "-P"]},
    )


def _digest(archive: Path) -> str:
    with archive.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
