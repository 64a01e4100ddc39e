"""`qhub`: a thin command over `qhub.automation` and `qhub.rehearsal`. `pulumi` stays the main door."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from qhub.rehearsal.cluster.kinds import NodeKind


class PeopleErrors(click.Group):
    """A group whose commands tell known mistakes in words, without a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; turn the errors that are meant for people into click's own form."""
        from qhub.automation import EngineError, KubectlError
        from qhub.config import SettingsError
        from qhub.rehearsal.cluster import ClusterError
        from qhub.rehearsal.images.errors import ImagesError
        from qhub.rehearsal.plugins.errors import PluginError
        from qhub.rehearsal.toolchain import ToolchainError

        try:
            return super().invoke(ctx)
        except EngineError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(error.returncode)
        except (
            SettingsError,
            ClusterError,
            ImagesError,
            KubectlError,
            PluginError,
            ToolchainError,
            FileNotFoundError,
        ) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=PeopleErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="qhub")
def main() -> None:
    """JupyterHub and Dask for a team, as one Pulumi program."""


def stack_option(command: click.decorators.FC) -> click.decorators.FC:
    """Give a command the option `--stack`."""
    return click.option("--stack", default="local", show_default=True, help="Stack, as in Pulumi.STACK.yaml.")(command)


yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask after the preview.")


@main.command()
@stack_option
@yes_option
@click.option(
    "--nodes",
    type=click.Choice(["real", "simulated", "both"]),
    envvar="QHUB_NODES",
    show_envvar=True,
    help="Of an embedded cluster that is not there yet: nodes on which containers run, or simulated ones. Default: real"
    " where this machine can.",
)
def up(stack: str, yes: bool, nodes: NodeKind | None) -> None:
    """Get what is missing on this machine, then bring STACK up."""
    from rich.console import Console

    from qhub import automation

    automation.up(stack, console=Console(), assume_yes=yes, nodes=nodes)


@main.command()
@stack_option
@yes_option
def down(stack: str, yes: bool) -> None:
    """Destroy STACK and stop its embedded cluster."""
    from rich.console import Console

    from qhub import automation

    automation.down(stack, console=Console(), assume_yes=yes)


@main.command()
@stack_option
def env(stack: str) -> None:
    """Print the variables that make plain `pulumi` work here: eval "$(qhub env)"."""
    from rich.console import Console

    from qhub.automation import prepare

    prepared = prepare(stack, console=Console(stderr=True), start_cluster=False)
    for name, value in sorted(prepared.variables.items()):
        click.echo(f"export {name}={shlex.quote(value)}")


@main.command()
@click.argument("stack", default="local")
def validate(stack: str) -> None:
    """Check the settings of STACK (a name, or a path to a file) without touching anything."""
    from qhub.config import load_settings_file
    from qhub.rehearsal.paths import project_root

    path = Path(stack)
    if path.suffix not in {".yaml", ".yml"}:
        path = project_root() / f"Pulumi.{stack}.yaml"
    settings = load_settings_file(path)
    for warning in settings.warnings():
        click.echo(f"warning: {warning}")
    click.echo(f"{path.name}: the settings are valid")


@main.command()
def clean() -> None:
    """Stop every embedded cluster of this checkout; remove their data and the cache of built tools."""
    from rich.console import Console

    from qhub.automation.cleaning import clean

    clean(console=Console())


def _add_rehearsal_commands() -> None:
    from qhub.commands_rehearse import rehearse_command
    from qhub.rehearsal.cluster.commands import cluster_commands
    from qhub.rehearsal.images.commands import images_commands
    from qhub.rehearsal.toolchain.commands import toolchain_commands

    main.add_command(cluster_commands, "cluster")
    main.add_command(images_commands, "images")
    main.add_command(toolchain_commands, "toolchain")
    main.add_command(rehearse_command)


_add_rehearsal_commands()
