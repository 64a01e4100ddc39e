"""A folder of its own for one rehearsal: project, state, Pulumi home, world, cluster. When it goes, all goes."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from ruamel.yaml import YAML

from qhub.automation.engine import Engine
from qhub.automation.recover import end_orphans
from qhub.automation.rehearse.extra_charts import CHARTS, extra_charts
from qhub.automation.rehearse.nodes import nodes_for
from qhub.automation.rehearse.overlay import CLUSTER, Overlay, overlay, unprotected
from qhub.automation.rehearse.stack_file import StackFile
from qhub.config import Settings
from qhub.config.document import read_document
from qhub.config.theme import is_address
from qhub.rehearsal import commands
from qhub.rehearsal.clouds.clock import SPEED_VARIABLE, Clock, speed_of
from qhub.rehearsal.clouds.definitions import give
from qhub.rehearsal.clouds.faults import FAULTS_VARIABLE, faults_of_environment
from qhub.rehearsal.clouds.world import WORLD_VARIABLE, World
from qhub.rehearsal.cluster import EmbeddedCluster, SimulatedNodes
from qhub.rehearsal.paths import PROJECT_FILE
from qhub.rehearsal.plugins.install import (
    PluginUse,
    engine_environment,
    install_cloud_stand_ins,
    install_stand_ins,
)
from qhub.rehearsal.plugins.sdk import plugin_version
from qhub.rehearsal.toolchain import Toolchain, ensure_tools

#: What a rehearsal runs, whatever the cloud: a simulated cloud's Kubernetes is an embedded cluster too.
TOOLS = (
    "pulumi", "pulumi-language-python", "helm", "kubectl",
    "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok",
)  # fmt: skip

#: Of the caller's environment, nothing that leads to an account, a cluster or a state of their own.
FOREIGN = (
    "PULUMI_", "AWS_", "GOOGLE_", "CLOUDSDK_", "GCLOUD_", "GCP_", "ARM_", "AZURE_", "DIGITALOCEAN_",
    "CLOUDFLARE_",
    "KUBECONFIG", "KUBE_", "HELM_", "QHUB_REHEARSAL_",
)  # fmt: skip

#: Package of each cloud's plugin, by the word of `cluster.provider` or `dns.provider`.
CLOUD_PACKAGES = {
    "aws": "aws",
    "gcp": "gcp",
    "digitalocean": "digitalocean",
    "azure": "azure-native",
    "cloudflare": "cloudflare",
}

#: Opens the state of a rehearsal, which lives for minutes in a folder that only this user can read.
PASSPHRASE = "rehearsal"  # noqa: S105


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """What one rehearsal runs in.

    Attributes:
        folder: all of it lies here.
        settings: of the stack, as the user wrote them.
        engine: `pulumi` on the copy of the project, with an environment of its own.
        clock: the simulated clock; it began with the workspace.
        cluster: the embedded cluster in place of a cluster that is there already; None for a stack that makes its own.
        tools: each tool with its version and origin.
        plugins: each plugin with its version and origin.
        overlay: the stack's file as it is rehearsed.
        stack_file: where it lies.
        project: name of the project.
    """

    folder: Path
    settings: Settings
    engine: Engine
    clock: Clock
    cluster: EmbeddedCluster | None
    tools: Toolchain
    plugins: tuple[PluginUse, ...]
    overlay: Overlay
    stack_file: Path
    project: str

    @property
    def world(self) -> Path:
        """Folder of the simulated clouds."""
        return self.folder / "world"

    @property
    def is_protected(self) -> bool:
        """Whether the settings keep a `destroy` from deleting something."""
        storage, cluster = self.settings.storage, self.settings.cluster
        return getattr(storage, "protect", False) or getattr(cluster, "protect", False)

    def init(self) -> None:
        """Make the stack, and give it the made-up secrets.

        Raises:
            EngineError: the engine refuses one of the two.
        """
        self.engine.ask("stack", "init")
        if self.overlay.secrets:
            words = [word for path, value in self.overlay.secrets.items() for word in ("--secret", f"{path}={value}")]
            self.engine.ask("config", "set-all", "--path", *words)

    def unprotect(self) -> None:
        """Change the stack's file so that nothing is protected any more, as a person does before a `destroy`."""
        written = read_document(self.stack_file).data
        kind = self.settings.storage.kind
        _write_yaml(self.stack_file, unprotected(written, project=self.project, storage=kind != "existing-claim"))


@contextmanager
def workspace(stack: str, *, source: StackFile, root: Path, console: Console) -> Generator[Workspace]:
    """Make a workspace, start the embedded cluster where the stack needs one, and remove everything at the end.

    Args:
        stack: name of the stack.
        source: its settings.
        root: the project's folder; only read.
        console: where the building of missing tools is told.

    Raises:
        ToolchainError, ClusterError, PluginError: something cannot be had; nothing is left.
    """
    for package in _cloud_packages(source.settings):
        plugin_version(package.replace("-", "_"))  # before tools are built, which takes minutes
    tools = ensure_tools(TOOLS, console=console)
    with tempfile.TemporaryDirectory(prefix="qhub-rehearsal-") as name:  # 0700
        folder = Path(name).resolve()
        try:
            cluster = _start_cluster(source.settings, folder, console=console)
            yield _made(stack, source=source, root=root, folder=folder, tools=tools, cluster=cluster)
        finally:
            end_orphans(folder / "project")
            EmbeddedCluster(CLUSTER, folder / "cluster").delete()
            if source.settings.cluster.provider != "existing":
                _stop_simulated(folder / "world")


def _stop_simulated(world: Path) -> None:
    """Stop what a failed or interrupted run has left of the simulated clouds' clusters."""
    from qhub.rehearsal.simulated import SimulatedKubernetes, all_kubernetes

    for _, folder in all_kubernetes(world):
        SimulatedKubernetes(folder, speed=1.0).delete()


def _start_cluster(settings: Settings, folder: Path, *, console: Console) -> EmbeddedCluster | None:
    section = settings.cluster
    if section.provider != "existing":
        return None
    cluster = EmbeddedCluster(CLUSTER, folder / "cluster", nodes=[SimulatedNodes(nodes_for(section.pools))])
    cluster.start(report=partial(console.print, style="dim", soft_wrap=True))
    return cluster


def _made(
    stack: str,
    *,
    source: StackFile,
    root: Path,
    folder: Path,
    tools: Toolchain,
    cluster: EmbeddedCluster | None,
) -> Workspace:
    project, home, world = folder / "project", folder / "home", folder / "world"
    for made in (project, home, world, folder / "state"):
        made.mkdir(mode=0o700)
    settings = source.settings
    name = _copy_project(root, project)
    mirror, logo = settings.charts.mirror, settings.jupyterhub.theme.logo
    laid = overlay(
        source.written,
        made_up=source.made_up,
        project=name,
        charts=CHARTS,
        mirror=mirror if mirror is None or "://" in mirror else settings.path(mirror),
        kubeconfig=cluster.kubeconfig_path if cluster else None,
        logo=settings.path(logo) if logo is not None and not is_address(logo) else None,
        extra_charts=extra_charts(settings),
    )
    stack_file = project / f"Pulumi.{stack}.yaml"
    _write_yaml(stack_file, laid.document)
    python = Path(sys.executable)
    plugins = install_stand_ins(pulumi_home=home, python=python, ambient=False)
    # Durations of a cloud are simulated; a cluster that is there already has none.
    speed = speed_of() if cluster is None else 1.0
    for package in _cloud_packages(settings):
        plugins += install_cloud_stand_ins(pulumi_home=home, python=python, packages=[package])
        give(World(world), package, settings.cluster, settings.dns)  # what the settings say is there already
    environment = _environment(folder, provider=settings.cluster.provider, tools=tools, speed=speed)
    return Workspace(
        folder=folder,
        settings=settings,
        engine=Engine(pulumi=tools["pulumi"].path, root=project, stack=stack, environment=environment),
        clock=Clock(world, speed=speed),
        cluster=cluster,
        tools=tools,
        plugins=tuple(plugins),
        overlay=laid,
        stack_file=stack_file,
        project=name,
    )


def _cloud_packages(settings: Settings) -> list[str]:
    """Return the packages of the clouds that take part, sorted."""
    clouds = [CLOUD_PACKAGES.get(settings.cluster.provider), CLOUD_PACKAGES.get(settings.dns.provider)]
    return sorted({found for found in clouds if found is not None})


def _copy_project(root: Path, target: Path) -> str:
    """Copy project file and program; return the project's name."""
    document = dict(read_document(root / PROJECT_FILE).data)
    runtime = document.get("runtime", "python")
    options = dict(runtime.get("options") or {}) if isinstance(runtime, Mapping) else {}
    # The copy has no virtual environment beside it: the one that runs this command serves.
    options["virtualenv"] = sys.prefix
    document["runtime"] = {"name": "python", "options": options}
    document.pop("backend", None)
    document.pop("stackConfigDir", None)
    _write_yaml(target / PROJECT_FILE, document)
    main = document.get("main", "")
    leave = shutil.ignore_patterns("__pycache__", ".git", ".venv", ".qhub", "node_modules", "build", "Pulumi*.yaml")
    shutil.copytree(root / main, target / main, ignore=leave, dirs_exist_ok=True)
    return str(document["name"])


def _environment(folder: Path, *, provider: str, tools: Toolchain, speed: float) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    # First of all what a kubeconfig of a cloud runs for its credentials (`aws`, `doctl`, ...): the real ones would look
    # for a real account.
    first = [commands.install(folder / "commands"), Path(sys.executable).parent, *tools.path_entries()]
    path = [*(str(entry) for entry in first), kept.get("PATH", "")]
    return {
        **kept,
        **engine_environment(pulumi_home=folder / "home"),
        # Whatever the plugins are: one on PATH could be a cloud's own, which looks for a real account.
        "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
        "PATH": os.pathsep.join(path),
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        # Written by the embedded cluster or nobody: what forgets to name its cluster must not find the user's.
        "KUBECONFIG": str(folder / "no-kubeconfig"),
        WORLD_VARIABLE: str(folder / "world"),
        SPEED_VARIABLE: f"{speed:g}",
        "HELM_CACHE_HOME": str(folder / "helm"),
        **_faults(folder / "world"),
        **_trust(folder / "world", provider),
    }


def _faults(world: Path) -> dict[str, str]:
    """Faults on request are the caller's own word to the simulated cloud; a file's name is one from here."""
    faults_of_environment(World(world))  # a mistake in it is told now, and not by an engine that has begun
    text = os.environ.get(FAULTS_VARIABLE, "").strip()
    if not text:
        return {}
    return {FAULTS_VARIABLE: text if text.startswith("[") else str(Path(text).resolve())}


def _trust(world: Path, provider: str) -> dict[str, str]:
    """GKE's API server has a certificate of a public authority; its simulated one has its own."""
    if provider != "gcp":
        return {}
    from qhub.rehearsal.clouds.gcp.trust import trusted_file

    return {"SSL_CERT_FILE": str(trusted_file(world))}


def _write_yaml(file: Path, document: Mapping[str, Any]) -> None:
    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    with file.open("w", encoding="utf-8") as stream:
        yaml.dump(dict(document), stream)
