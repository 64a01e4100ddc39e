"""What `images/` says, and what follows from it: layers, names, the Dockerfile, the workflow."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from qhub.config.dask import Dask
from qhub.config.jupyterhub import JupyterHub
from qhub.config.storage import NfsServerStorage
from qhub.rehearsal.images.description import IMAGES_DIR, Images, read_images
from qhub.rehearsal.images.dockerfile import dockerfile, dockerignore
from qhub.rehearsal.images.errors import ImagesError
from qhub.rehearsal.images.layers import layers_of

CHARTS = Path(__file__).parents[3] / "qhub" / "rehearsal" / "charts"

#: Charts whose software can be run here. The others are simulated or off on every embedded node.
RUN_HERE = ("jupyterhub", "dask-gateway", "traefik")


@pytest.fixture(scope="module")
def images() -> Images:
    return read_images()


def carried(images: Images) -> list[str]:
    return [reference for image in images.built() for reference in images.references(image)]


def asked_for(chart: str) -> set[str]:
    """Return the images that a chart's values name, spelt in full as container runtimes do."""
    found: set[str] = set()

    def look(value: object) -> None:
        if not isinstance(value, dict):
            return
        if {"name", "tag"} <= value.keys() and "pullPolicy" in value:
            name = value["name"].replace("docker.io/traefik", "docker.io/library/traefik")
            found.add(f"{name}:{value['tag']}")
        for item in value.values():
            look(item)

    look(YAML(typ="safe").load(CHARTS / chart / "values.yaml"))
    if chart == "traefik":  # its values name none: the tag is the version of the program
        version = YAML(typ="safe").load(CHARTS / chart / "Chart.yaml")["appVersion"]
        found.add(f"docker.io/library/traefik:{version}")
    return found


class TestNames:
    @pytest.mark.parametrize("chart", RUN_HERE)
    def test_everything_that_a_chart_asks_for_is_there(self, images: Images, chart: str) -> None:
        asked = asked_for(chart)

        assert asked
        assert asked - set(carried(images)) == set()

    def test_everything_that_the_settings_ask_for_is_there(self, images: Images) -> None:
        storage = NfsServerStorage(kind="nfs-server", size="1Gi")
        asked = {JupyterHub().image.reference, Dask().image.reference, storage.image.reference}

        assert asked - set(carried(images)) == set()

    def test_notebooks_and_dask_are_one_image(self, images: Images) -> None:
        notebook = images.references(images.by_name["notebook"])

        assert {JupyterHub().image.reference, Dask().image.reference} <= set(notebook)

    def test_no_name_is_carried_twice(self, images: Images) -> None:
        assert sorted(carried(images)) == sorted(set(carried(images)))

    def test_a_name_is_spelt_in_full(self, images: Images) -> None:
        # A runtime takes the name in an archive as it stands, and completes the one that it is asked for.
        assert [name for name in carried(images) if not re.fullmatch(r"[a-z0-9.-]+/[a-z0-9/-]+:[\w.-]+", name)] == []


class TestPins:
    @pytest.mark.parametrize("name", ["hub", "gateway", "notebook", "ssh"])
    def test_every_python_package_has_hashes_and_no_source(self, name: str) -> None:
        text = (IMAGES_DIR / name / "requirements.txt").read_text()
        entries = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())

        assert entries
        assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []
        assert "://" not in text

    def test_every_javascript_package_has_a_hash_and_no_source(self) -> None:
        lock = json.loads((IMAGES_DIR / "proxy" / "package-lock.json").read_text())
        packages = {name: package for name, package in lock["packages"].items() if name}

        assert packages
        assert [name for name, package in packages.items() if not package["integrity"].startswith("sha512-")] == []
        assert [name for name, package in packages.items() if "resolved" in package] == []

    def test_dask_has_the_version_that_the_gateway_starts(self) -> None:
        pins = (IMAGES_DIR / "notebook" / "requirements.txt").read_text()
        server = (IMAGES_DIR / "gateway" / "requirements.txt").read_text()

        assert re.findall(r"^(?:dask|distributed|dask-gateway)==(\S+)", pins, re.MULTILINE) == ["2026.3.0"] * 3
        assert "\ndask-gateway-server==2026.3.0 " in server

    def test_hub_and_notebook_have_the_same_jupyterhub(self) -> None:
        found = [
            re.findall(r"^jupyterhub==(\S+)", (IMAGES_DIR / name / "requirements.txt").read_text(), re.MULTILINE)
            for name in ("hub", "notebook")
        ]

        assert len(found[0]) == 1
        assert found[0] == found[1]


class TestDockerfile:
    def test_it_is_what_the_descriptions_say(self, images: Images) -> None:
        assert (IMAGES_DIR / "Dockerfile").read_text() == dockerfile(images), "run make image-pins"
        assert (IMAGES_DIR / "Dockerfile.dockerignore").read_text() == dockerignore(), "run make image-pins"

    def test_every_image_is_a_target(self, images: Images) -> None:
        targets = re.findall(r"^FROM \S+ AS (\S+)$", dockerfile(images), re.MULTILINE)

        assert {image.name for image in images.built()} <= set(targets)

    def test_what_is_copied_is_there_and_not_ignored(self, images: Images) -> None:
        copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile(images), re.MULTILINE)
        sources = [source for line in copied for source in line.split()]

        assert sources
        assert [source for source in sources if not (IMAGES_DIR.parent / source).exists()] == []
        assert {source.split("/")[0] for source in sources} == {"images", "toolchain"}

    def test_the_workflow_builds_every_image(self, images: Images) -> None:
        workflow = YAML(typ="safe").load(IMAGES_DIR.parent / ".github" / "workflows" / "images.yaml")
        matrix = workflow["jobs"]["image"]["strategy"]["matrix"]["image"]

        assert matrix == sorted(image.name for image in images.built())


class TestLayers:
    def keys(self, images: Images, name: str) -> list[str]:
        return [layer.key for layer in layers_of(images.by_name[name], images, machine="amd64")]

    def test_what_images_have_in_common_is_shared(self, images: Images) -> None:
        hub, gateway, proxy = (self.keys(images, name) for name in ("hub", "gateway", "proxy"))

        assert hub[:2] == gateway[:2]
        assert hub[0] == proxy[0]
        assert set(hub[2:]).isdisjoint(gateway[2:])  # another user, other packages

    def test_another_processor_shares_nothing(self, images: Images) -> None:
        hub = images.by_name["hub"]
        arm = {layer.key for layer in layers_of(hub, images, machine="arm64")}

        assert arm.isdisjoint(self.keys(images, "hub"))

    def test_a_changed_pin_rebuilds_its_layer_alone(self, tmp_path: Path) -> None:
        folder = changed(tmp_path, "hub/requirements.txt", "\n# another\n")
        before, after = self.keys(read_images(), "hub"), self.keys(read_images(folder), "hub")

        assert [one == other for one, other in zip(before, after, strict=True)] == [True, True, False, True]
        assert self.keys(read_images(folder), "gateway") == self.keys(read_images(), "gateway")

    def test_a_changed_system_leaves_what_is_made_beside_it(self, tmp_path: Path) -> None:
        folder = changed(tmp_path, "base/image.toml", "", replace=('"tini"', '"tini", "curl"'))
        before, after = self.keys(read_images(), "traefik"), self.keys(read_images(folder), "traefik")

        assert after[0] != before[0]
        assert after[1] == before[1]

    def test_a_file_that_may_be_run_is_another(self, tmp_path: Path) -> None:
        folder = changed(tmp_path, "notebook/files/etc/profile.d/qhub.sh", "")
        (folder / "notebook/files/etc/profile.d/qhub.sh").chmod(0o755)

        assert self.keys(read_images(folder), "notebook")[-1] != self.keys(read_images(), "notebook")[-1]


def changed(tmp_path: Path, file: str, more: str, *, replace: tuple[str, str] = ("", "")) -> Path:
    """Return a copy of `images/` in which one file is another."""
    import shutil

    folder = Path(shutil.copytree(IMAGES_DIR, tmp_path / "images"))
    path = folder / file
    path.write_text(path.read_text().replace(*replace) + more)
    return folder


class TestMistakes:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ('about = "x"\npackage = ["curl"]', "package"),
            ('about = "x"\nfrom = "nowhere"', "nowhere|wrong"),
            ("about = ", "wrong/image.toml"),
        ],
    )
    def test_a_wrong_description_is_told(self, tmp_path: Path, text: str, said: str) -> None:
        folder = changed(tmp_path, "base/image.toml", "")
        (folder / "wrong").mkdir()
        (folder / "wrong" / "image.toml").write_text(text)

        with pytest.raises(ImagesError, match=said):
            read_images(folder)

    def test_an_installed_package_without_a_checkout(self, tmp_path: Path) -> None:
        with pytest.raises(ImagesError, match="from a checkout of QHub"):
            read_images(tmp_path)
