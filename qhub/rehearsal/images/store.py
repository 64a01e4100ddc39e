"""Where built layers and images lie in the cache.

```
<cache>/images/
  layers/<key>.tar, <key>.json     a layer and what is known of it, complete or not there at all
  archives/<name>-<digest>.tar     an image, as `ctr images import` takes it
  images/<name>.json               which layers and names the newest archive of an image is made of
  apt/                             apt's lists and packages, apart from the system's
  work/<key>/                      a build under way
  logs/<image>-<kind>.log          what the tools said in its last build
  build.lock, build.json           held while building; by whom
```
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from qhub.rehearsal import paths
from qhub.rehearsal.images.layers import Layer


def images_dir() -> Path:
    """Return the folder of the cache that is this package's."""
    return paths.cache_dir() / "images"


@dataclass(frozen=True, kw_only=True)
class BuiltLayer:
    """A layer in the cache.

    Attributes:
        digest: `sha256:...` of its tar file, which is not compressed.
        size: of that file in bytes.
        removed: paths of layers below that are not there any more.
        seconds: how long it took to build.
    """

    digest: str
    size: int
    removed: tuple[str, ...]
    seconds: float


class Store:
    """The folder. What is written appears whole or not at all.

    Args:
        root: default: `images_dir()`.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or images_dir()

    def folder(self, name: str) -> Path:
        """Return a folder of it, made if need be."""
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def tar(self, layer: Layer) -> Path:
        """Return where the tar file of a layer is to lie."""
        return self.root / "layers" / f"{layer.key}.tar"

    def layer(self, layer: Layer) -> BuiltLayer | None:
        """Return what is known of a layer that is built, else None."""
        known = read_json(self.tar(layer).with_suffix(".json"))
        if known is None or not self.tar(layer).is_file() or self.tar(layer).stat().st_size != known["size"]:
            return None
        return BuiltLayer(
            digest=known["digest"], size=known["size"], removed=tuple(known["removed"]), seconds=known["seconds"]
        )

    def put_layer(self, layer: Layer, tar: Path, built: BuiltLayer) -> None:
        """Take in a tar file as that of a layer."""
        self.folder("layers")
        tar.replace(self.tar(layer))
        write_json(self.tar(layer).with_suffix(".json"), asdict(built))


def read_json(path: Path) -> dict | None:
    """Return what a file holds; None where it is missing or broken off."""
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None


def write_json(path: Path, content: object) -> None:
    """Write a file by one rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(content, indent=1) + "\n")
    temporary.replace(path)
