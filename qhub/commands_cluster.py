"""`qhub cluster`: start, stop, look at and delete an embedded cluster of this checkout."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qhub.rehearsal.node_kinds import KINDS, NodeKind

if TYPE_CHECKING:
    from qhub.rehearsal.cluster import ClusterStatus, EmbeddedCluster


@click.group()
def cluster_commands() -> None:
    """Start, stop and look at an embedded Kubernetes cluster."""


name_option = click.option("--name", default="local", show_default=True, help="Which cluster of this checkout.")


@cluster_commands.command()
@name_option
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the API server; a free one if not given.")
@click.option(
    "--nodes",
    type=click.Choice(KINDS),
    help="Simulated nodes, on which no container runs; a real one, on which they do; or both. Said at the first start"
    " and remembered; simulated if not given.",
)
def start(name: str, port: int | None, nodes: NodeKind | None) -> None:
    """Start the cluster, or what of it does not run, and wait until it is ready."""
    begun = time.monotonic()
    status = _cluster(name, port=port, kind=nodes).start(report=click.echo)
    click.echo(f"{status.summary} ({time.monotonic() - begun:.1f} s)")
    click.echo(f"export KUBECONFIG={status.kubeconfig_path}")


@cluster_commands.command()
@name_option
def stop(name: str) -> None:
    """Stop the cluster; its content stays for the next start."""
    cluster = _cluster(name)
    existed = cluster.folder.exists()
    cluster.stop()
    click.echo(f"cluster {name}: stopped; its content is kept in {cluster.folder}" if existed else _absent(name))


@cluster_commands.command()
@name_option
def delete(name: str) -> None:
    """Stop the cluster and remove all of its content."""
    cluster = _cluster(name)
    existed = cluster.folder.exists()
    cluster.delete()
    click.echo(f"cluster {name}: deleted" if existed else _absent(name))


@cluster_commands.command()
@name_option
def status(name: str) -> None:
    """Show the cluster's processes and nodes. Ends with 1 when it is not ready."""
    cluster = _cluster(name)
    if not cluster.folder.exists():
        click.echo(_absent(name))
        sys.exit(1)
    found = cluster.status()
    _show(found)
    sys.exit(0 if found.ready else 1)


@cluster_commands.command()
@name_option
def kubeconfig(name: str) -> None:
    """Print the path of the cluster's kubeconfig, for `export KUBECONFIG=$(qhub cluster kubeconfig)`."""
    path = _cluster(name).kubeconfig_path
    if not path.is_file():
        raise click.ClickException(_absent(name))
    click.echo(path)


@cluster_commands.command("import-image")
@name_option
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_image(name: str, files: tuple[Path, ...]) -> None:
    """Import images from FILES, as `docker save` writes them, into the real node; what is there already is left."""
    cluster = _cluster(name)
    if not cluster.folder.exists():
        raise click.ClickException(_absent(name))
    for image in cluster.import_images(files, report=click.echo):
        click.echo(image)


@cluster_commands.command()
@name_option
@click.argument("address")
@click.argument("port", type=click.IntRange(1, 65535))
def expose(name: str, address: str, port: int) -> None:
    """Print an address on this machine that leads to PORT of ADDRESS in the network of the real node.

    ADDRESS is an IPv4 address there, or NAMESPACE/NAME of a Service of type LoadBalancer.
    """
    cluster = _cluster(name)
    if not cluster.folder.exists():
        raise click.ClickException(_absent(name))
    namespace, slash, service = address.partition("/")
    found = cluster.expose_service(namespace, service, port) if slash else cluster.expose(address, port)
    click.echo(f"127.0.0.1:{found}")


def _cluster(name: str, *, port: int | None = None, kind: NodeKind | None = None) -> EmbeddedCluster:
    from qhub.rehearsal import paths
    from qhub.rehearsal.cluster import EmbeddedCluster

    return EmbeddedCluster(name, paths.clusters_dir() / name, port=port, kind=kind)


def _absent(name: str) -> str:
    return f"there is no cluster {name} in this checkout; `qhub cluster start --name {name}` makes one"


def _show(found: ClusterStatus) -> None:
    from rich.console import Console

    from qhub.rehearsal.cluster.status import status_table

    console = Console(soft_wrap=True)
    console.print(found.summary, highlight=False)
    console.print(status_table(found))
    for node in found.nodes:
        console.print(f"node {node.name}: {node.kind}, {'ready' if node.ready else 'not ready'}", highlight=False)
    console.print(f"logs in {found.folder / 'logs'}", highlight=False)
    console.print(f"kubeconfig {found.kubeconfig_path}, context {found.context}", highlight=False)
