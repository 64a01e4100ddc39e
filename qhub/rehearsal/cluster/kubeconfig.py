"""Kubeconfig files with everything in them: no path to another file, so that a copy works as well."""

from __future__ import annotations

import base64
from pathlib import Path

from qhub.rehearsal.cluster.layout import write_private
from qhub.rehearsal.cluster.pki import Pki

TEMPLATE = """\
apiVersion: v1
kind: Config
clusters:
- name: {context}
  cluster:
    server: https://127.0.0.1:{port}
    certificate-authority-data: {authority}
users:
- name: {context}
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
contexts:
- name: {context}
  context:
    cluster: {context}
    user: {context}
current-context: {context}
preferences: {{}}
"""


def write_kubeconfig(path: Path, *, context: str, port: int, pki: Pki, identity: str) -> None:
    """Write the kubeconfig of `identity` to `path`, mode 0600. A file that already says the same is not touched."""
    content = TEMPLATE.format(
        context=context,
        port=port,
        authority=_encoded(pki.certificate("ca")),
        certificate=_encoded(pki.certificate(identity)),
        key=_encoded(pki.key(identity)),
    )
    if not path.is_file() or path.read_text() != content:
        write_private(path, content)


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
