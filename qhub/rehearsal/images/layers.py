"""Which layers an image is made of, and the key of each: what goes into it, and what lies below.

Two images whose chains of keys are alike up to a point share the layers up to there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from qhub.rehearsal.images.description import CHECKOUT, Image, Images

#: Raise it when this package makes something else of the same description.
BUILDER = 2

Kind = Literal["debian", "packages", "python", "npm", "go", "own"]

#: These are made without looking at what lies below: they are built beside it, and stay when it changes.
ALONE: frozenset[Kind] = frozenset({"debian", "npm", "go"})
#: The others look at these below, Debian's packages, and at nothing else: a new pin of Python rebuilds one layer.
SYSTEM: frozenset[Kind] = frozenset({"debian", "packages"})


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer.

    Attributes:
        kind: what it is made by.
        image: the description that asks for it.
        below: the layer under it; None for the lowest.
        key: 16 hexadecimal digits, other ones when anything that goes into it, or lies below and matters to it, is
            another.
    """

    kind: Kind
    image: Image
    below: Layer | None
    key: str

    @property
    def title(self) -> str:
        """What people are told that is being built."""
        return f"{self.image.name} ({self.kind})"

    @property
    def needs(self) -> list[Layer]:
        """The layers that have to be there before this one is built, lowest first: it changes the tree they make."""
        return _system(self.kind, self.below)

    def stack(self) -> list[Layer]:
        """Return the layers from the lowest to this one."""
        return [*(self.below.stack() if self.below else []), self]


def layers_of(image: Image, images: Images, *, machine: str) -> list[Layer]:
    """Return the layers of an image from the lowest to the highest.

    Args:
        image: which.
        images: all descriptions.
        machine: the processor, in Debian's words.
    """
    top: Layer | None = None
    for each in images.chain(image):
        for kind, content in _parts(each, images):
            below = [layer.key for layer in _system(kind, top)] or None
            inputs = [BUILDER, machine, images.common.epoch, below, kind, content]
            # 64 bits: two layers that ever share a key are out of the question.
            key = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
            top = Layer(kind=kind, image=each, below=top, key=key)
    return top.stack() if top else []


def _system(kind: Kind, below: Layer | None) -> list[Layer]:
    if below is None or kind in ALONE:
        return []
    return [layer for layer in below.stack() if layer.kind in SYSTEM]


def _parts(image: Image, images: Images) -> Iterator[tuple[Kind, Any]]:
    """Yield the kinds of layer that a description asks for, lowest first, with what goes into each."""
    if image.starts_from is None:
        yield "debian", [images.common.debian.model_dump(), sorted(image.packages)]
    elif image.packages:
        yield "packages", sorted(image.packages)
    if image.python:
        yield "python", [image.python.model_dump(), _digest(image.folder / "requirements.txt")]
    if image.npm:
        pins = [_digest(image.folder / name) for name in ("package.json", "package-lock.json")]
        yield "npm", [image.npm.model_dump(), pins]
    if image.go:
        sources = [path for path in sorted((CHECKOUT / image.go.module).iterdir()) if path.is_file()]
        yield "go", [image.go.model_dump(), [[path.name, _digest(path)] for path in sources]]
    if image.user or image.folders or image.files:
        files = [[str(path.relative_to(image.folder)), _digest(path), _mode(path)] for path in image.files]
        user = image.user.model_dump() if image.user else None
        yield "own", [user, [folder.model_dump() for folder in image.folders], files]


def _digest(path: Path) -> str:
    content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
    return hashlib.sha256(content).hexdigest()


def _mode(path: Path) -> int:
    """Return 0755 for what may be run, else 0644, and 0777 for a link: a checkout keeps no more than that."""
    if path.is_symlink():
        return 0o777
    return 0o755 if path.stat().st_mode & 0o100 else 0o644
