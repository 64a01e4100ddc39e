"""A folder with the charts themselves, not ours: `docs/charts.md` says how to have one.

`QHUB_TEST_CHARTS` names it. The browser tests then run on a platform that is brought up from it, and the unit tests
compare what these charts and the contract charts make of the same values.
"""

from __future__ import annotations

import os
from pathlib import Path

#: The variable that names the folder.
VARIABLE = "QHUB_TEST_CHARTS"


def charts_folder() -> Path | None:
    """Return the folder; None where the variable is not set.

    Raises:
        FileNotFoundError: it names no folder.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    folder = Path(named).resolve()
    if not folder.is_dir():
        raise FileNotFoundError(f"{VARIABLE} names {folder}, which is no folder")
    return folder
