"""Everything that `pulumi` needs on this machine before it can run a stack of this project.

An official `pulumi`, Kubernetes plugin or control-plane tool is used wherever there is one. What is missing is built
from the Go modules in `toolchain/`, or stood in for by `qhub.rehearsal.plugins`; which it is, is said.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console

from qhub.automation import real_node
from qhub.automation.building import tools_and_images
from qhub.automation.engine import Engine
from qhub.automation.timing import Parts
from qhub.config import Settings, load_settings_file
from qhub.rehearsal import paths
from qhub.rehearsal.cluster import EmbeddedCluster
from qhub.rehearsal.node_kinds import NodeKind
from qhub.rehearsal.plugins.install import PluginUse, engine_environment, install_stand_ins
from qhub.rehearsal.toolchain import Toolchain

#: What the engine side needs, whatever the cluster is; an embedded one needs its own on top.
ENGINE_TOOLS = ("pulumi", "pulumi-language-python", "helm", "kubectl")
#: The passphrase that goes with the `encryptionsalt` in `Pulumi.local.yaml`. It protects nothing that matters: whoever
#: can read the state of a local stack can read `.qhub/` beside it. Any other stack brings its own secrets provider.
LOCAL_PASSPHRASE = "local"  # noqa: S105


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What `prepare` found or made.

    Attributes:
        settings: the stack's settings, checked.
        engine: `pulumi` for this stack.
        variables: what `engine` sets over the user's own environment.
        tools: each tool with its version and origin.
        plugins: each plugin with its version and origin.
        cluster: the embedded cluster that the stack's kubeconfig belongs to; None for a cluster of the user's own.
    """

    settings: Settings
    engine: Engine
    variables: Mapping[str, str]
    tools: Toolchain
    plugins: tuple[PluginUse, ...]
    cluster: EmbeddedCluster | None


def prepare(
    stack: str,
    *,
    console: Console,
    root: Path | None = None,
    start_cluster: bool = True,
    nodes: NodeKind | None = None,
    parts: Parts | None = None,
) -> Prepared:
    """Check the settings, get the tools, install the plugins and start the embedded cluster where the stack uses one.

    Args:
        stack: name of the stack; its settings are read from `Pulumi.<stack>.yaml`.
        console: where progress goes.
        root: the checkout; default: the one around the current folder.
        start_cluster: False leaves an embedded cluster as it is (for `down` and `env`).
        nodes: kind of nodes of an embedded cluster that is not there yet; None for real ones where they can run.
        parts: what measures how long each part takes.

    Raises:
        SettingsError, ToolchainError, ImagesError, ClusterError: each with a message for people; nothing was created in
            the cluster.
    """
    root = root or paths.project_root()
    parts = parts or Parts()
    settings = load_settings_file(root / f"Pulumi.{stack}.yaml", stack=stack)
    cluster = embedded_cluster(settings, root=root)
    if cluster:
        kind, why = real_node.choose_kind(cluster, nodes)
        cluster = EmbeddedCluster(cluster.name, cluster.folder, kind=kind)
        if start_cluster and why:
            console.print(f"Nodes are simulated, no container runs: {why}", soft_wrap=True)
        if start_cluster and kind != "simulated":
            real_node.check(settings, file=f"Pulumi.{stack}.yaml")
    containers_run = cluster and start_cluster and cluster.kind != "simulated"
    # Before the start: a build takes minutes, and what waits for it is better not there yet.
    tools, built = tools_and_images(
        ENGINE_TOOLS + (cluster.tools if cluster else ()),
        real_node.image_names(settings) if containers_run else (),
        console=console,
        parts=parts,
    )
    plugins = tuple(install_stand_ins(pulumi_home=paths.pulumi_home(root), python=Path(sys.executable)))
    if cluster and start_cluster:
        with parts.measure("cluster"):
            start(cluster, [image.archive for image in built], console=console)
    variables = engine_variables(root=root, tools=tools, plugins=plugins, cluster=cluster)
    environment = {**os.environ, **variables}
    return Prepared(
        settings=settings,
        engine=Engine(pulumi=tools["pulumi"].path, root=root, stack=stack, environment=environment),
        variables=variables,
        tools=tools,
        plugins=plugins,
        cluster=cluster,
    )


def start(cluster: EmbeddedCluster, archives: Sequence[Path], *, console: Console) -> None:
    """Start an embedded cluster, or what of it does not run, with the images that its real node needs."""
    report = partial(console.print, soft_wrap=True)
    cluster.start(report=report)
    if archives:
        cluster.import_images(archives, report=report)


def embedded_cluster(settings: Settings, *, root: Path) -> EmbeddedCluster | None:
    """Return the embedded cluster that the settings' kubeconfig belongs to, or None.

    A stack asks for one by naming its file, `.qhub/clusters/NAME/kubeconfig`; the Pulumi program itself never asks.
    """
    cluster = settings.cluster
    if cluster.provider != "existing" or cluster.kubeconfig is None:
        return None
    folder = (root / Path(cluster.kubeconfig).expanduser()).resolve().parent
    if folder.parent != paths.clusters_dir(root).resolve():
        return None
    return EmbeddedCluster(folder.name, folder)


def engine_variables(
    *,
    root: Path,
    tools: Toolchain,
    plugins: tuple[PluginUse, ...],
    cluster: EmbeddedCluster | None,
    inherited: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the variables to set for `pulumi`, over those that the user's own environment has.

    What the user has set wins: a backend, a passphrase, a Pulumi home with the official plugin in it.
    """
    inherited = os.environ if inherited is None else inherited
    folders = [str(Path(sys.executable).parent), *(str(entry) for entry in tools.path_entries())]
    variables = {"PATH": os.pathsep.join([*folders, inherited.get("PATH", "")])}
    if not all(plugin.official for plugin in plugins):
        variables |= engine_environment(pulumi_home=paths.pulumi_home(root))
    if "PULUMI_BACKEND_URL" not in inherited and (cluster or "PULUMI_HOME" in variables):
        backend = paths.backend_dir(root)
        backend.mkdir(parents=True, exist_ok=True)
        variables["PULUMI_BACKEND_URL"] = f"file://{backend}"
    chosen = {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & inherited.keys()
    if cluster and not chosen:
        variables["PULUMI_CONFIG_PASSPHRASE"] = LOCAL_PASSPHRASE
    return variables
