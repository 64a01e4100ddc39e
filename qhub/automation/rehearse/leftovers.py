"""Nothing is left: in the simulated clouds, in a cluster that was there before, among processes, on disk."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from qhub.automation.kubectl import Kubectl
from qhub.automation.rehearse.journal import StepFailed
from qhub.automation.rehearse.workspace import Workspace
from qhub.rehearsal.clouds.world import World
from qhub.rehearsal.report.recording import Failure

#: What does not lie in a namespace, and namespaces themselves: with them goes what lies in them.
KINDS = ("namespaces", "persistentvolumes", "clusterroles", "clusterrolebindings", "ingressclasses", "storageclasses",
         "customresourcedefinitions", "validatingwebhookconfigurations", "mutatingwebhookconfigurations",
         "priorityclasses")  # fmt: skip
#: Helm never deletes what a chart has in its `crds/`: with a CRD go all objects of its kind, whoever made them.
KEPT = "customresourcedefinition.apiextensions.k8s.io/"

#: Seconds for a namespace or a volume to go after its deletion, and for a process to end after its parent.
PATIENCE = 30.0

Inventory = frozenset[str]


def inventory(kubectl: Kubectl) -> Inventory:
    """Return the names of the objects of a cluster that outlive a namespace.

    Raises:
        KubectlError: the cluster cannot be asked.
    """
    return frozenset(kubectl.ask("get", ",".join(KINDS), "--output=name").split())


def left_in_cluster(before: Inventory, space: Workspace, notes: list[str]) -> str:
    """Compare a cluster with what it held before; return what was seen.

    Raises:
        StepFailed: something is there that was not.
    """
    assert space.cluster is not None  # noqa: S101 - only such a cluster outlives its stack
    kubectl = Kubectl(kubeconfig=space.cluster.kubeconfig_path, context=None, environment=space.engine.environment)
    deadline = time.monotonic() + PATIENCE
    while True:
        new = inventory(kubectl) - before
        left = sorted(name for name in new if not name.startswith(KEPT))
        if not left or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    if kept := new - set(left):
        notes.append(f"Helm leaves {len(kept)} CRDs in the cluster, as it does with every chart's `crds/`")
    if left:
        raise StepFailed(*(Failure(step="empty", what=name, message="is still in the cluster") for name in left))
    return "the cluster holds what it held before"


def left_in_world(world: Path) -> str:
    """Look for resources in the simulated clouds; return what was seen.

    Raises:
        StepFailed: there are some.
    """
    left = World(world).left()
    if left:
        message = "is still in the simulated cloud after `pulumi destroy`"
        raise StepFailed(*(Failure(step="empty", what=str(record), message=message) for record in left))
    return "no resource in the simulated cloud"


def left_on_machine(folder: Path) -> str:
    """Look for processes and files of a rehearsal that is over; end and remove what there is; return what was seen.

    Raises:
        StepFailed: there were some.
    """
    deadline = time.monotonic() + PATIENCE
    while (left := list(_processes(folder))) and time.monotonic() < deadline:
        time.sleep(0.2)
    names = [f"{name} ({process.pid})" for name, process in left]
    for _, process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    files = [str(folder)] if folder.exists() else []
    if names or files:
        raise StepFailed(*(Failure(step="left", what=what, message="was still there") for what in [*names, *files]))
    return "no process and no file of the rehearsal is there any more"


def _processes(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Yield what names the folder on its command line or in its environment: all that a rehearsal starts does."""
    own = {psutil.Process().pid, *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), *process.environ().values()]
            if process.pid not in own and any(str(folder) in word for word in words):
                yield process.name(), process
        except psutil.Error:
            continue  # it has just ended, or is another user's
