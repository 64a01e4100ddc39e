"""Every image once, unpacked. They are built where they are missing: a few minutes the first time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from qhub.rehearsal.images import BuiltImage, ensure_images, find_images, why_not
from tests.engine.images.container import Unpacked, unpack_image


@pytest.fixture(scope="session")
def built() -> Callable[[str], BuiltImage]:
    """What builds an image, or says loudly why none can be had."""

    def build(name: str) -> BuiltImage:
        if (found := find_images([name])[name]) is None and (why := why_not()):
            pytest.skip(f"NOT CHECKED in the image {name}: {why}")
        return found or ensure_images([name], report=Console(stderr=True))[0]

    return build


@pytest.fixture(scope="session")
def image(built: Callable[[str], BuiltImage], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Unpacked]:
    """What gives the tree of an image, unpacked once."""
    done: dict[str, Unpacked] = {}

    def unpacked(name: str) -> Unpacked:
        if name not in done:
            done[name] = unpack_image(built(name), Path(tmp_path_factory.mktemp(name)))
        return done[name]

    return unpacked
