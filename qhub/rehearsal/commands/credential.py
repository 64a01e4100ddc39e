"""The question of a Kubernetes client and the answer: ExecCredential, as client-go's credential plugins speak it.

Reference: kubernetes.io/docs/reference/config-api/client-authentication.v1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qhub.rehearsal.cluster.pki import Pki
from qhub.rehearsal.commands.arguments import CommandError

INFO_VARIABLE = "KUBERNETES_EXEC_INFO"
_GROUP = "client.authentication.k8s.io"
VERSIONS = (f"{_GROUP}/v1beta1", f"{_GROUP}/v1")


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the client asks.

    Attributes:
        version: apiVersion that it wants the answer in.
        server: URL of its API server, where the kubeconfig says `provideClusterInfo: true`; else empty.
    """

    version: str
    server: str


def question_of(environment: Mapping[str, str]) -> Question:
    """Read the question out of the environment; without one, v1beta1 is what all the real commands speak.

    Raises:
        CommandError: not an ExecCredential, or of a version that clients no longer speak.
    """
    text = environment.get(INFO_VARIABLE, "")
    try:
        asked: dict[str, Any] = json.loads(text) if text else {"apiVersion": VERSIONS[0]}
        version = asked["apiVersion"]
        server = ((asked.get("spec") or {}).get("cluster") or {}).get("server", "")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommandError(f"{INFO_VARIABLE} holds no ExecCredential: {text[:80]!r}") from error
    if version not in VERSIONS:
        raise CommandError(f"apiVersion of the kubeconfig's exec section: {version}, expected one of {VERSIONS}")
    return Question(version=version, server=server)


def answer(folder: Path, *, version: str) -> str:
    """Return the ExecCredential with the administrator's certificate and key of the cluster in `folder`.

    Raises:
        CommandError: the cluster was not started yet.
    """
    pki = Pki(folder / "pki")
    try:
        certificate, key = (path.read_text() for path in (pki.certificate("admin"), pki.key("admin")))
    except FileNotFoundError as error:
        raise CommandError("the simulated cluster is still being created: it has no credentials yet") from error
    status = {"clientCertificateData": certificate, "clientKeyData": key}
    return json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": status})
