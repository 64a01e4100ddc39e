"""`qhub`: a thin command over `qhub.automation` and `qhub.rehearsal`. `pulumi` stays the main door."""

from __future__ import annotations

import importlib
import shlex
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from qhub.rehearsal.node_kinds import NodeKind

#: Command -> module and name of what runs it. A module is imported when its command runs, or for a list of all: none
#: imports at its top what only rehearsals need.
ELSEWHERE = {
    "cluster": ("qhub.commands_cluster", "cluster_commands"),
    "explain": ("qhub.commands_settings", "explain_command"),
    "images": ("qhub.commands_images", "images_commands"),
    "init": ("qhub.commands_init", "init_command"),
    "migrate": ("qhub.commands_migrate", "migrate_command"),
    "rehearse": ("qhub.commands_rehearse", "rehearse_command"),
    "schema": ("qhub.commands_settings", "schema_command"),
    "toolchain": ("qhub.commands_toolchain", "toolchain_commands"),
    "validate": ("qhub.commands_validate", "validate_command"),
}


#: Errors whose message is for people, by name: importing their modules takes time, and packages that only rehearsals
#: need.
FOR_PEOPLE = {
    "qhub.automation.kubectl.KubectlError",
    "qhub.config.mistakes.SettingsError",
    "qhub.rehearsal.cluster.errors.ClusterError",
    "qhub.rehearsal.images.errors.ImagesError",
    "qhub.rehearsal.plugins.errors.PluginError",
    "qhub.rehearsal.toolchain.errors.ToolchainError",
}


def _is_of(error: Exception, names: set[str]) -> bool:
    return any(f"{each.__module__}.{each.__qualname__}" in names for each in type(error).__mro__)


def _missing(error: ModuleNotFoundError) -> str | None:
    from qhub.rehearsal.needs import what_is_missing

    return what_is_missing(error)


class Commands(click.Group):
    """A group that imports a command when it runs, and tells known mistakes in words, without a traceback.

    So is a package that only rehearsals need, which a plain install of QHub does not have.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, sorted."""
        return sorted({*super().list_commands(ctx), *ELSEWHERE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a name, or None."""
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, name = ELSEWHERE[cmd_name]
        return getattr(importlib.import_module(module), name)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; turn the errors that are meant for people into click's own form."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if _is_of(error, {"qhub.automation.engine.EngineError"}):
                click.echo(f"Error: {error}", err=True)
                sys.exit(getattr(error, "returncode", 1))
            if isinstance(error, ModuleNotFoundError) and (told := _missing(error)):
                raise click.ClickException(told) from error
            if isinstance(error, FileNotFoundError) or _is_of(error, FOR_PEOPLE):
                raise click.ClickException(str(error)) from error
            raise


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
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
def clean() -> None:
    """Stop every embedded cluster of this checkout; remove their data and the cache of built tools."""
    from rich.console import Console

    from qhub.automation.cleaning import clean

    clean(console=Console())
