"""Have every image that is asked for: in the cache, or built once."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from qhub.rehearsal.images import debian
from qhub.rehearsal.images.archive import Archive
from qhub.rehearsal.images.build import LayerBuilder, estimate, plan
from qhub.rehearsal.images.description import Image, Images, read_images
from qhub.rehearsal.images.errors import ImagesError
from qhub.rehearsal.images.layers import Layer, layers_of
from qhub.rehearsal.images.store import Store, read_json, write_json
from qhub.rehearsal.toolchain.ensure import ending_by_signal, waiting_for_lock
from qhub.rehearsal.toolchain.estimate import spell_roughly, spell_seconds
from qhub.rehearsal.toolchain.lock import BuildLock
from qhub.rehearsal.toolchain.processes import end_builds
from qhub.rehearsal.toolchain.progress import Lines, Progress


@dataclass(frozen=True, kw_only=True)
class BuiltImage:
    """An image in the cache.

    Attributes:
        name: folder under `images/`.
        archive: the file that `ctr --namespace k8s.io images import FILE` takes.
        references: every name that it carries, our own first.
        digest: `sha256:...`, what the image is; the same for the same contents.
    """

    name: str
    archive: Path
    references: tuple[str, ...]
    digest: str


def why_not() -> str | None:
    """Say in a sentence why images cannot be built on this machine; None when they can."""
    if sys.platform != "linux":
        return "images are built on Linux only"
    if os.geteuid() != 0:
        return "images are built by root only: files in them belong to several users"
    if why := debian.why_not(read_images().common.debian):
        return f"images need Debian's tools: {why}"
    if importlib.util.find_spec("pip") is None:
        return f"images need pip beside {sys.executable}"
    if missing := [name for name in ("go", "npm") if shutil.which(name) is None]:
        return f"images need {' and '.join(missing)}, which is not on PATH"
    return None


def ensure_images(names: Iterable[str] | None = None, *, report: Console | Lines) -> list[BuiltImage]:
    """Return the images, building what is not in the cache or has changed.

    With nothing to build it is silent and takes no lock.

    Args:
        names: folders under `images/`; default: all.
        report: where progress is told, or the lines of it that are shared with other work.

    Raises:
        ImagesError: no such image, it cannot be built on this machine, or building failed. What was built until then is
            kept: the same call goes on from there.
    """
    images, store = read_images(), Store()
    wanted = chosen(images, names)
    machine = _machine()
    found = [_find(image, images, store, machine=machine) for image in wanted]
    if None in found:
        if why := why_not():
            raise ImagesError(why)
        _build_missing(wanted, images, store, machine=machine, console=report)
        found = [_find(image, images, store, machine=machine) for image in wanted]
    return [image for image in found if image is not None]


def end_build() -> None:
    """End what a build under way in another thread has started: it fails there, and keeps what is complete."""
    end_builds(Store().root)


def find_images(names: Iterable[str] | None = None) -> dict[str, BuiltImage | None]:
    """Return each image as it is in the cache, None for one that would have to be built; build nothing."""
    images, store = read_images(), Store()
    machine = _machine()
    return {image.name: _find(image, images, store, machine=machine) for image in chosen(images, names)}


def chosen(images: Images, names: Iterable[str] | None) -> list[Image]:
    """Return the images of these names; all of them for None.

    Raises:
        ImagesError: a name that is none.
    """
    built = {image.name: image for image in images.built()}
    wanted = set(built) if names is None else set(names)
    if unknown := sorted(wanted - built.keys()):
        raise ImagesError(f"no image is called {', '.join(unknown)}; the images are {', '.join(sorted(built))}")
    return [image for name, image in built.items() if name in wanted]


def _machine() -> str:
    # Part of every key, also on a machine that cannot build: Debian's own word where there is dpkg.
    return debian.machine() if shutil.which("dpkg") else "amd64"


def _build_missing(
    wanted: Sequence[Image], images: Images, store: Store, *, machine: str, console: Console | Lines
) -> None:
    lock = BuildLock(store.root)
    with ending_by_signal(), Progress(console) as progress, lock.held(waiting=waiting_for_lock(progress)):
        layers = [layer for image in wanted for layer in layers_of(image, images, machine=machine)]
        missing = plan(layers, store)  # another process may have built them meanwhile
        if missing:
            progress.say(_announce(wanted, missing, store))
            LayerBuilder(images, store, machine=machine, progress=progress).run(missing)
        for image in wanted:
            if _find(image, images, store, machine=machine) is None:
                progress.state(f"writing {image.name}")
                _write(image, images, store, machine=machine)
        progress.say(f"Images ready after {spell_seconds(progress.elapsed)}")


def _announce(wanted: Sequence[Image], missing: Sequence[Layer], store: Store) -> str:
    names = ", ".join(image.name for image in wanted)
    time = spell_roughly(estimate(missing).remaining())
    return (
        f"Building images: {names}\n"
        f"  {len(missing)} layers from package registries, once, into {store.root}: {time} when all caches are empty; "
        "an interrupted build goes on where it stopped"
    )


def _write(image: Image, images: Images, store: Store, *, machine: str) -> None:
    """Write the archive of an image whose layers are all there, and forget the one of before."""
    layers = layers_of(image, images, machine=machine)
    archive = _archive(layers, image, images, store, machine=machine)
    folder = store.folder("archives")
    file = folder / f"{image.name}-{archive.digest.removeprefix('sha256:')[:12]}.tar"
    temporary = folder / f".{image.name}.{os.getpid()}"
    references = images.references(image)
    archive.write(temporary, references)
    temporary.replace(file)
    write_json(
        store.root / "images" / f"{image.name}.json",
        {"recipe": _recipe(layers, image, images), "archive": file.name, "digest": archive.digest},
    )
    for other in folder.glob(f"{image.name}-????????????.tar"):
        if other != file:
            other.unlink()


def _archive(layers: Sequence[Layer], image: Image, images: Images, store: Store, *, machine: str) -> Archive:
    known = [(store.tar(layer), built.digest) for layer in layers if (built := store.layer(layer))]
    if len(known) != len(layers):
        raise ImagesError(f"layers of {image.name} are missing in {store.root}: run the same command again")
    return Archive(known, images.run_of(image), machine=machine, epoch=images.common.epoch, title=f"QHub {image.name}")


def _recipe(layers: Sequence[Layer], image: Image, images: Images) -> list[object]:
    """Return what the archive follows from."""
    run = images.run_of(image).model_dump(mode="json")
    return [[layer.key for layer in layers], run, list(images.references(image))]


def _find(image: Image, images: Images, store: Store, *, machine: str) -> BuiltImage | None:
    known = read_json(store.root / "images" / f"{image.name}.json")
    layers = layers_of(image, images, machine=machine)
    if known is None or known["recipe"] != _recipe(layers, image, images):
        return None
    file = store.root / "archives" / known["archive"]
    if not file.is_file():
        return None
    return BuiltImage(name=image.name, archive=file, references=images.references(image), digest=known["digest"])
