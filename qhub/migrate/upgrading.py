"""An older stack file of ours in the current form, with its comments."""

from __future__ import annotations

from collections.abc import MutableMapping
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from qhub.config.versions import CURRENT, UPGRADES, Upgrades, upgrade

_PREFIX = "qhub:"


def upgraded_text(text: str, *, upgrades: Upgrades = UPGRADES, current: int = CURRENT) -> tuple[str, list[str]]:
    """Return a stack file in the current form, and what changed; comments, order and quotes stay.

    Args:
        text: the file, which is valid YAML with a map `config`.
        upgrades, current: for tests.

    Raises:
        ValueError: the file is newer than this QHub, or its version is no number.
    """
    yaml = YAML()
    yaml.preserve_quotes = True
    # As the project's own files are indented; a long line stays one.
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 10**6
    document = yaml.load(text)
    changed = list(upgrade(_Unprefixed(document["config"]), upgrades=upgrades, current=current))
    out = StringIO()
    yaml.dump(document, out)
    return out.getvalue(), changed


class _Unprefixed(MutableMapping[str, Any]):
    """The map `config` with our keys as the settings have them, and other programs' keys out of sight."""

    def __init__(self, config: MutableMapping[str, Any]) -> None:
        self._config = config

    def _key(self, name: str) -> str:
        return name if name in self._config else f"{_PREFIX}{name}"

    def __getitem__(self, name: str) -> Any:
        return self._config[self._key(name)]

    def __setitem__(self, name: str, value: Any) -> None:
        self._config[self._key(name)] = value

    def __delitem__(self, name: str) -> None:
        del self._config[self._key(name)]

    def __iter__(self) -> Any:
        return (key.removeprefix(_PREFIX) for key in self._config if key.startswith(_PREFIX) or ":" not in key)

    def __len__(self) -> int:
        return len(list(iter(self)))
