"""The files that are imported: what they hold is what they say, and the same input gives the same bytes."""

from __future__ import annotations

import io
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import pytest
from rich.console import Console

from qhub.automation import building
from qhub.automation.timing import Parts
from qhub.rehearsal.images import BuiltImage, ensure_images, find_images, why_not
from qhub.rehearsal.images.description import IMAGES_DIR, read_images
from qhub.rehearsal.images.layers import layers_of
from qhub.rehearsal.images.store import images_dir
from tests.engine.images.container import read_archive, unpack_image

NAMES = [image.name for image in read_images().built()]


@pytest.fixture
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, empty, on a machine that can build."""
    if why := why_not():
        pytest.skip(f"NOT CHECKED, images cannot be built: {why}")
    monkeypatch.setenv("QHUB_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "images"


class TestEach:
    @pytest.mark.parametrize("name", NAMES)
    def test_it_carries_its_names_and_whole_layers(self, built: Callable[[str], BuiltImage], name: str) -> None:
        image = built(name)
        index, manifest, sizes = read_archive(image)  # checks every digest
        told = [each["annotations"]["io.containerd.image.name"] for each in index["manifests"]]

        assert tuple(told) == image.references
        assert {each["digest"] for each in index["manifests"]} == {image.digest}
        assert [sizes[each["digest"]] for each in manifest["layers"]] == [each["size"] for each in manifest["layers"]]
        # Not compressed: the digest of a layer is the digest of its contents.
        assert manifest["config"]["rootfs"]["diff_ids"] == [each["digest"] for each in manifest["layers"]]
        assert manifest["config"]["os"] == "linux"

    def test_layers_are_shared(self, built: Callable[[str], BuiltImage]) -> None:
        hub, gateway = (
            [each["digest"] for each in read_archive(built(name))[1]["layers"]] for name in ("hub", "gateway")
        )

        assert hub[:2] == gateway[:2]

    def test_nothing_of_this_machine_is_inside(self, built: Callable[[str], BuiltImage], tmp_path: Path) -> None:
        """Which mirror it came from, where it was built.

        Below /usr lie the packages as their authors wrote them: some name a host for their own reasons.
        """
        image = built("hub")
        root = unpack_image(image, tmp_path).root
        said = subprocess.run(
            ["apt-get", "indextargets", "--format", "$(SITE)"], capture_output=True, text=True, check=True
        )
        hosts = {host for line in said.stdout.splitlines() if (host := urlsplit(line).hostname)}
        settings = [
            path
            for path in root.rglob("*")
            if path.is_file() and not path.is_symlink() and not path.is_relative_to(root / "usr")
        ]

        assert hosts
        assert (root / "etc/apt/sources.list") in settings
        told = {path: [host for host in hosts if host.encode() in path.read_bytes()] for path in settings}
        assert {path: names for path, names in told.items() if names} == {}
        assert str(images_dir()).encode() not in image.archive.read_bytes()


class TestBuilding:
    """By the smallest image: one program from nothing."""

    def build(self) -> tuple[BuiltImage, str]:
        told = io.StringIO()
        (image,) = ensure_images(["pause"], report=Console(file=told, width=200))
        return image, told.getvalue()

    def test_twice_gives_the_same_bytes(self, apart: Path) -> None:
        first, _ = self.build()
        content = first.archive.read_bytes()
        shutil.rmtree(apart)
        second, _ = self.build()

        assert second.digest == first.digest
        assert second.archive.read_bytes() == content

    def test_it_tells_what_it_does_and_then_nothing(self, apart: Path) -> None:
        _, told = self.build()
        _, again = self.build()

        assert "Building images: pause" in told
        assert "built pause (go)" in told
        assert again == ""

    def test_it_finds_without_building(self, apart: Path) -> None:
        assert find_images(["pause"]) == {"pause": None}
        image, _ = self.build()
        assert find_images(["pause"]) == {"pause": image}

    def test_a_lost_layer_or_archive_is_made_again(self, apart: Path) -> None:
        image, _ = self.build()
        image.archive.unlink()
        assert self.build()[0] == image
        for layer in (apart / "layers").glob("*.tar"):
            layer.write_bytes(b"cut off")
        image.archive.unlink()
        again, told = self.build()

        assert "built pause (go)" in told
        assert again == image
        read_archive(again)

    def test_a_killed_build_leaves_nothing_running_and_the_next_goes_on(self, apart: Path) -> None:
        """Killed while the compiler runs: whoever comes next ends it and builds."""
        script = "from rich.console import Console\nfrom qhub.rehearsal.images import ensure_images\n"
        script += "ensure_images(['pause'], report=Console())"
        (layer, *_) = layers_of(read_images().by_name["pause"], read_images(), machine=_machine())
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL) as builder:
            while not (apart / "work" / layer.key).exists():
                assert builder.poll() is None
                time.sleep(0.01)
            builder.send_signal(signal.SIGKILL)
        image, _ = self.build()

        read_archive(image)
        assert not (apart / "work").exists()
        assert not (apart / "build.json").exists()

    def test_an_interrupt_ends_what_goes_on_beside(self, apart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """As Ctrl-C does, which reaches the main thread alone, where the tools are built."""

        def interrupted(*_: object, **__: object) -> NoReturn:
            while not (apart / "work").exists():
                time.sleep(0.01)
            raise KeyboardInterrupt

        # With nothing compiled before, it goes on long enough to be interrupted.
        monkeypatch.setenv("GOCACHE", str(apart / "compiled"))
        monkeypatch.setattr(building, "ensure_tools", interrupted)
        with pytest.raises(KeyboardInterrupt):
            building.tools_and_images(["etcd"], ["pause"], console=Console(file=io.StringIO()), parts=Parts())

        assert find_images(["pause"]) == {"pause": None}
        assert not (apart / "work").exists()
        assert not (apart / "build.json").exists()

    def test_two_at_once_build_it_once(self, apart: Path) -> None:
        command = [str(Path(sys.executable).with_name("qhub")), "images", "build", "pause"]
        both = [
            subprocess.Popen(
                command, cwd=IMAGES_DIR.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            for _ in range(2)
        ]
        told = [each.communicate()[0] for each in both]

        assert [each.returncode for each in both] == [0, 0], told
        assert sum("built pause (go)" in text for text in told) == 1
        assert json.loads((apart / "images" / "pause.json").read_text())["digest"] in told[0]


def _machine() -> str:
    return subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
