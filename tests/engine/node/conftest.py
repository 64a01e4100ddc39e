"""One cluster with a real node, and simulated ones beside it, for all tests of this folder; and what they need."""

from __future__ import annotations

import platform
import re
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from qhub.rehearsal.cluster import EmbeddedCluster
from qhub.rehearsal.cluster.api import Api
from qhub.rehearsal.node import why_not
from qhub.rehearsal.node.archive import ARCHITECTURES, write_archive
from qhub.rehearsal.toolchain import tool_path
from qhub.rehearsal.toolchain.debian import ensure_packages, find_program
from tests.engine.conftest import administrator
from tests.engine.node.pods import IMAGE, Pods


@pytest.fixture(scope="session", autouse=True)
def _can_run() -> None:
    if why := why_not():
        pytest.skip(f"NO REAL NODE IS TESTED: {why}")


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of `IMAGE`: one program that is a shell, a web server and a client, kubectl, and their libraries.

    A static shell would look names up by libraries that are not there.
    """
    programs = {
        "bin/busybox": find_program("busybox", ensure_packages(["busybox"])),
        "bin/kubectl": tool_path("kubectl"),
    }
    libraries = {str(path).removeprefix("/"): path for program in programs.values() for path in libraries_of(program)}
    archive = tmp_path_factory.mktemp("image") / "shell.tar"
    write_archive(
        archive,
        name=IMAGE,
        architecture=ARCHITECTURES[platform.machine()],
        files={
            "tmp/.keep": (b"", 0o644),
            **{name: (path.read_bytes(), 0o755) for name, path in {**programs, **libraries}.items()},
        },
        config={"Env": ["PATH=/bin"]},
    )
    return archive


def libraries_of(program: Path) -> list[Path]:
    """Return the libraries of a program, the one that loads the others among them; none for a static one."""
    said = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False).stdout
    return [Path(path) for path in re.findall(r"(/\S+) \(0x", said)]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, image: Path) -> Iterator[EmbeddedCluster]:
    """A running cluster with both kinds of nodes and the test's image."""
    made = EmbeddedCluster("real", tmp_path_factory.mktemp("real-node") / "real", kind="both")
    try:
        made.start()
        made.import_images([image])
        yield made
    finally:
        made.delete()


@pytest.fixture
def api(cluster: EmbeddedCluster) -> Api:
    """The administrator's client."""
    return administrator(cluster)


@pytest.fixture
def pods(cluster: EmbeddedCluster) -> Iterator[Pods]:
    """Pods in a namespace of the test's own, deleted after it."""
    made = Pods(cluster, f"test-{uuid.uuid4().hex[:8]}")
    made.begin()
    yield made
    made.end()
