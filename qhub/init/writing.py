"""Files into a folder, none of them over one that is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from qhub.whole_file import write_new


@dataclass(frozen=True)
class Written:
    """What became of the files.

    Attributes:
        new: paths that were written.
        kept: paths where something was already, which is as it was.
    """

    new: tuple[str, ...]
    kept: tuple[str, ...]


def write_files(folder: Path, files: Mapping[str, str]) -> Written:
    """Write files below a folder, which is made; leave alone what is there.

    Raises:
        OSError: a file or folder, its `filename`, cannot be made; those before it are written.
    """
    new, kept = [], []
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_new(file, text)
        except FileExistsError:
            kept.append(name)
        else:
            new.append(name)
    return Written(tuple(new), tuple(kept))
