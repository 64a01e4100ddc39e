"""What stands in a stack file, or in a base, where nothing reads it: the engine passes over it without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from qhub.config.document import Document, Flaw
from qhub.config.nearest import nearest
from qhub.config.settings import SECTIONS
from qhub.config.shape import Path

CONFIG = "config"
#: What the engine reads at the top of a stack's file (`ProjectStack` in pulumi's sdk/go/common/workspace/project.go).
_OF_THE_ENGINE = (CONFIG, "environment", "secretsprovider", "encryptedkey", "encryptionsalt")
#: The project's name, and with it the namespace of the settings, unless somebody chose another.
_USUAL = "qhub"
#: Namespaces of providers that a stack may have keys of, however close to the project's name they are.
_PROVIDERS = frozenset({
    "aws", "aws-native", "azure", "azure-native", "azuread", "cloudflare", "command", "digitalocean", "docker", "gcp",
    "google-native", "helm", "kubernetes", "pulumi", "random", "tls",
})  # fmt: skip
#: The namespace before one of the settings, in a message; not the name of an image before its tag.
_KEY_IN_TEXT = re.compile(rf"(?<![\w/.-]){_USUAL}:(?=(?:{'|'.join(SECTIONS)})\b)")
#: How keys start that are there to hold YAML anchors.
_HOLDERS = ("x-", ".")


@dataclass(frozen=True, kw_only=True)
class Unread:
    """Something that nothing reads.

    Attributes:
        place: path of its key in the file.
        message: what is wrong and what to do.
        meant: for each setting that was meant there, without the project's name, its value and its path in the file.
        harmless: whether it may be there on purpose.
    """

    place: Path
    message: str
    meant: Mapping[str, tuple[Any, Path]] = field(default_factory=dict)
    harmless: bool = False

    def flaw(self, document: Document) -> Flaw:
        """Return it as a flaw of its file."""
        mark = document.marks.get(self.place)
        line, column = (mark.line, mark.column) if mark else (None, None)
        return Flaw(self.message, line, column, self.place)


def own_name(key: str, *, project: str) -> str | None:
    """Return the name of a setting without the project's, as the engine reads it; None for a key of another namespace.

    The engine takes `qhub:config:domain`, an old form, and `domain` alone for `qhub:domain`.
    """
    namespace, name = _parts(key)
    return name if namespace in ("", project) else None


def unread(document: Document, *, project: str, is_base: bool = False) -> Iterator[Unread]:
    """Yield what of a file nothing reads.

    Args:
        document: a stack's file, or a base.
        project: name of the project.
        is_base: whether it is a base, which has a use for `config` only.
    """
    has_config = CONFIG in document.data
    at_the_top = [
        _at_the_top(key, value, project=project, has_config=has_config)
        for key, value in document.data.items()
        if key not in _OF_THE_ENGINE and not key.startswith(_HOLDERS)
    ]
    yield from at_the_top
    yield from _in_config(document.data.get(CONFIG), project=project)
    if is_base and not has_config and not document.flaws and all(one.harmless for one in at_the_top):
        yield Unread(place=(CONFIG,), message=f"is missing: settings stand below `{CONFIG}:`, as in a stack's file")


def in_other_namespaces(keys: Mapping[str, Any], *, project: str, around: Path = (CONFIG,)) -> Iterator[Unread]:
    """Yield the keys whose namespace is a slip of the pen for the project's, or the usual one where it has another."""
    for key, value in keys.items():
        name = _meant(key, project=project)
        if name is not None:
            message = f"nothing reads it: settings start with the name of the project, here `{project}:`"
            meant = {name: (value, (*around, key))}
            yield Unread(place=(*around, key), message=f"{message}; write `{project}:{name}`", meant=meant)


def with_own_names(text: str, *, project: str) -> str:
    """Return a message whose keys, `qhub:domain`, have the name of the project in front."""
    return text if project == _USUAL else _KEY_IN_TEXT.sub(lambda _: f"{project}:", text)


def _in_config(config: Any, *, project: str) -> Iterator[Unread]:
    if isinstance(config, Mapping):
        yield from in_other_namespaces(config, project=project)
    elif config is not None:
        yield Unread(place=(CONFIG,), message=f"should be a map of keys such as {project}:domain")


def _at_the_top(key: str, value: Any, *, project: str, has_config: bool) -> Unread:
    namespace, name = _parts(key)
    meant = name if namespace == project or (not namespace and key in SECTIONS) else _meant(key, project=project)
    if meant is not None or namespace or key in (project, _USUAL):
        where = (
            "stands beside `config:`, where nothing reads it" if has_config else "nothing reads it without `config:`"
        )
        way = "indent it below that line" if has_config else "add that line above it and indent it by two spaces"
        renamed = f", as `{project}:{meant}`" if meant is not None and namespace not in ("", project) else ""
        return Unread(
            place=(key,),
            message=f"{where}: {way}{renamed}",
            meant={} if meant is None else {meant: (value, (key,))},
        )
    if nearest(key, (CONFIG,)) or key.lower().startswith(CONFIG):
        inside = {} if has_config or not isinstance(value, Mapping) else value
        names = {own_name(below, project=project): (one, (key, below)) for below, one in inside.items()}
        meant_inside = {name: found for name, found in names.items() if name is not None}
        return Unread(place=(key,), message=f"nothing reads it: write `{CONFIG}:`", meant=meant_inside)
    return Unread(
        place=(key,),
        message="nothing reads it: settings stand below `config:`; what only holds YAML anchors can start with `x-`",
        harmless=True,
    )


def _meant(key: str, *, project: str) -> str | None:
    """Return the setting that a key of another namespace was meant to be; None for one of a provider, or of anybody."""
    namespace, name = _parts(key)
    if namespace in ("", project) or namespace in _PROVIDERS:
        return None
    if namespace == _USUAL:
        return name
    # A provider of a similar name is nobody's mistake: the key has to be one of ours too.
    return nearest(name, SECTIONS) if nearest(namespace, (project, _USUAL), halves=False) else None


def _parts(key: str) -> tuple[str, str]:
    namespace, colon, name = key.partition(":")
    return (namespace, name.removeprefix("config:")) if colon else ("", key)
