"""The program of the SSH server's pod, sent as text in a ConfigMap; the image brings what it imports.

`person.py` and `server.py` find each other by relative imports, here as well as in the pod, where they are a package of
the same name: `python3 -m ssh_server.server`. They need asyncssh and aiohttp, which only tests have here, so nothing of
the product imports them.
"""

from __future__ import annotations

from pathlib import Path

#: Name of the package in the pod.
PACKAGE = "ssh_server"


def sources() -> dict[str, str]:
    """Return the files of the program: name -> text."""
    folder = Path(__file__).parent
    return {name: (folder / name).read_text(encoding="utf-8") for name in ("person.py", "server.py")}
