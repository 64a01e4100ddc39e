"""Terminals over SSH."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from qhub.config.ingress import IngressService, load_balancer_problems
from qhub.config.model import Expected, Problem, Section, nested
from qhub.config.resources import Image

Port = Annotated[int, Field(ge=1, le=65535), Expected("a port, a whole number from 1 to 65535")]


class SshService(IngressService):
    """The Service in front of the SSH server, with an address of its own."""

    port: Port = Field(default=22, description="Port that people connect to.")


class Ssh(Section):
    """An SSH server that gives people a terminal of their own notebook server."""

    enabled: bool = Field(
        default=False,
        description="Offer terminals over SSH: `ssh NAME@ADDRESS`, with a token of the hub as the password.",
    )
    image: Image | None = Field(
        default=None, description="Your build of images/ssh, as docs/images.md tells. No public registry has one."
    )
    service: SshService = nested("The Service in front: type, port, address, who may connect.")


def ssh_has_an_image(ssh: Ssh) -> Iterator[Problem]:
    """Nobody else publishes the image, so there is no default that would start."""
    if ssh.enabled and ssh.image is None:
        yield Problem(
            ("ssh", "image"),
            "is needed: build images/ssh, push it to your registry (docs/images.md), and add "
            "`image: {name: registry.example.org/qhub/ssh, tag: ...}`",
        )


def ssh_load_balancer_settings_have_one(ssh: Ssh) -> Iterator[Problem]:
    """The same holds for this Service as for the ingress's."""
    yield from load_balancer_problems(("ssh", "service"), ssh.service)
