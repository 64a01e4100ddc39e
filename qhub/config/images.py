"""Where images are pulled from: each from its own registry, or all from one that holds copies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from qhub.config.authentication.base import Secret
from qhub.config.model import Expected, Problem, Section
from qhub.config.names import Text

#: Where a container runtime looks for an image whose name says no registry.
DOCKER_HUB = "docker.io"
#: Images of Docker Hub without an owner are there under this one.
_NO_OWNER = "library"
_REGISTRY = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")


def _names_a_host(part: str) -> bool:
    """Tell whether the first part of an image's name is a registry, as container runtimes do."""
    return "." in part or ":" in part or part == "localhost"


def _registry(text: str) -> str:
    if "://" in text:
        raise ValueError(f'"{text}" is an address; write it without {text.partition("://")[0]}://')
    if not _REGISTRY.fullmatch(text) or not _names_a_host(text.partition("/")[0]):
        raise ValueError(
            f'"{text}" is no registry: a host name with or without a path, as in registry.example.org/mirror'
        )
    return text


def _host(text: str) -> str:
    host, slash, _ = _registry(text).partition("/")
    if slash:
        raise ValueError(f'"{text}" has a path; write the host alone: {host}')
    return text


Registry = Annotated[str, AfterValidator(_registry), Expected("a registry with or without a path, as images are named")]
RegistryHost = Annotated[str, AfterValidator(_host), Expected("the host name of a registry")]


class RegistryCredentials(Section):
    """Who pulls from the registry."""

    username: Text = Field(description="User name.")
    password: Secret = Field(description="Password or token (secret).")


class Images(Section):
    """Where the images of the platform, of notebook servers and of Dask clusters come from."""

    registry: Registry | None = Field(
        default=None,
        description="Registry that has a copy of every image under its full name: with registry.example.org/mirror, "
        "quay.io/jupyter/scipy-notebook is pulled from registry.example.org/mirror/quay.io/jupyter/scipy-notebook. "
        "null pulls each from its own. What has to be there: `qhub images needed`.",
    )
    direct: tuple[RegistryHost, ...] = Field(
        default=(),
        description="Hosts of registries whose images are pulled as they are named all the same. That of `registry` "
        "is always one.",
    )
    credentials: RegistryCredentials | None = Field(
        default=None,
        description="Who pulls from `registry`, for every pod; null where nodes may pull by themselves.",
    )

    @property
    def host(self) -> str | None:
        """Host of the registry with the copies; None where there is none."""
        return None if self.registry is None else self.registry.partition("/")[0]

    def located(self, name: str) -> str:
        """Return the name under which an image is pulled: `name`, or that of its copy.

        Args:
            name: name of an image, with or without its tag.
        """
        if self.registry is None:
            return name
        full = full_name(name)
        return name if full.partition("/")[0] in (self.host, *self.direct) else f"{self.registry}/{full}"


def full_name(name: str) -> str:
    """Return the name of an image with its registry: `traefik` is `docker.io/library/traefik`."""
    first, slash, rest = name.partition("/")
    if not slash:
        return f"{DOCKER_HUB}/{_NO_OWNER}/{name}"
    if not _names_a_host(first):
        return f"{DOCKER_HUB}/{name}"
    return f"{DOCKER_HUB}/{_NO_OWNER}/{rest}" if first == DOCKER_HUB and "/" not in rest else name


def settings_of_a_registry_have_one(images: Images) -> Iterator[Problem]:
    """What is said of copies means nothing where there are none."""
    if images.registry is not None:
        return
    for key in ("direct", "credentials"):
        if getattr(images, key):
            yield Problem(("images", key), "has no effect without a registry: add `registry: ...`, or remove this")
