"""`python -m qhub.rehearsal.toolchain`: the commands of `qhub toolchain`, before anything else of QHub works."""

from __future__ import annotations

import sys

import click

from qhub.rehearsal.toolchain.commands import toolchain_commands
from qhub.rehearsal.toolchain.errors import ToolchainError

try:
    toolchain_commands(prog_name="python -m qhub.rehearsal.toolchain")
except ToolchainError as error:
    click.echo(f"Error: {error}", err=True)
    sys.exit(1)
