"""What `images/` says: one description for each image, read and checked.

A description is `images/<name>/image.toml`, with what it names lying beside it:

| file | what it is |
|---|---|
| `requirements.txt` | Python packages with hashes, for `[python]`; `make image-pins` writes it |
| `package.json`, `package-lock.json` | JavaScript packages with hashes, for `[npm]` |
| `files/` | files of ours, laid over `/`; who may run them is as in the checkout |

One that has no `references` is not an image of its own: others start from it. One whose list is empty is known by our
own name alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qhub.rehearsal.images.errors import ImagesError

#: The checkout: modules of Go are named from here.
CHECKOUT = Path(__file__).resolve().parents[3]
IMAGES_DIR = CHECKOUT / "images"
#: Where an image starts from that needs nothing of a system.
SCRATCH = "scratch"

Model = TypeVar("Model", bound=BaseModel)


class _Part(BaseModel):
    """Base of all: a key that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Debian(_Part):
    """The release of Debian below everything, and the minor version of its Python, which wheels have to fit."""

    suite: str
    components: tuple[str, ...]
    python: str


class Engine(_Part):
    """Public images that the Dockerfile starts from."""

    debian: str
    go: str
    node: str


class Common(_Part):
    """`images/images.toml`."""

    release: str
    created: datetime
    prefix: str
    debian: Debian
    engine: Engine

    @property
    def epoch(self) -> int:
        """`created` in seconds since 1970."""
        return int(self.created.timestamp())


class Python(_Part):
    """A virtual environment at `/opt/qhub`. `user_site`: what a user installs with `--user` is found."""

    user_site: bool = False


class Npm(_Part):
    """JavaScript packages in a folder; what matches `drop` is left out."""

    folder: str
    drop: tuple[str, ...] = ()


class Go(_Part):
    """One program, linked statically.

    Attributes:
        module: folder with `go.mod` and `go.sum`, from the checkout's root.
        prepare: a shell script in that folder that is run in a copy of it first, if there is anything to prepare.
        package: what is built.
        output: where it lies in the image.
        requires: the Go module whose version is the program's, if it is not our own.
        version_variable: linker variable that receives that version.
    """

    module: str
    package: str
    output: str
    prepare: str | None = None
    requires: str | None = None
    version_variable: str | None = None


class Folder(_Part):
    """An empty folder that belongs to a user and the group of the same number."""

    path: str
    owner: int


class User(_Part):
    """A user with a home folder; `gid` is made where Debian has none of that number."""

    name: str
    uid: int
    gid: int
    home: str


class Run(_Part):
    """How a container of the image runs, where the pod does not say otherwise."""

    user: str = ""
    workdir: str = ""
    env: dict[str, str] = Field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()


class Image(_Part):
    """One description."""

    name: str
    folder: Path
    about: str
    starts_from: str | None = Field(default=None, alias="from")
    references: tuple[str, ...] | None = None
    packages: tuple[str, ...] = ()
    python: Python | None = None
    npm: Npm | None = None
    go: Go | None = None
    folders: tuple[Folder, ...] = ()
    user: User | None = None
    run: Run = Run()

    @property
    def parent(self) -> str | None:
        """Name of the image that it starts from; None for the first of all and for one from scratch."""
        return None if self.starts_from == SCRATCH else self.starts_from

    @property
    def files(self) -> list[Path]:
        """Files of ours, and links that are to be links there too, sorted."""
        found = (self.folder / "files").rglob("*")
        return sorted(path for path in found if path.is_symlink() or not path.is_dir())


class Images:
    """All descriptions.

    Attributes:
        common: what they have in common.
        by_name: each, after the one that it starts from.
    """

    def __init__(self, common: Common, images: Iterable[Image]) -> None:
        self.common = common
        self.by_name: dict[str, Image] = {}
        waiting = {image.name: image for image in sorted(images, key=lambda image: image.name)}
        while waiting:
            ready = [image for image in waiting.values() if image.parent is None or image.parent in self.by_name]
            if not ready:
                raise ImagesError(f"{', '.join(waiting)}: start from each other, or from what is not there")
            for image in ready:
                self.by_name[image.name] = waiting.pop(image.name)

    def built(self) -> list[Image]:
        """Return those that are images of their own."""
        return [image for image in self.by_name.values() if image.references is not None]

    def chain(self, image: Image) -> list[Image]:
        """Return what an image is made of: the first that it starts from, ..., itself."""
        parents = self.chain(self.by_name[image.parent]) if image.parent else []
        return [*parents, image]

    def references(self, image: Image) -> tuple[str, ...]:
        """Return every name that the image is to be known by, our own first."""
        own = f"{self.common.prefix}/{image.name}:{self.common.release}"
        return (own, *(image.references or ()))

    def run_of(self, image: Image) -> Run:
        """Return how it runs, with what it has from those that it starts from."""
        merged = Run()
        for each in self.chain(image):
            said = each.run.model_dump(exclude_defaults=True)
            merged = merged.model_copy(update={**said, "env": {**merged.env, **each.run.env}})
        return merged


def read_images(folder: Path = IMAGES_DIR) -> Images:
    """Read every description.

    Raises:
        ImagesError: a mistake in one, or no checkout around this package.
    """
    if not (folder / "images.toml").is_file():
        raise ImagesError(
            f"{folder / 'images.toml'} is missing: images are built from a checkout of QHub. Clone it, and "
            "`pip install -e '.[rehearsal]'` there"
        )
    common = _read(Common, folder / "images.toml", {})
    found = sorted(folder.glob("*/image.toml"))
    return Images(common, [_read(Image, file, {"name": file.parent.name, "folder": file.parent}) for file in found])


def _read(model: type[Model], file: Path, more: dict[str, Any]) -> Model:
    try:
        return model.model_validate(tomllib.loads(file.read_text(encoding="utf-8")) | more)
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        raise ImagesError(f"{file}: {error}") from error
