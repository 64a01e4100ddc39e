"""What rehearsals and embedded clusters need that QHub alone does not bring, and how it is told where it is missing."""

from __future__ import annotations

import shlex
import sys

#: What the packages of the extra `rehearsal` (pyproject.toml) are imported as. Nothing else of QHub imports them.
OF_REHEARSALS = frozenset({"filelock", "kubernetes", "psutil", "trustme"})


def install_command(extra: str = "") -> str:
    """Return the command that adds what an extra has to the QHub that runs; "" is what QHub itself depends on.

    The QHub that is installed stays, wherever it came from: pip looks for another one only when it is told to upgrade.
    The interpreter is named because the first `pip` on PATH may be another environment's.
    """
    return f"{shlex.quote(sys.executable)} -m pip install '{f'qhub[{extra}]' if extra else 'qhub'}'"


def what_is_missing(error: ModuleNotFoundError) -> str | None:
    """Return what is to be said where a package of the extra `rehearsal` is not installed; None for any other."""
    package = (error.name or "").partition(".")[0]
    if package not in OF_REHEARSALS:
        return None
    return (
        f"{package} is not installed: this command needs what the extra `rehearsal` of QHub brings. Install it:\n"
        f"  {install_command('rehearsal')}"
    )
