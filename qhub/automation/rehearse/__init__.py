"""`qhub rehearse`: try a stack end to end on simulated clouds and an embedded Kubernetes, and tell what was seen.

| call | does |
|---|---|
| `rehearsing.rehearse(stack, file=..., root=..., ...)` | the whole rehearsal; returns its recording |
| `watchers.live_watcher(console)` | progress for a terminal, or plain lines where there is none |

The recording is `qhub.rehearsal.report.Rehearsal`; what is made from it lies there too. What is rehearsed on (clouds,
Kubernetes, plugins, charts) is `qhub.rehearsal`. The modules, as a rehearsal comes by them:

| module | its part |
|---|---|
| `rehearsing` | the steps, one after the other |
| `stack_file`, `overlay` | the stack's file, made such that nothing of the user's own is reached |
| `extra_charts` | which chart stands for that of a release of the user's own |
| `workspace`, `nodes` | a folder with all that a rehearsal needs, and its end |
| `running`, `operations` | the engine's runs, seen resource by resource |
| `demand` | people and Dask clusters come and leave, as `user_pods` and `dask_pods` make them |
| `waiting`, `looking` | until pods run; what is in the cluster |
| `leftovers` | nothing is left |
| `blame` | from a failure to the key of the stack file |
| `journal`, `watchers` | what was seen, and who is shown it meanwhile |
| `simulated` | what the report says was not real |
"""

from __future__ import annotations

# Before anything of `qhub.rehearsal.plugins`, which enters a bare `pulumi` where none is loaded: here the whole SDK is
# needed as well, by `qhub.platform`, whose code for the hub makes the users' pods.
import pulumi as _pulumi  # noqa: F401
