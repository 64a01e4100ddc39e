"""The program of the Job that installs an environment, sent as text in a ConfigMap.

It runs in the notebook's image, with that image's own Python and pip, and imports the standard library only.
"""

from __future__ import annotations

from pathlib import Path

PROGRAM = "build.py"


def source() -> str:
    """Return the text of the program."""
    return (Path(__file__).parent / PROGRAM).read_text(encoding="utf-8")
