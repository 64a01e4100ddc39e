"""`qhub rehearse`: try a stack end to end on simulated clouds and an embedded Kubernetes, and tell what was seen.

| call | does |
|---|---|
| `rehearsing.rehearse(stack, file=..., root=..., ...)` | the whole rehearsal; returns its recording |
| `watchers.live_watcher(console)` | progress for a terminal, or plain lines where there is none |

The recording is `qhub.rehearsal.report.Rehearsal`; what is made from it lies there too.
"""

from __future__ import annotations

# Before anything of `qhub.rehearsal.plugins`, which enters a bare `pulumi` where none is loaded: here the whole SDK is
# needed as well, by `qhub.platform`, whose code for the hub makes the users' pods.
import pulumi as _pulumi  # noqa: F401
