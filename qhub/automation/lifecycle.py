"""`make up` and `make down`: the same steps that a person would take by hand, in order, each saying what it does."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from rich.console import Console

from qhub.automation import real_node
from qhub.automation.kubectl import kubectl_of
from qhub.automation.prepare import Prepared, prepare
from qhub.automation.recover import adopt_pending_creates, end_orphans, release_stale_lock
from qhub.automation.timing import Parts
from qhub.rehearsal import paths
from qhub.rehearsal.node_kinds import NodeKind


def up(stack: str, *, console: Console, assume_yes: bool = False, nodes: NodeKind | None = None) -> None:
    """Bring the stack up, show its pods, how long it took and, where pods really run, where a browser finds the hub.

    Args:
        stack: name of the stack.
        console: where the steps are told.
        assume_yes: do not ask after the preview. An embedded cluster is never asked about: it holds nobody's data.
        nodes: kind of nodes of an embedded cluster that is not there yet; None for real ones where they can run.

    Raises:
        SettingsError, ToolchainError, ClusterError: before anything was created.
        EngineError: the engine failed; it has shown why. Run again to go on from there.
    """
    parts = Parts()
    prepared = prepare(stack, console=console, nodes=nodes, parts=parts)
    describe(prepared, console=console)
    engine = prepared.engine
    created = engine.select()
    if not created:
        _recover(prepared, console=console)
    words = ["up"]
    if assume_yes or prepared.cluster:
        words.append("--yes")
    if not created and engine.state().get("resources"):
        # A first run would print every input of every resource; later ones show just the properties that change.
        words.append("--diff")
    with parts.measure("stack"):
        engine.show(*words)
    show_pods(prepared, console=console)
    console.print(f"\n{parts}", highlight=False, soft_wrap=True)
    if prepared.cluster and prepared.cluster.kind != "simulated":
        outputs = engine.outputs()
        url = real_node.entrance(prepared.cluster, outputs)
        console.print(f"\n[bold]{outputs['login_hint'].replace(outputs['address'], url)}[/]", soft_wrap=True)
        if "ssh" in outputs:
            console.print(f"Terminals: {real_node.terminals(prepared.cluster, outputs)}", soft_wrap=True)


def down(stack: str, *, console: Console, assume_yes: bool = False) -> None:
    """Destroy the stack, remove it from the backend, and stop and delete its embedded cluster.

    Of this checkout's `.qhub/`, nothing is left when no other embedded cluster runs.

    Raises:
        EngineError: the destroy failed; the stack and the cluster are left for another try.
    """
    root = paths.project_root()
    prepared = prepare(stack, console=console, start_cluster=False)
    engine = prepared.engine
    if engine.exists():
        if prepared.cluster and engine.state().get("resources"):
            # A stopped cluster still holds what the stack made.
            prepared.cluster.start(report=partial(console.print, soft_wrap=True))
        _recover(prepared, console=console)
        engine.show("destroy", *(["--yes"] if assume_yes or prepared.cluster else []))
        # The stack's own file is the user's configuration: it stays.
        engine.show("stack", "rm", "--yes", "--preserve-config")
    if prepared.cluster:
        prepared.cluster.delete()
        console.print(f"The embedded cluster {prepared.cluster.name} is stopped and its folder removed.")
    remove_empty_state(root)


def remove_empty_state(root: Path) -> None:
    """Remove `.qhub/` when it holds no cluster and no stack any more."""
    state = paths.state_dir(root)
    clusters = paths.clusters_dir(root)
    stacks = list(paths.backend_dir(root).glob(".pulumi/stacks/**/*.json"))
    if state.exists() and not stacks and not (clusters.exists() and any(clusters.iterdir())):
        shutil.rmtree(state)


def describe(prepared: Prepared, *, console: Console) -> None:
    """Say what is in use: engine, plugins, charts, cluster."""
    settings = prepared.settings
    tool = prepared.tools["pulumi"]
    for note in prepared.tools.notes:
        console.print(f"[dim]{note}[/]", soft_wrap=True)
    console.print(f"Engine   pulumi {tool.version} ({tool.origin})", soft_wrap=True)
    for plugin in prepared.plugins:
        console.print(f"Plugin   {plugin}", soft_wrap=True)
    mirror = settings.charts.mirror
    console.print(f"Charts   {f'from {mirror}' if mirror else 'from their public repositories'}", soft_wrap=True)
    console.print(f"Cluster  {_place(prepared)}", soft_wrap=True)
    for warning in settings.warnings():
        console.print(f"[yellow]Warning[/]  {warning}", soft_wrap=True)


def _place(prepared: Prepared) -> str:
    cluster = prepared.settings.cluster
    if prepared.cluster:
        return f"embedded, {prepared.cluster.kind} nodes, {prepared.cluster.folder}"
    if cluster.provider == "existing":
        return cluster.context or "current context"
    return f"{cluster.name}, made by this stack: {cluster.provider}, {cluster.region}"


def show_pods(prepared: Prepared, *, console: Console) -> None:
    """Print `kubectl get pods --all-namespaces` for the stack's cluster."""
    console.print("\n[bold]kubectl get pods --all-namespaces[/]")
    with kubectl_of(prepared.engine, prepared.settings) as kubectl:
        if kubectl is not None:
            kubectl.show("get", "pods", "--all-namespaces")


def _recover(prepared: Prepared, *, console: Console) -> None:
    engine = prepared.engine
    with kubectl_of(engine, prepared.settings) as kubectl:
        for done in (end_orphans(engine.root), release_stale_lock(engine), adopt_pending_creates(engine, kubectl)):
            if done:
                console.print(done, soft_wrap=True)
