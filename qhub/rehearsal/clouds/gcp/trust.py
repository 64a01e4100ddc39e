"""Certificates that every system trusts, as far as a rehearsal goes.

On Google Cloud the API server has a name with a certificate of a public authority, so a kubeconfig for that name brings
none. A simulated API server has one of its own. Whoever starts a rehearsal sets `SSL_CERT_FILE` to the file here, which
OpenSSL and Go read instead of the system's: then clients trust the simulated names, and no one in the world besides.
"""

from __future__ import annotations

import base64
from pathlib import Path

from filelock import FileLock

from qhub.rehearsal.clouds.files import write_atomically

#: In the folder of the world.
TRUSTED = "trusted.pem"


def trusted_file(world: Path) -> Path:
    """Return the file of the authorities that clients of a world are to trust; there only once one is."""
    return world / TRUSTED


def trust(world: Path, certificate: str) -> None:
    """Add an authority to those that clients of a world trust.

    Args:
        world: folder of the simulated clouds.
        certificate: PEM, base64.
    """
    file, added = trusted_file(world), base64.b64decode(certificate).decode()
    with FileLock(world / f"{TRUSTED}.lock"):
        there = file.read_text(encoding="utf-8") if file.exists() else ""
        if added not in there:
            write_atomically(file, there + added)


def distrust(world: Path, certificate: str) -> None:
    """Take an authority away again; one that is not there is fine."""
    file, gone = trusted_file(world), base64.b64decode(certificate).decode()
    with FileLock(world / f"{TRUSTED}.lock"):
        if file.exists():
            write_atomically(file, file.read_text(encoding="utf-8").replace(gone, ""))
