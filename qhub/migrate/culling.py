"""When servers are stopped.

Nebari has two cullers. The hub's stops a server some time after the last activity that the hub saw, as ours does. A
server's own ends kernels and terminals, and then the server, which comes to
`max(kernel, terminal) + server` minutes: jupyter_server_config.py.tpl of Nebari says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from qhub.migrate.moving import Moving, Path
from qhub.migrate.rules import Rule, Table, needless, no_counterpart, to, walk

#: What both times are where the file does not say, in minutes (class IdleCuller of Nebari).
USUAL = 15
_LOOKS = needless("how often the hub looks for idle servers is jupyterhub.cull.every")
_CULL = ("jupyterhub", "cull")
#: What our culler sees, and what it does not.
_SEEN = "a tab that is open counts as activity, and so does a kernel that computes; a terminal without output does not"


def hub(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """`cull` of the chart's values: the hub's culler, which is ours. What it says holds over the servers' own."""
    walk(moving, _OF_HUB, value, path=path, under=_CULL, top=len(path))


def servers(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """`jupyterlab.idle_culler`: the servers' own culler."""
    walk(moving, _OF_SERVERS, value, path=path, under=_CULL, top=len(path))
    kernel, terminal, server = (value.get(key, USUAL) for key in _TIMES)
    if not all(map(_is_number, (kernel, terminal, server))):
        moving.note("asked", path, "has something other than minutes: `qhub explain jupyterhub.cull`")
        return
    moving.at = path
    if _hub_says(moving):
        moving.note("changed", path, f"the hub's own `cull` in jupyterhub.overrides holds alone: {_SEEN}")
    elif min(kernel, terminal, server) <= 0:
        moving.put((*_CULL, "enabled"), False)
        moving.note(
            "changed",
            path,
            "0 is never: the hub stops no idle server here. Nebari's hub did so all the same, after 30 minutes without "
            f"activity: `cull: {{enabled: true, timeout: 1800}}`; {_SEEN}",
        )
    else:
        minutes = max(kernel, terminal) + server
        moving.put((*_CULL, "timeout"), int(minutes * 60))
        moving.note("changed", path, f"the hub stops a server {minutes} minutes after its last activity: {_SEEN}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _hub_says(moving: Moving) -> bool:
    found: Any = moving.document.data
    for key in ("jupyterhub", "overrides", "cull"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return isinstance(found, Mapping) and not found.keys().isdisjoint(("enabled", "timeout"))


def _not(usual: bool, text: str) -> Rule:
    def rule(moving: Moving, path: Path, value: Any, under: Path) -> None:
        if value not in (None, usual):
            moving.note("lost", path, text)

    return rule


#: The chart's own key -> ours.
_OF_HUB: Table = {
    "enabled": to("enabled"),
    "timeout": to("timeout"),
    "every": to("every"),
    "maxAge": to("max_age"),
    "users": to("users"),
    "adminUsers": to("admins"),
    "*": no_counterpart("JupyterHub's culler takes timeout, every, max_age, users and admins here"),
}
_TIMES = ("kernel_cull_idle_timeout", "terminal_cull_inactive_timeout", "server_shutdown_no_activity_timeout")
_OF_SERVERS: Table = {
    **dict.fromkeys(_TIMES, lambda *_: None),  # read together
    "kernel_cull_interval": _LOOKS,
    "terminal_cull_interval": _LOOKS,
    "kernel_cull_connected": _not(True, f"there is nothing to say so: {_SEEN}"),
    "kernel_cull_busy": _not(
        False, "a server whose kernel computes is stopped only by its age: jupyterhub.cull.max_age"
    ),
}
