"""Install one version of an environment into its folder, unless it is there; then remove versions that are too old.

| variable | what it is |
|---|---|
| `QHUB_ENVIRONMENT` | JSON: {folder, name, version, packages: [requirement], on_top_of_image: bool, keep: int} |
| `PIP_...` | read by pip itself |

A version's folder is `<folder>/<name>-<version>`. Environments cannot be moved, so each is made where it stays; a file
in it says that it is complete, and what lacks the file is made anew. A complete one is never touched again: notebooks
may use it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

#: In the folder of a version that is complete.
COMPLETE = "qhub-complete.json"
#: In `site-packages` of an environment that stands on the image: where the image's own packages are. Read last, so that
#: what is installed here comes first.
IMAGE_PACKAGES = "zz-qhub-image.pth"
#: What a kernel needs.
NEEDED = "ipykernel"


class BuildError(Exception):
    """An environment cannot be made; the message says why, for the log of the Job."""


def build(wanted: dict[str, Any]) -> Path:
    """Make the wanted version, if it is not there; return its folder.

    Raises:
        BuildError: it cannot be made, or no kernel could run in it. What was begun is removed at the next try.
    """
    place = Path(wanted["folder"], f"{wanted['name']}-{wanted['version']}")
    complete = place / COMPLETE
    if complete.is_file():
        print(f"{place.name} is there already")  # noqa: T201 - the log of the Job
        # The latest that was asked for is the last to be removed, also after going back to it.
        os.utime(complete)
        return place
    shutil.rmtree(place, ignore_errors=True)
    # The image's pip installs into it; one of its own would take most of the time.
    _run(sys.executable, "-m", "venv", "--without-pip", place)
    python = place / "bin" / "python"
    if wanted["on_top_of_image"]:
        _add_image_packages(place)
    requirements = place / "requirements.txt"
    requirements.write_text("".join(f"{line}\n" for line in wanted["packages"]), encoding="utf-8")
    pip = (
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "--no-input",
        "--no-cache-dir",
        "--disable-pip-version-check",
    )
    _run(*pip, "install", "--requirement", requirements)
    try:
        _run(python, "-c", f"import {NEEDED}")
    except BuildError:
        raise BuildError(f"{NEEDED} is missing: add it to the packages, or set on_top_of_image") from None
    # Everybody reads it, nobody but this program writes it.
    _run("chmod", "-R", "a+rX,go-w", place)
    complete.write_text(json.dumps({**wanted, "made": time.time()}, indent=1), encoding="utf-8")
    return place


def remove_old(wanted: dict[str, Any]) -> list[str]:
    """Remove versions of the environment beyond the newest `keep`, the wanted one among these; return their names."""
    version = re.compile(re.escape(wanted["name"]) + r"-[0-9a-f]{10}")
    found = [path for path in Path(wanted["folder"]).iterdir() if version.fullmatch(path.name)]
    complete = [path for path in found if (path / COMPLETE).is_file()]
    complete.sort(key=lambda path: (path / COMPLETE).stat().st_mtime, reverse=True)
    old = complete[wanted["keep"] :]
    for path in old:
        shutil.rmtree(path)
    return [path.name for path in old]


def _add_image_packages(place: Path) -> None:
    """Let an environment see the packages of the Python that runs this program, be that itself a virtual one or not."""
    [packages] = place.glob("lib/python3.*/site-packages")
    image = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (packages / IMAGE_PACKAGES).write_text("".join(f"{path}\n" for path in image), encoding="utf-8")


def _run(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise BuildError(f"{' '.join(str(word) for word in command)} ended with {done.returncode}")


def main() -> None:
    """Do what QHUB_ENVIRONMENT says; end with 1 and the reason where that fails."""
    wanted = json.loads(os.environ["QHUB_ENVIRONMENT"])
    try:
        place = build(wanted)
    except BuildError as error:
        sys.exit(f"environment {wanted['name']}: {error}")
    print(f"{place} is complete; removed: {', '.join(remove_old(wanted)) or 'nothing'}")  # noqa: T201


if __name__ == "__main__":
    main()
