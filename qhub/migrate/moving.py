"""What a migration works on: the settings so far, and what is to be said about each key of the old file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from qhub.config.document import Document

Path = tuple[str | int, ...]

#: What became of a key: somebody has to answer; it came over in another form; nothing here does that; not needed here.
Kind = Literal["asked", "changed", "lost", "needless"]

#: Theirs -> word of `cluster.provider`.
PROVIDERS = {
    "aws": "aws",
    "gcp": "gcp",
    "azure": "azure",
    "do": "digitalocean",
    "local": "existing",
    "existing": "existing",
    "minikube": "existing",
}
#: Theirs -> the section with the cluster.
SECTIONS = {
    "aws": "amazon_web_services",
    "gcp": "google_cloud_platform",
    "azure": "azure",
    "do": "digital_ocean",
    "local": "local",
    "existing": "existing",
    "minikube": "local",
}
#: Section with the cluster -> theirs.
BY_SECTION = {section: theirs for theirs, section in SECTIONS.items() if theirs != "minikube"}


def sections_in(data: Mapping[str, Any]) -> list[str]:
    """Return the sections with a cluster that a file of theirs has."""
    return [section for section in BY_SECTION if section in data]


@dataclass(frozen=True)
class Note:
    """What is to be said about one key.

    Attributes:
        kind: what became of it.
        path: the key in the old file.
        text: what to know or to do.
    """

    kind: Kind
    path: Path
    text: str


@dataclass
class Moving:
    """One migration under way.

    Attributes:
        document: the old file.
        stack: name of the new stack.
        settings: the new settings; a list is a mapping by position until `values` is asked for.
        notes: what is to be said about the old file.
        secrets: keys of ours that need a secret.
        at: the key of the old file that is looked at.
        origins: for each of the new settings, the key that it came from.
        groups: for each group of theirs, its name here.
    """

    document: Document
    stack: str = "prod"
    settings: dict[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    at: Path = ()
    origins: dict[Path, Path] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)

    @property
    def theirs(self) -> str:
        """Their word for where it runs; where the file does not say, what its one section of a cloud says, else local.

        Source: `check_provider` in `_nebari/stages/infrastructure` of Nebari, 2023.10 to 2026.3.
        """
        written = self.document.data.get("provider")
        there = sections_in(self.document.data)
        return str(written) if written is not None else BY_SECTION[there[0]] if there else "local"

    @property
    def provider(self) -> str:
        """Our word for where it runs; "" where theirs is not known."""
        return PROVIDERS.get(self.theirs, "")

    @property
    def is_nebari(self) -> bool:
        """Whether the file is Nebari's, and not one of the QHub before it, which always names a provider."""
        data = self.document.data
        return "nebari_version" in data or (data.get("provider") is None and "qhub_version" not in data)

    @property
    def has_keycloak(self) -> bool:
        """Whether people and groups are in Keycloak, as from QHub 0.4 on, and not in the file."""
        security = self.document.data.get("security")
        return self.is_nebari or (isinstance(security, Mapping) and "keycloak" in security)

    def put(self, path: Path, value: Any) -> None:
        """Set one of the new settings."""
        here: dict[Any, Any] = self.settings
        for step in path[:-1]:
            here = here.setdefault(step, {})
        here[path[-1]] = value
        self.origins[path] = self.at

    def get(self, path: Path) -> Any:
        """Return one of the new settings; None where it is not set."""
        here: Any = self.settings
        for step in path:
            here = here.get(step) if isinstance(here, dict) else None
        return here

    def note(self, kind: Kind, path: Path, text: str) -> None:
        """Say something about a key of the old file."""
        self.notes.append(Note(kind, path, folded(text)))

    def values(self) -> dict[str, Any]:
        """Return the new settings with lists as lists."""
        return _listed(self.settings)


def folded(text: str) -> str:
    """Return a text on one line: one of the old file may have breaks, which would end a comment of the new one."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def slug(text: object) -> str:
    """Return a name as Kubernetes has them: a-z, 0-9 and inner "-", at most 63."""
    return re.sub(r"[^a-z0-9]+", "-", str(text).lower()).strip("-")[:63].rstrip("-")


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(isinstance(key, int) for key in value):
        return [_listed(value[key]) for key in sorted(value)]
    return {key: _listed(below) for key, below in value.items()}
