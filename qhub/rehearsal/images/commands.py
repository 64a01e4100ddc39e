"""`qhub images`: the platform's own images, built without a container engine."""

from __future__ import annotations

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
