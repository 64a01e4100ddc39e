"""What of a chart's values may be a secret: it is left out, and told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from qhub.migrate.moving import Moving, Path

#: What speaks of a secret: a key, the name of a variable, a line of Python or of a shell, an address with a password in
#: it, the first line of a private key, a token by the form that its maker gave it. Too much is told, too little is read
#: by whoever sees the repository.
_SECRET = re.compile(
    r"secret|passw|passphrase|_(pass|pwd)\b|\b(pass|pwd|authorization)[\"']?\s*[:=]|token|credential|bearer "
    # `api_key`, `AccountKey`, `PRIVATE KEY`, `CryptKeeper`, and any variable that ends with _KEY.
    r"|(api|access|account|private|crypt|signing)[_ -]?key|cryptkeeper|[a-z0-9]_keys?\b"
    r"|://[^\s/@:]*:[^\s@]+@|https?://[^\s/@]+@"
    r"|\b(gh[opsur]_|github_pat_|glpat-|xox[a-z]-|AKIA|eyJ)\w{10}",
    re.IGNORECASE,
)
_TOLD = "may be a secret, which values of a chart must not hold: bring it as a Secret of Kubernetes"


def without_secrets(moving: Moving, path: Path, value: Any) -> Any:
    """Return values without what speaks of a secret, each of which is told.

    A list that has one text that does is left out as a whole: the arguments of a command mean nothing without one.
    """
    if isinstance(value, list):
        items = [(one, without_secrets(moving, (*path, place), one)) for place, one in enumerate(value)]
        return [new for old, new in items if not _emptied(old, new)]
    if not isinstance(value, Mapping):
        return value
    # An environment variable as Kubernetes writes it: neither its name nor its value is of use without the other.
    if {"name", "value"} <= value.keys() and _speaks([f"{value['name']}:", value["value"]]):
        moving.note("lost", path, _TOLD)
        return {}
    kept = {}
    for key, below in value.items():
        if _speaks([f"{key}:", below]):
            moving.note("lost", (*path, key), _TOLD)
        else:
            new = without_secrets(moving, (*path, key), below)
            kept |= {} if _emptied(below, new) else {key: new}
    return kept


def _speaks(value: Any) -> bool:
    """Return whether a text speaks of a secret, or one of a list of texts. Bytes are no text: nobody knows."""
    if isinstance(value, list):
        return any(map(_speaks, value))
    return isinstance(value, bytes) or (isinstance(value, str) and _SECRET.search(value) is not None)


def _emptied(old: Any, new: Any) -> bool:
    """Return whether nothing is left: an empty list or map would take the place of a value of ours."""
    return isinstance(old, Mapping | list) and bool(old) and not new
