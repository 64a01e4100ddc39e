"""`qhub cluster`: start, stop, look at and delete an embedded cluster of this checkout."""

from __future__ import annotations

import sys
import time

import click

from qhub.rehearsal import paths
from qhub.rehearsal.cluster.cluster import EmbeddedCluster
from qhub.rehearsal.cluster.status import ClusterStatus, status_table


@click.group()
def cluster_commands() -> None:
    """Start, stop and look at an embedded Kubernetes cluster."""


name_option = click.option("--name", default="local", show_default=True, help="Which cluster of this checkout.")


@cluster_commands.command()
@name_option
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the API server; a free one if not given.")
def start(name: str, port: int | None) -> None:
    """Start the cluster, or what of it does not run, and wait until it is ready."""
    begun = time.monotonic()
    status = _cluster(name, port=port).start(report=click.echo)
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


def _cluster(name: str, *, port: int | None = None) -> EmbeddedCluster:
    return EmbeddedCluster(name, paths.clusters_dir() / name, port=port)


def _absent(name: str) -> str:
    return f"there is no cluster {name} in this checkout; `qhub cluster start --name {name}` makes one"


def _show(found: ClusterStatus) -> None:
    from rich.console import Console

    console = Console(soft_wrap=True)
    console.print(found.summary, highlight=False)
    console.print(status_table(found))
    console.print(f"logs in {found.folder / 'logs'}", highlight=False)
    console.print(f"kubeconfig {found.kubeconfig_path}, context {found.context}", highlight=False)
