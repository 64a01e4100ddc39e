"""What a killed `pulumi up` leaves behind, and how the next one goes on from it.

A killed engine leaves two things in the state: its lock, and a pending operation for each resource that it was
creating. Such a resource may or may not exist. The engine alone drops the operation and then fails with "already
exists"; here each is looked up, and what exists is taken into the state (`pulumi refresh --import-pending-creates`).
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import psutil

from qhub.automation.engine import Engine, EngineError
from qhub.automation.kubectl import Kubectl, KubectlError

#: The kernel keeps 15 characters of a process's name; psutil completes it from the command line.
LANGUAGE_HOST = "pulumi-language-python"
RELEASE = "kubernetes:helm.sh/v3:Release"


def release_stale_lock(engine: Engine) -> str | None:
    """Remove the file backend's lock when the process that took it is gone; return what was done, or None.

    Raises:
        EngineError: the lock's owner still runs: the message names its process.
    """
    locks = _locks(engine)
    for lock in locks:
        owner = json.loads(lock.read_text())
        if owner.get("hostname") != socket.gethostname():
            raise EngineError(
                f"stack {engine.stack} is locked by {owner.get('username')}@{owner.get('hostname')} since "
                f"{owner.get('timestamp')}; when that run is known to be dead: pulumi cancel --stack {engine.stack}"
            )
        if _runs_pulumi(owner.get("pid", 0)):
            raise EngineError(
                f"another pulumi (process {owner['pid']}) is at work on stack {engine.stack}: wait for it, or stop it"
            )
    if not locks:
        return None
    engine.ask("cancel", "--yes")
    return f"A run on stack {engine.stack} was killed: its lock is released"


def adopt_pending_creates(engine: Engine, kubectl: Kubectl | None) -> str | None:
    """Take into the state what a killed run was creating and did create; return what was done, or None.

    Args:
        engine: the stack's engine.
        kubectl: on its cluster; None while there is none, so that nothing on it can exist.

    Raises:
        EngineError: the cluster cannot be asked, or the engine cannot take something in.
    """
    pending = [
        operation["resource"]
        for operation in engine.state().get("pending_operations") or []
        if operation["type"] == "creating"
    ]
    if not pending:
        return None
    found = {
        resource["urn"]: identity for resource in pending if kubectl and (identity := _existing(kubectl, resource))
    }
    # The option takes URNs and ids in turn, one each time that it is given.
    pairs = [word for urn_and_id in found.items() for word in urn_and_id]
    imports = [word for value in pairs for word in ("--import-pending-creates", value)]
    # The whole stack is refreshed: the engine takes no target that is not in the state yet.
    engine.ask("refresh", "--yes", "--skip-preview", "--clear-pending-creates", *imports)
    names = ", ".join(resource["urn"].split("::")[-1] for resource in pending)
    return f"A killed run was creating {names}: {len(found)} of {len(pending)} exist and are kept"


def end_orphans(root: Path) -> str | None:
    """End the language hosts of a project's folder whose engine was killed; return what was done, or None.

    Left alone, such a process notices after five minutes at the latest (its health check of the engine).
    """
    orphans = [process for process in psutil.process_iter() if _is_orphaned_host(process, root=root)]
    for process in orphans:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    return f"Ended {len(orphans)} language host of a killed run" if orphans else None


def _is_orphaned_host(process: psutil.Process, *, root: Path) -> bool:
    try:
        # It runs in the program's folder, below the project's.
        if process.name() != LANGUAGE_HOST or not Path(process.cwd()).is_relative_to(root.resolve()):
            return False
        parent = process.parent()
        return parent is None or parent.name() != "pulumi"
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False  # it has just ended, or is somebody else's


def _locks(engine: Engine) -> list[Path]:
    backend = urlparse(engine.environment.get("PULUMI_BACKEND_URL", ""))
    if backend.scheme != "file":
        return []  # a backend elsewhere keeps its own locks and says itself who holds them
    stack = engine.stack.split("/")[-1]
    return sorted(Path(backend.path).glob(f".pulumi/locks/**/{stack}/*.json"))


def _runs_pulumi(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        # A killed process whose parent is gone too may stay listed until somebody collects it.
        return "pulumi" in process.name() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _existing(kubectl: Kubectl, resource: Mapping[str, Any]) -> str | None:
    """Return the provider's id of the resource when it exists in the cluster."""
    kind = resource["type"]
    if not kind.startswith("kubernetes:"):
        return None
    inputs = resource.get("inputs") or {}
    if kind == RELEASE:
        namespace, name = inputs["namespace"], inputs["name"]
        lookup = ("secret", f"--selector=owner=helm,name={name}")
    else:
        metadata = inputs.get("metadata") or {}
        namespace, name = metadata.get("namespace"), metadata["name"]
        lookup = (_resource_argument(inputs), name)
    within = ("--namespace", namespace) if namespace else ()
    try:
        found = kubectl.ask("get", *lookup, *within, "--ignore-not-found", "--output=name")
    except KubectlError as error:
        raise EngineError(f"cannot tell whether {kind} {name} was created: {error}") from error
    if not found.strip():
        return None
    return f"{namespace}/{name}" if namespace else name


def _resource_argument(inputs: Mapping[str, Any]) -> str:
    """Return `Kind.version.group` as kubectl takes it."""
    return ".".join(_parts(inputs["apiVersion"], inputs["kind"]))


def _parts(api_version: str, kind: str) -> Iterator[str]:
    group, _, version = api_version.rpartition("/")
    yield kind
    if group:
        yield version
        yield group
