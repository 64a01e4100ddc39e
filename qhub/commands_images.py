"""`qhub images`: the platform's own images, and `qhub images needed`, what a stack pulls."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.group()
def images_commands() -> None:
    """The platform's own images, built from package registries without a container engine."""


@images_commands.command()
@click.argument("names", nargs=-1)
def build(names: tuple[str, ...]) -> None:
    """Build the images NAMES unless they are in the cache; without NAMES all, where this machine can."""
    from rich.console import Console

    from qhub.rehearsal.images.ensure import ensure_images, why_not

    if not names and (why := why_not()):
        click.echo(f"Images cannot be built here, so they are left out: {why}")
        return
    for image in ensure_images(names or None, report=Console()):
        click.echo(f"{image.name} {image.digest} {image.archive}")


@images_commands.command(name="list")
def list_() -> None:
    """Show each image, whether it is built, and the names that it carries; build nothing."""
    from qhub.rehearsal.images.description import read_images
    from qhub.rehearsal.images.ensure import find_images

    images = read_images()
    for name, image in find_images().items():
        state = f"{image.archive.stat().st_size / 1e6:,.0f} MB, {image.digest}" if image else "not built"
        click.echo(f"{name}: {state}")
        for reference in images.references(images.by_name[name]):
            click.echo(f"    {reference}")


@images_commands.command()
def dockerfile() -> None:
    """Write images/Dockerfile anew, for people with a container engine."""
    from qhub.rehearsal.images.description import IMAGES_DIR, read_images
    from qhub.rehearsal.images.dockerfile import dockerfile, dockerignore

    (IMAGES_DIR / "Dockerfile").write_text(dockerfile(read_images()))
    (IMAGES_DIR / "Dockerfile.dockerignore").write_text(dockerignore())
    click.echo(f"Wrote {IMAGES_DIR / 'Dockerfile'}")


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
