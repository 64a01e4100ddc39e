"""`qhub images`: the platform's own images, and `qhub images needed`, what a stack pulls."""

from __future__ import annotations

import json
from pathlib import Path

import click

from qhub.rehearsal.images.commands import images_commands


@images_commands.command("needed")
@click.argument("stack", default="local", metavar="[FILE|STACK]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def needed(stack: str, as_json: bool) -> None:
    """List every image that STACK pulls, one a line: its name, and as what nodes pull it.

    The two are the same where no copy is pulled, without `images.registry` all of them. The copies are made by

    \b
        qhub images needed prod | awk '$1 != $2' | xargs -r -n2 crane copy
    """
    from qhub.config import load_settings_file
    from qhub.config.sources import project_root, stack_file
    from qhub.platform.needed_images import needed_images

    is_file = stack.endswith((".yaml", ".yml"))
    settings = load_settings_file(Path(stack) if is_file else stack_file(project_root(Path.cwd()), stack))
    images = needed_images(settings)
    if as_json:
        document = [
            {
                "source": image.source,
                "pulled_as": image.pulled_as,
                "to_be_copied": image.to_be_copied,
                "needed_by": image.needed_by,
                "sure": image.sure,
            }
            for image in images
        ]
        click.echo(json.dumps({"images": document}, indent=2))
    else:
        for image in images:
            # Always two words: whatever takes the words of this list in pairs must not fall out of step.
            click.echo(f"{image.source} {image.pulled_as}")
    for chart in sorted({image.needed_by for image in images if not image.sure}):
        click.echo(
            f"Of chart {chart} in this version QHub does not know the tags for sure: compare with `helm template`.",
            err=True,
        )
