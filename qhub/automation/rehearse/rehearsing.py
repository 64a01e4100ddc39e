"""One rehearsal from the first step to the last: the program that `pulumi up` runs, and nothing left afterwards."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from qhub.automation.kubectl import Kubectl, kubectl_of
from qhub.automation.rehearse.blame import engine_failures
from qhub.automation.rehearse.demand import everybody_comes, everybody_leaves, wait_for_platform
from qhub.automation.rehearse.extra_charts import not_rehearsed
from qhub.automation.rehearse.journal import Journal, StepFailed, Watcher
from qhub.automation.rehearse.leftovers import Inventory, inventory, left_in_cluster, left_in_world, left_on_machine
from qhub.automation.rehearse.looking import ask
from qhub.automation.rehearse.operations import IDLE, name_of, operations, resource_counts, type_of
from qhub.automation.rehearse.running import Run, run_engine
from qhub.automation.rehearse.simulated import what_is_simulated
from qhub.automation.rehearse.stack_file import read_stack_file
from qhub.automation.rehearse.waiting import Stage
from qhub.automation.rehearse.waits import explained
from qhub.automation.rehearse.workspace import Workspace, workspace
from qhub.config.document import read_document
from qhub.rehearsal.paths import PROJECT_FILE
from qhub.rehearsal.report.recording import Failure, Rehearsal


def rehearse(stack: str, *, file: Path, root: Path, console: Console, watcher: Watcher) -> Rehearsal:
    """Rehearse a stack: up, everybody comes, everybody leaves, nothing changes, destroy, nothing is left.

    Nothing of the user's is touched or reached: stack files, state, clusters and accounts are its own, in a temporary
    folder that goes with everything in it, on failure and on Ctrl-C as well.

    Args:
        stack: name of the stack.
        file: its settings, usually `Pulumi.<stack>.yaml`.
        root: the project's folder.
        console: where preparations are told.
        watcher: shows the steps.

    Returns:
        What was seen. `passed` tells whether all was well; `failures` why not.

    Raises:
        SettingsError: the settings cannot be used; nothing was started.
        ToolchainError, ClusterError, PluginError, EngineError: what a rehearsal needs cannot be had.
    """
    project = str(read_document(root / PROJECT_FILE).data["name"])
    source = read_stack_file(file, stack=stack, root=root, project=project)
    settings = source.settings
    started = datetime.now(UTC).isoformat(timespec="seconds")
    with workspace(stack, source=source, root=root, console=console) as space:
        journal = Journal(clock=space.clock, watcher=watcher)
        try:
            _steps(space, journal)
            complete = True
        except StepFailed:
            complete = False
        simulated = what_is_simulated(space)
    try:
        with journal.step("left", "Nothing is left") as notes:
            notes.told = left_on_machine(space.folder)
    except StepFailed:
        complete = False
    return Rehearsal(
        stack=stack,
        file=str(file.relative_to(root)) if file.is_relative_to(root) else str(file),
        provider=settings.cluster.provider,
        region=getattr(settings.cluster, "region", ""),
        started=started,
        speed=space.clock.speed,
        passed=complete and not journal.failures,
        steps=tuple(journal.steps),
        operations=tuple(journal.operations),
        resources=journal.resources,
        pictures=tuple(journal.pictures),
        failures=tuple(journal.failures),
        notes=(*not_rehearsed(settings), *(str(warning) for warning in settings.warnings()), *journal.notes),
        simulated=simulated,
    )


def _steps(space: Workspace, journal: Journal) -> None:
    before = _prepare(space)
    _up(space, journal)
    state = space.engine.state()
    journal.resources = resource_counts(state)
    with _kubectl(space) as kubectl:
        stage = Stage(
            kubectl=kubectl,
            settings=space.settings,
            journal=journal,
            autoscaled=space.cluster is None,
            manifests=space.folder / "pods.json",
        )
        with journal.step("placed", "Every pod is placed and Ready") as notes:
            if stage.autoscaled:  # elsewhere nothing takes simulated time
                objects = ask(kubectl, "pods,services", "--all-namespaces")
                journal.operations = explained(journal.operations, state=state, objects=objects, clock=space.clock)
            picture = wait_for_platform(stage)
            notes.told = f"{len(picture.pods)} pods on {len(picture.nodes)} nodes"
        with journal.step("demand", "Everybody comes") as notes:
            notes.told = everybody_comes(stage, state)
        with journal.step("scale-down", "Everybody leaves") as notes:
            notes.told = everybody_leaves(stage)
    _no_change(space, journal)
    if space.is_protected:
        _unprotect(space, journal)
    _destroy(space, journal)
    with journal.step("empty", "The cloud and the cluster are empty") as notes:
        told = [left_in_world(space.world)]
        if before is not None:
            told.append(left_in_cluster(before, space, journal.notes))
        notes.told = "; ".join(told)


def _prepare(space: Workspace) -> Inventory | None:
    """Make the stack; note what an existing cluster holds already."""
    space.init()
    if space.cluster is None:
        return None
    with _kubectl(space) as kubectl:
        if space.settings.storage.kind == "existing-claim":
            _make_claim(space, kubectl)
        return inventory(kubectl)


def _make_claim(space: Workspace, kubectl: Kubectl) -> None:
    """Make the claim that the settings say is there already."""
    namespace, name = space.settings.namespace.name, getattr(space.settings.storage, "claim_name", "")
    manifests = space.folder / "claim.yaml"
    manifests.write_text(
        f"{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}\n---\n"
        f"{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: {name}, namespace: {namespace}}}, "
        "spec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 1Gi}}}}\n",
        encoding="utf-8",
    )
    kubectl.ask("create", f"--filename={manifests}")


def _up(space: Workspace, journal: Journal) -> None:
    with journal.step("up", "pulumi up") as notes:
        run = run_engine(space, "up", "--yes", "--skip-preview", on_event=journal.watcher.event)
        state = space.engine.state()
        journal.operations += operations("up", run.events, state)
        journal.resources = resource_counts(state)
        _check(run, "up", space)
        notes.told = f"{sum(journal.resources.values())} resources created"


def _no_change(space: Workspace, journal: Journal) -> None:
    with journal.step("no-change", "pulumi up again changes nothing") as notes:
        run = run_engine(space, "up", "--yes", "--skip-preview", on_event=journal.watcher.event)
        _check(run, "no-change", space)
        changed = {one.urn: one.op for one in run.events if one.kind == "resOutputsEvent" and one.op not in IDLE}
        if changed:
            raise StepFailed(
                *(
                    Failure(
                        step="no-change",
                        what=f"{type_of(urn).split(':')[-1]} {name_of(urn)}",
                        message=f"a second `pulumi up` without a change in the settings would {op} it",
                    )
                    for urn, op in changed.items()
                )
            )
        notes.told = f"{run.changes.get('same', 0)} resources the same"


def _unprotect(space: Workspace, journal: Journal) -> None:
    with journal.step("unprotect", "pulumi up with nothing protected") as notes:
        space.unprotect()
        run = run_engine(space, "up", "--yes", "--skip-preview", on_event=journal.watcher.event)
        _check(run, "unprotect", space)
        changed = sum(count for op, count in run.changes.items() if op not in IDLE)
        notes.told = f"storage.protect and cluster.protect are false: {changed} resources updated"


def _destroy(space: Workspace, journal: Journal) -> None:
    with journal.step("destroy", "pulumi destroy") as notes:
        state = space.engine.state()
        run = run_engine(space, "destroy", "--yes", "--skip-preview", on_event=journal.watcher.event)
        journal.operations += operations("destroy", run.events, state)
        _check(run, "destroy", space)
        left = resource_counts(space.engine.state())
        if left:
            names = ", ".join(left)
            raise StepFailed(Failure(step="destroy", what="the stack", message=f"still has resources: {names}"))
        notes.told = f"{sum(one.op == 'delete' for one in journal.operations)} resources deleted"


def _check(run: Run, step: str, space: Workspace) -> None:
    """Raise StepFailed with the engine's own words where it ended with an error."""
    if run.returncode == 0:
        return
    failures = engine_failures(step, run.errors, pools=space.settings.cluster.pools)
    last_words = "\n".join(run.printed.strip().splitlines()[-20:])
    raise StepFailed(*(failures or (Failure(step=step, what=f"pulumi {run.command}", message=last_words),)))


@contextmanager
def _kubectl(space: Workspace) -> Generator[Kubectl]:
    environment = space.engine.environment
    if space.cluster is not None:
        yield Kubectl(kubeconfig=space.cluster.kubeconfig_path, context=None, environment=environment)
        return
    with kubectl_of(space.engine, space.settings) as kubectl:
        if kubectl is None:
            raise StepFailed(Failure(step="up", what="the program", message="it exports no kubeconfig"))
        yield kubectl
