"""`qhub toolchain`: what the rehearsal's tools are and where they come from."""

from __future__ import annotations

import click


@click.group()
def toolchain_commands() -> None:
    """The tools that are built where no official release of them is on PATH."""


@toolchain_commands.command()
@click.argument("names", nargs=-1)
def build(names: tuple[str, ...]) -> None:
    """Build the tools NAMES unless they are on PATH or built already; without NAMES all that this machine can use."""
    from rich.console import Console

    from qhub.rehearsal.node.possible import why_not
    from qhub.rehearsal.toolchain.ensure import ensure_tools
    from qhub.rehearsal.toolchain.table import TOOLS

    if not names:
        no_node = why_not()
        if no_node:
            click.echo(f"A real node cannot run here, so its tools are left out: {no_node}")
        names = tuple(name for name, tool in TOOLS.items() if not (tool.node and no_node))
    tools = ensure_tools(names, console=Console())
    for use in tools.values():
        click.echo(f"{use.name} {use.version} ({use.origin}) {use.path}")


@toolchain_commands.command()
def status() -> None:
    """Show each tool, its version and where it comes from; build nothing."""
    from qhub.rehearsal.toolchain.folders import toolchain_dir
    from qhub.rehearsal.toolchain.locate import find
    from qhub.rehearsal.toolchain.table import TOOLS

    found = find(TOOLS.values())
    width = max(map(len, TOOLS))
    for name in TOOLS:
        use = found.uses.get(name)
        click.echo(f"{name:{width}}  " + (f"{use.version:9} {use.origin:5} {use.path}" if use else "missing"))
    for note in found.notes:
        click.echo(f"Note: {note}")
    click.echo(f"Built tools lie in {toolchain_dir()}")
