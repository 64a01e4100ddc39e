"""Code of ours that runs inside users' servers. Sent as text; imported only by tests.

It runs in the notebook's image, whichever that is, and imports the standard library only.
"""

from __future__ import annotations

from pathlib import Path

#: Jupyter reads a file of this name in each of its folders for configuration, so that one in the image is read too.
PROGRAM = "jupyter_config.py"


def source() -> str:
    """Return the text of the program."""
    return (Path(__file__).parent / PROGRAM).read_text(encoding="utf-8")
