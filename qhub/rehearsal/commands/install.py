"""Makes the stand-in commands in a folder."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

#: Commands that there are stand-ins for.
COMMANDS = ("aws", "gke-gcloud-auth-plugin", "kubelogin", "az", "doctl")

# -P: no import from the folder in which somebody happens to run kubectl.
_SCRIPT = '#!/bin/sh\nexec {python} -P -m qhub.rehearsal.commands {name} "$@"\n'


def install(folder: Path) -> Path:
    """Make the commands in `folder`, which is made where it is missing; return it, to be put first on PATH.

    They run with this Python. What is there already in the same words is not touched: another process may run it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in COMMANDS:
        script = _SCRIPT.format(python=shlex.quote(sys.executable), name=name)
        file = folder / name
        if file.is_file() and file.read_text(encoding="utf-8") == script:
            continue
        draft = folder / f".{name}.new"
        draft.write_text(script, encoding="utf-8")
        draft.chmod(0o755)
        draft.replace(file)
    return folder
