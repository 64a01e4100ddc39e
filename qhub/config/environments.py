"""Sets of Python packages that people choose beside those of the image: as kernels, and for Dask workers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from qhub.config.model import Expected, Problem, Section, nested
from qhub.config.names import KubernetesName, Text
from qhub.config.quantities import Count, Seconds
from qhub.config.resources import Resources

#: What pip does not read as the start of a requirement: options of its own, comments, more lines.
_NO_REQUIREMENT = re.compile(r"\s*[-#]|.*[\r\n]")
#: A package with one version: `name[extra] == 1.2 ; marker`.
_PINNED = re.compile(r"[A-Za-z0-9._-]+\s*(\[[^\]]*\])?\s*===?\s*[^\s*,;]+\s*(;.*)?$")

#: The option of a Dask cluster that means the image's own packages, and so no name for an environment.
IMAGE_ALONE = "image"


def _requirement(text: str) -> str:
    if not text or _NO_REQUIREMENT.match(text):
        raise ValueError(f"{text!r} is not one requirement")
    return text


Requirement = Annotated[
    Text, AfterValidator(_requirement), Expected("a requirement as pip reads it, for example geopandas==1.0.1")
]


class Environment(Section):
    """Packages that are installed once and used by everybody."""

    packages: Annotated[tuple[Requirement, ...], Field(min_length=1)] = Field(
        description="What is installed, one requirement each, as pip reads them. Pin them: another line is another "
        "environment, and the same lines are never installed twice."
    )
    on_top_of_image: bool = Field(
        default=True,
        description="The image's own packages are there too, and need not be named; false begins with nothing, and "
        "ipykernel, and for Dask distributed, have to be among the packages.",
    )


class Environments(Section):
    """Environments by name, and how they are made."""

    named: dict[KubernetesName, Environment] = Field(
        default={}, description="Environments by name; none installs nothing."
    )
    index_url: (
        Annotated[Text, Field(pattern=r"^https?://"), Expected("an address that starts with https://")] | None
    ) = Field(
        default=None,
        description="Package index, for networks without the public one; null for pip's own. No password in it: "
        "it stands in clear in the Jobs.",
    )
    keep: Count = Field(
        default=3, description="Versions of an environment that stay on disk, for notebooks that use an earlier one."
    )
    timeout: Seconds = Field(default=1800, description="Seconds that the installation of one may take.")
    resources: Resources = nested(
        "CPU and memory while one is installed; nothing here reserves half a core and 1Gi, and allows 4Gi."
    )


def environment_names_are_free(environments: Environments) -> Iterator[Problem]:
    """One name means something else where a Dask cluster is started."""
    if IMAGE_ALONE in environments.named:
        yield Problem(
            ("environments", "named", IMAGE_ALONE), "is the image's own packages in the options of Dask: choose another"
        )


def names_an_account(address: str) -> bool:
    """Return whether an address has a user, a token or a password in it, `https://user:password@host`."""
    return "@" in address.partition("://")[2].partition("/")[0]


def unpinned(environment: Environment) -> list[str]:
    """Return the requirements that may mean another version tomorrow."""
    return [text for text in environment.packages if not _PINNED.match(text.strip()) and " @ " not in text]
