"""`qhub explain` and `qhub schema`: help while writing a stack file."""

from __future__ import annotations

import json

import click


@click.command("explain")
@click.argument("key", default="")
@click.option("--markdown", is_flag=True, help="Print every key, as docs/settings.md has them.")
def explain_command(key: str, markdown: bool) -> None:
    """Say what KEY of a stack file is: what belongs there, its default, the keys below it. Without KEY: all sections.

    A key is written as messages and stack files have it: jupyterhub.cull.timeout, jupyterhub.profiles[0].cpu.
    """
    from qhub.config.explain import UnknownKeyError, explain
    from qhub.config.reference import settings_reference

    if markdown:
        click.echo(settings_reference(), nl=False)
        return
    try:
        click.echo(explain(key))
    except UnknownKeyError as error:
        raise click.ClickException(str(error)) from None


@click.command("schema")
@click.option("--part", is_flag=True, help="Of a base (qhub:base) or a file over one: nothing has to be there.")
def schema_command(part: bool) -> None:
    """Print the JSON Schema of a stack file, for completion and hover text in editors.

    In VS Code, with its YAML extension, this line at the top of a stack file switches it on:

        # yaml-language-server: $schema=docs/stack.schema.json
    """
    from qhub.config.schema import settings_json_schema

    click.echo(json.dumps(settings_json_schema(part=part), indent=1, ensure_ascii=False))
